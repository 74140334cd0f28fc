#include "tests/board/common/png.h"

#include <cassert>
#include <format>

#include <png.h>

namespace vitrine {

Result<std::string> encodePng(Size size, std::span<const uint32_t> pixels) {
  assert(pixels.size() == size_t{size.width} * size.height);
  std::string rgb;
  rgb.reserve(pixels.size() * 3);
  for (const uint32_t pixel : pixels) {
    rgb += static_cast<char>(pixel >> 16);
    rgb += static_cast<char>(pixel >> 8);
    rgb += static_cast<char>(pixel);
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = size.width;
  image.height = size.height;
  image.format = PNG_FORMAT_RGB;
  std::string file(PNG_IMAGE_PNG_SIZE_MAX(image), '\0'); // asking for the exact length first would compress it twice
  png_alloc_size_t length = file.size();
  if (png_image_write_to_memory(&image, file.data(), &length, 0, rgb.data(), 0, nullptr) == 0)
    return invalid("encode PNG", std::format("{}x{}", size.width, size.height), image.message);
  file.resize(length);
  return file;
}

std::string pngDataUri(std::string_view png) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = "data:image/png;base64,";
  for (size_t at = 0; at < png.size(); at += 3) {
    uint32_t three = 0;
    for (size_t i = 0; i < 3; ++i)
      three = three << 8 | (at + i < png.size() ? static_cast<uint8_t>(png[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i)
      uri += at + i <= png.size() ? digits[three >> (18 - 6 * i) & 63] : '=';
  }
  return uri;
}

} // namespace vitrine
