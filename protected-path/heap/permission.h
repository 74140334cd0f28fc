#pragma once

namespace vitrine {

/** What to do where a heap's or the TEE's node may not be opened. */
inline constexpr const char* nodePermissionRemedy =
    "install configs/60-vitrine-heaps.rules as /etc/udev/rules.d/60-vitrine-heaps.rules, run `udevadm trigger`, and be "
    "in group video";

} // namespace vitrine
