#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/result.h"

namespace vitrine {

/**
 * The format × modifier pairs of an IN_FORMATS blob (struct drm_format_modifier_blob), sorted and unique. Pure.
 *
 * Error: Invalid if an offset or count of the blob exceeds its size, or if its version is not 1.
 */
[[nodiscard]] Result<std::vector<FormatModifier>> parseInFormats(std::span<const std::byte> blob);

} // namespace vitrine
