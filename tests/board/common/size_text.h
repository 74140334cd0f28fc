#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protected-path/base/geometry.h"
#include "protected-path/base/result.h"

namespace vitrine {

/** A positive 32-bit number at the beginning of `text`, which it takes away from there; else nothing. */
[[nodiscard]] std::optional<uint32_t> takeNumber(std::string_view& text);

/** Whether `text` begins with `character`, which it takes away from there. */
[[nodiscard]] bool takeCharacter(std::string_view& text, char character);

/** `WxH` at the beginning of `text`, taken away from there. */
[[nodiscard]] std::optional<Size> takeSize(std::string_view& text);

/** `WxH` and nothing else; operation `parse` in the error. */
[[nodiscard]] Result<Size> parseSize(std::string_view text);

} // namespace vitrine
