#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/result.h"

namespace vitrine {

/**
 * The format × modifier pairs of an IN_FORMATS blob (struct drm_format_modifier_blob), sorted, each once.
 *
 * Invalid where the blob's own offsets and counts pass its size, or its version is not 1. Pure.
 */
[[nodiscard]] Result<std::vector<FormatModifier>> parseInFormats(std::span<const std::byte> blob);

} // namespace vitrine
