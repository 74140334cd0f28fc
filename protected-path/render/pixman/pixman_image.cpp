#include "protected-path/render/pixman/pixman_image.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>

namespace vitrine::pixman {
namespace {

struct Entry {
  uint32_t fourcc;
  pixman_format_code_t format;
};

// Both name the components from the highest bit of a little-endian word.
constexpr std::array table = {
    Entry{DRM_FORMAT_ARGB8888, PIXMAN_a8r8g8b8},       Entry{DRM_FORMAT_XRGB8888, PIXMAN_x8r8g8b8},
    Entry{DRM_FORMAT_ABGR8888, PIXMAN_a8b8g8r8},       Entry{DRM_FORMAT_XBGR8888, PIXMAN_x8b8g8r8},
    Entry{DRM_FORMAT_RGBA8888, PIXMAN_r8g8b8a8},       Entry{DRM_FORMAT_RGBX8888, PIXMAN_r8g8b8x8},
    Entry{DRM_FORMAT_BGRA8888, PIXMAN_b8g8r8a8},       Entry{DRM_FORMAT_BGRX8888, PIXMAN_b8g8r8x8},
    Entry{DRM_FORMAT_RGB565, PIXMAN_r5g6b5},           Entry{DRM_FORMAT_BGR565, PIXMAN_b5g6r5},
    Entry{DRM_FORMAT_ARGB2101010, PIXMAN_a2r10g10b10}, Entry{DRM_FORMAT_XRGB2101010, PIXMAN_x2r10g10b10},
    Entry{DRM_FORMAT_ABGR2101010, PIXMAN_a2b10g10r10}, Entry{DRM_FORMAT_XBGR2101010, PIXMAN_x2b10g10r10},
};

constexpr auto fourccs = [] {
  std::array<uint32_t, table.size()> list{};
  std::ranges::transform(table, list.begin(), &Entry::fourcc);
  return list;
}();

} // namespace

std::optional<pixman_format_code_t> pixmanFormat(uint32_t fourcc) {
  const auto* found = std::ranges::find(table, fourcc, &Entry::fourcc);
  return found != table.end() ? std::optional(found->format) : std::nullopt;
}

std::span<const uint32_t> pixmanFourccs() {
  return fourccs;
}

Image imageOver(pixman_format_code_t format, Size size, const PixelMemory& memory) {
  return Image(pixman_image_create_bits_no_clear(format, static_cast<int>(size.width), static_cast<int>(size.height),
                                                 reinterpret_cast<uint32_t*>(memory.first),
                                                 static_cast<int>(memory.strideBytes)));
}

} // namespace vitrine::pixman
