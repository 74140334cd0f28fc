#pragma once

#include <functional>

#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * Drag and drop: starts what a client asks for during a press of its own, and shows the icon where the pointer is. Where the drag goes
 * is the seat's to tell with each motion, as ever: wlroots sends it to the data devices instead of the pointers.
 */
class DragAndDrop {
public:
  /** Shows icons in `parent`, below what is in there. `onEnd`: a drag is over, and whoever is under the pointer gets it back. */
  DragAndDrop(wlr_seat& seat, wlr_scene_tree& parent, std::function<void()> onEnd);
  DragAndDrop(const DragAndDrop&) = delete;

  /** The pointer, in layout coordinates. */
  void moveTo(double x, double y);

private:
  void onRequest(const wlr_seat_request_start_drag_event& event);
  static void refuse(wlr_drag& drag);

  wlr_seat& seat_;
  wlr_scene_tree* icons_; ///< the scene's; goes with `parent`
  std::function<void()> onEnd_;
  Listener<wlr_seat_request_start_drag_event> request_;
  Listener<wlr_drag> start_;
  Listener<void> end_;
};

} // namespace vitrine
