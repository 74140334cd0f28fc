#include "compositor/output/cursor_scanout.h"

#include <algorithm>

#include <xf86drm.h>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/mapping.h"

namespace vitrine {
namespace {

/** Draws an image of 32-bit RGB into the top-left corner of a buffer, scaled to `shown`. */
Result<> drawScaled(const TextureAdapter::Pixels& image, const Dmabuf& buffer, Size shown) {
  auto mapping = Mapping::map(buffer, 0, Mapping::Access::Write);
  if (!mapping) return std::unexpected(mapping.error());
  const auto words = [](const std::byte* bytes) {
    return const_cast<uint32_t*>(reinterpret_cast<const uint32_t*>(bytes));
  };
  const auto number = [](uint32_t value) { return static_cast<int>(value); };
  pixman_image_t* from = pixman_image_create_bits_no_clear(
      image.fourcc == DRM_FORMAT_ARGB8888 ? PIXMAN_a8r8g8b8 : PIXMAN_x8r8g8b8, number(image.size.width),
      number(image.size.height), words(image.bytes.data()), number(image.strideBytes));
  pixman_image_t* to =
      pixman_image_create_bits_no_clear(PIXMAN_a8r8g8b8, number(buffer.size().width), number(buffer.size().height),
                                        words(mapping->bytes().data()), number(buffer.plane(0).strideBytes));
  if (image.size != shown) {
    pixman_transform_t scale;
    pixman_transform_init_scale(&scale, pixman_double_to_fixed(static_cast<double>(image.size.width) / shown.width),
                                pixman_double_to_fixed(static_cast<double>(image.size.height) / shown.height));
    pixman_image_set_transform(from, &scale);
    pixman_image_set_filter(from, PIXMAN_FILTER_GOOD, nullptr, 0);
  }
  const pixman_color_t transparent{};
  const pixman_box32_t all{0, 0, number(buffer.size().width), number(buffer.size().height)};
  pixman_image_fill_boxes(PIXMAN_OP_SRC, to, &transparent, 1, &all);
  pixman_image_composite32(PIXMAN_OP_SRC, from, nullptr, to, 0, 0, 0, 0, 0, 0, number(shown.width),
                           number(shown.height));
  pixman_image_unref(from);
  pixman_image_unref(to);
  return {};
}

} // namespace

uint32_t largestCursorSide(const KmsDevice& display) {
  constexpr uint64_t usual = 64; // what the kernel assumes where a driver says nothing
  uint64_t width = 0;
  uint64_t height = 0;
  if (drmGetCap(display.fd(), DRM_CAP_CURSOR_WIDTH, &width) != 0 || width == 0) width = usual;
  if (drmGetCap(display.fd(), DRM_CAP_CURSOR_HEIGHT, &height) != 0 || height == 0) height = usual;
  return static_cast<uint32_t>(std::min(width, height));
}

uint32_t cursorSide(Size image, uint32_t largest) {
  const uint32_t needed = std::max(image.width, image.height);
  if (needed == 0 || needed > largest) return 0;
  // Intel and AMD take 64, 128 and 256; where other sizes are wanted, the largest is one of them.
  uint32_t side = 64;
  while (side < needed)
    side *= 2;
  return std::min(side, largest);
}

CursorScanout::CursorScanout(const KmsDevice& display) : display_(display), largestSide_(largestCursorSide(display)) {}

CursorScanout::~CursorScanout() {
  for (const Copy& copy : copies_)
    wlr_buffer_drop(copy.buffer->base());
}

/** A copy of this side that nobody shows, made where there is room for one more. */
CursorScanout::Copy* CursorScanout::unused(uint32_t side) {
  std::erase_if(copies_, [side](const Copy& copy) {
    const bool other = copy.buffer->dmabuf().size().width != side && copy.buffer->base()->n_locks == 0;
    if (other) wlr_buffer_drop(copy.buffer->base());
    return other;
  });
  const auto free =
      std::ranges::find(copies_, size_t{0}, [](const Copy& copy) { return copy.buffer->base()->n_locks; });
  if (free != copies_.end()) return &*free;
  if (copies_.size() >= maximumCopies) return nullptr;
  auto buffer = display_.createDumbBuffer({side, side}, DRM_FORMAT_ARGB8888);
  if (!buffer) {
    log("output").warn("cursor: {}", buffer.error().text());
    return nullptr;
  }
  return &copies_.emplace_back(DmabufBuffer::create(std::move(*buffer)));
}

DmabufBuffer* CursorScanout::copyOf(const TextureAdapter& content, Size shown) {
  const TextureAdapter::Pixels pixels = content.pixels();
  const uint32_t side = cursorSide(shown, largestSide_);
  const bool drawable = pixels.fourcc == DRM_FORMAT_ARGB8888 || pixels.fourcc == DRM_FORMAT_XRGB8888;
  if (side == 0 || !drawable || pixels.bytes.empty()) return nullptr;
  const auto known = std::ranges::find_if(
      copies_, [&](const Copy& copy) { return copy.serial == content.serial() && copy.shown == shown; });
  if (known != copies_.end()) return known->buffer;
  Copy* copy = unused(side);
  if (copy == nullptr) return nullptr;
  if (auto drawn = drawScaled(pixels, copy->buffer->dmabuf(), shown); !drawn) {
    log("output").warn("cursor: {}", drawn.error().text());
    return nullptr;
  }
  copy->serial = content.serial();
  copy->shown = shown;
  return copy->buffer;
}

} // namespace vitrine
