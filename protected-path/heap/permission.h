#pragma once

namespace vitrine {

/** The remedy if there is no permission to open the node of a heap or of the TEE. */
inline constexpr const char* nodePermissionRemedy =
    "install configs/60-vitrine-heaps.rules as /etc/udev/rules.d/60-vitrine-heaps.rules, run `udevadm trigger`, and be "
    "in group video";

} // namespace vitrine
