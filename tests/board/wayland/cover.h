#pragma once

#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/**
 * A half-transparent green surface over the right half of a window. It covers a video as another client's window would,
 * with a position and pixels that a test can compute. It is one pixel (wp_single_pixel_buffer), scaled by wp_viewport,
 * and a child of the window, so that it moves with the window.
 */
class Cover {
public:
  /** Error: Invalid if the compositor lacks a global that a cover needs; the error names it. */
  [[nodiscard]] static Result<> requireGlobals(WaylandConnection& connection);

  /** Borrows the connection, for which requireGlobals() must have succeeded, and the window's surface. */
  Cover(WaylandConnection& connection, wl_surface* window);

  /** Call it with the window's size before each commit that changes the size. It takes effect with that commit. */
  void layOver(Size window);

private:
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<wl_subsurface> subsurface_;
  WaylandPtr<wp_viewport> viewport_;
  WaylandPtr<wl_buffer> pixel_;
};

} // namespace vitrine
