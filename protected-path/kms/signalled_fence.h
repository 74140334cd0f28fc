#pragma once

#include "protected-path/kms/kms_device.h"

namespace vitrine {

/**
 * A sync file that has signalled. As IN_FENCE_FD of a client's buffer it has the kernel ignore the implicit fences in that buffer
 * (drm_gem_plane_helper_prepare_fb()), so that no client can hold up a flip (R8). Errors: the kernel's; ENOTTY before Linux 6.0.
 */
[[nodiscard]] Result<UniqueFd> signalledFence(const KmsDevice& device);

} // namespace vitrine
