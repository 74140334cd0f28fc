#pragma once

#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/** A surface of one colour and any size: one pixel (wp_single_pixel_buffer), scaled by wp_viewport. */
class PlainSurface {
public:
  /** Error: Invalid if the compositor lacks a global that this needs; the error names it. */
  [[nodiscard]] static Result<> requireGlobals(WaylandConnection& connection);

  /** Borrows the connection, for which requireGlobals() must have succeeded. `color`: 0xRRGGBB, opaque. */
  PlainSurface(WaylandConnection& connection, uint32_t color);

  /** Shows the surface in this size: commits it. */
  void show(Size size);

  /** Hides the surface: commits it without a buffer. */
  void hide();

  [[nodiscard]] wl_surface* object() const { return surface_.get(); }

private:
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<wp_viewport> viewport_;
  WaylandPtr<wl_buffer> pixel_;
};

} // namespace vitrine
