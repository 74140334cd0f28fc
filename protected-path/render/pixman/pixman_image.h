#pragma once

#include <pixman.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "protected-path/base/geometry.h"

namespace vitrine::pixman {

struct UnrefImage {
  void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
};
/** An owned reference to a pixman image. */
using Image = std::unique_ptr<pixman_image_t, UnrefImage>;

/** pixman's code of a DRM format with one plane; empty if pixman has none. */
[[nodiscard]] std::optional<pixman_format_code_t> pixmanFormat(uint32_t fourcc);

/** Every DRM format that pixman can read. */
[[nodiscard]] std::span<const uint32_t> pixmanFourccs();

/** Pixels in memory: the address of the first one, and the distance between rows, a multiple of four. */
struct PixelMemory {
  std::byte* first = nullptr;
  uint32_t strideBytes = 0;
};

/** An image over memory that its user keeps. Null if there is no memory for it. */
[[nodiscard]] Image imageOver(pixman_format_code_t format, Size size, const PixelMemory& memory);

} // namespace vitrine::pixman
