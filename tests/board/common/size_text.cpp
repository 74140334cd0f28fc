#include "tests/board/common/size_text.h"

#include <charconv>
#include <format>

namespace vitrine {

std::optional<uint32_t> takeNumber(std::string_view& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value == 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool takeCharacter(std::string_view& text, char character) {
  if (text.empty() || text.front() != character) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Size> takeSize(std::string_view& text) {
  const auto width = takeNumber(text);
  if (!width || !takeCharacter(text, 'x')) return std::nullopt;
  const auto height = takeNumber(text);
  if (!height) return std::nullopt;
  return Size{*width, *height};
}

Result<Size> parseSize(std::string_view text) {
  std::string_view rest = text;
  const auto size = takeSize(rest);
  if (!size || !rest.empty())
    return invalid("parse", std::format("size `{}`", text), "it has to be WxH, such as 1280x720");
  return *size;
}

} // namespace vitrine
