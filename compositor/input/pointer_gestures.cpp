#include "compositor/input/pointer_gestures.h"

namespace vitrine {

PointerGestures::PointerGestures(wlr_seat& seat, wlr_cursor& cursor, std::function<void()> onActivity)
    : gestures_(wlr_pointer_gestures_v1_create(seat.display)) {
  const auto connect = [&seat, gestures = gestures_, onActivity]<typename Event>(Listener<Event>& listener,
                                                                                 wl_signal& signal, auto send) {
    listener.connect(signal, [&seat, gestures, onActivity, send](Event* event) {
      onActivity();
      send(gestures, &seat, *event);
    });
  };
  auto& events = cursor.events;
  connect(swipeBegin_, events.swipe_begin, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_swipe_begin(gestures, to, event.time_msec, event.fingers);
  });
  connect(swipeUpdate_, events.swipe_update, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_swipe_update(gestures, to, event.time_msec, event.dx, event.dy);
  });
  connect(swipeEnd_, events.swipe_end, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_swipe_end(gestures, to, event.time_msec, event.cancelled);
  });
  connect(pinchBegin_, events.pinch_begin, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_pinch_begin(gestures, to, event.time_msec, event.fingers);
  });
  connect(pinchUpdate_, events.pinch_update, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_pinch_update(gestures, to, event.time_msec, event.dx, event.dy, event.scale,
                                              event.rotation);
  });
  connect(pinchEnd_, events.pinch_end, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_pinch_end(gestures, to, event.time_msec, event.cancelled);
  });
  connect(holdBegin_, events.hold_begin, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_hold_begin(gestures, to, event.time_msec, event.fingers);
  });
  connect(holdEnd_, events.hold_end, [](auto* gestures, wlr_seat* to, const auto& event) {
    wlr_pointer_gestures_v1_send_hold_end(gestures, to, event.time_msec, event.cancelled);
  });
}

} // namespace vitrine
