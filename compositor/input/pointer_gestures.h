#pragma once

#include <functional>

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

/** pointer-gestures-v1: swipes, pinches and holds of touchpads go to the client under the pointer. */
class PointerGestures {
public:
  /** `onActivity`: called for each of them. */
  PointerGestures(wlr_seat& seat, wlr_cursor& cursor, std::function<void()> onActivity);
  PointerGestures(const PointerGestures&) = delete;
  PointerGestures& operator=(const PointerGestures&) = delete;

private:
  wlr_pointer_gestures_v1* gestures_;
  Listener<wlr_pointer_swipe_begin_event> swipeBegin_;
  Listener<wlr_pointer_swipe_update_event> swipeUpdate_;
  Listener<wlr_pointer_swipe_end_event> swipeEnd_;
  Listener<wlr_pointer_pinch_begin_event> pinchBegin_;
  Listener<wlr_pointer_pinch_update_event> pinchUpdate_;
  Listener<wlr_pointer_pinch_end_event> pinchEnd_;
  Listener<wlr_pointer_hold_begin_event> holdBegin_;
  Listener<wlr_pointer_hold_end_event> holdEnd_;
};

} // namespace vitrine
