#pragma once

#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/** A surface of one colour and any size: one pixel (wp_single_pixel_buffer) made as large as needed (wp_viewport). */
class PlainSurface {
public:
  /** Invalid, naming the global, where the compositor lacks one that this needs. */
  [[nodiscard]] static Result<> requireGlobals(WaylandConnection& connection);

  /** Borrows the connection, which must have passed requireGlobals(). `color`: 0xRRGGBB, opaque. */
  PlainSurface(WaylandConnection& connection, uint32_t color);

  /** Shows the surface in this size from now on: commits it. */
  void show(Size size);

  /** Takes it away: commits it without a buffer. */
  void hide();

  [[nodiscard]] wl_surface* object() const { return surface_.get(); }

private:
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<wp_viewport> viewport_;
  WaylandPtr<wl_buffer> pixel_;
};

} // namespace vitrine
