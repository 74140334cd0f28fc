#pragma once

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/format.h"

namespace vitrine {

/** How a surface's YCbCr pixels are converted to RGB. */
struct ColorRepresentation {
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  ChromaLocation chroma = ChromaLocation::Left;
  bool operator==(const ColorRepresentation&) const = default;
};

/**
 * wp_color_representation_manager_v1 (wayland-protocols staging): coefficients, range and chroma location per
 * surface, double-buffered with its other state. The only alpha mode is premultiplied electrical, which is the default of wl_surface.
 */
class ColorRepresentationManager {
public:
  explicit ColorRepresentationManager(wl_display& display);
  ColorRepresentationManager(const ColorRepresentationManager&) = delete;
  ~ColorRepresentationManager();

  /**
   * The values that the client has set for the surface. Otherwise the convention of players: BT.601 for pictures
   * smaller than 1280 x 720, else BT.709, with limited range. `surface` may be null.
   */
  [[nodiscard]] ColorRepresentation of(wlr_surface* surface, Size bufferSize) const;

private:
  wl_global* global_;
};

} // namespace vitrine
