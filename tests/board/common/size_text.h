#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protected-path/base/geometry.h"
#include "protected-path/base/result.h"

namespace vitrine {

/** Parses a positive 32-bit number at the beginning of `text` and removes it; empty if there is none. */
[[nodiscard]] std::optional<uint32_t> takeNumber(std::string_view& text);

/** If `text` begins with `character`, removes it and returns true. */
[[nodiscard]] bool takeCharacter(std::string_view& text, char character);

/** Parses `WxH` at the beginning of `text` and removes it. */
[[nodiscard]] std::optional<Size> takeSize(std::string_view& text);

/** Parses `WxH` and nothing else. The error's operation is `parse`. */
[[nodiscard]] Result<Size> parseSize(std::string_view text);

} // namespace vitrine
