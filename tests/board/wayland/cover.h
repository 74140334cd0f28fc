#pragma once

#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/**
 * A half transparent green surface over the right half of a window: what a window of somebody else's would do to a
 * video, at a place and with pixels that a test can compute. One pixel (wp_single_pixel_buffer) made as large as needed
 * (wp_viewport): no memory, no font, nothing that moves. A child of the window, so that it goes where the window goes.
 */
class Cover {
public:
  /** Invalid, naming the global, where the compositor lacks one that a cover needs. */
  [[nodiscard]] static Result<> requireGlobals(WaylandConnection& connection);

  /** Borrows the connection, which must have passed requireGlobals(), and the window's surface. */
  Cover(WaylandConnection& connection, wl_surface* window);

  /** To be called with the window's size before each commit that changes it; shown with that commit. */
  void layOver(Size window);

private:
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<wl_subsurface> subsurface_;
  WaylandPtr<wp_viewport> viewport_;
  WaylandPtr<wl_buffer> pixel_;
};

} // namespace vitrine
