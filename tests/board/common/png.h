#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protected-path/base/geometry.h"
#include "protected-path/base/result.h"

namespace vitrine {

/** XRGB8888 pixels, rows without gaps, as the bytes of a PNG file. Invalid where libpng refuses. */
[[nodiscard]] Result<std::string> encodePng(Size size, std::span<const uint32_t> pixels);

/** A PNG file as a data: URI, for HTML and JSON that carry their pictures with them. */
[[nodiscard]] std::string pngDataUri(std::string_view png);

} // namespace vitrine
