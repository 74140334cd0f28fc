#pragma once

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/format.h"

namespace vitrine {

/** How a surface's YCbCr pixels become RGB. */
struct ColorRepresentation {
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  bool operator==(const ColorRepresentation&) const = default;
};

/**
 * wp_color_representation_manager_v1 (wayland-protocols staging): coefficients and range per surface, double-buffered with its
 * other state. Alpha mode: premultiplied electrical only, which is what wl_surface has always meant.
 */
class ColorRepresentationManager {
public:
  explicit ColorRepresentationManager(wl_display& display);
  ColorRepresentationManager(const ColorRepresentationManager&) = delete;
  ~ColorRepresentationManager();

  /**
   * What the surface said; else the convention of players: BT.601 for pictures smaller than 1280 x 720, BT.709 from there on,
   * limited range. `surface` may be null.
   */
  [[nodiscard]] ColorRepresentation of(wlr_surface* surface, Size bufferSize) const;

private:
  wl_global* global_;
};

} // namespace vitrine
