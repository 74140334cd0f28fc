#include "compositor/input/touch.h"

namespace vitrine {

Touch::Touch(wlr_seat& seat, Desktop& desktop, wlr_cursor& cursor, std::function<void(double x, double y)> onDrag)
    : seat_(seat), desktop_(desktop), cursor_(cursor), onDrag_(std::move(onDrag)) {
  down_.connect(cursor.events.touch_down, [this](wlr_touch_down_event* event) { onDown(*event); });
  motion_.connect(cursor.events.touch_motion, [this](wlr_touch_motion_event* event) { onMotion(*event); });
  up_.connect(cursor.events.touch_up, [this](wlr_touch_up_event* event) { onUp(*event); });
  cancel_.connect(cursor.events.touch_cancel, [this](wlr_touch_cancel_event* event) { cancel(event->touch_id); });
  frame_.connect(cursor.events.touch_frame, [this](void*) { wlr_seat_touch_notify_frame(&seat_); });
}

Touch::Point Touch::inLayout(wlr_touch& device, double x, double y) {
  Point point{};
  wlr_cursor_absolute_to_layout_coords(&cursor_, &device.base, x, y, &point.x, &point.y);
  return point;
}

void Touch::onDown(const wlr_touch_down_event& event) {
  const Point at = inLayout(*event.touch, event.x, event.y);
  const Desktop::Hit hit = desktop_.at(at.x, at.y);
  if (seat_.drag == nullptr) desktop_.click(hit);
  if (hit.surface == nullptr) return;
  fingers_[event.touch_id] = {event.touch, at.x - hit.x, at.y - hit.y};
  wlr_seat_touch_notify_down(&seat_, hit.surface, event.time_msec, event.touch_id, hit.x, hit.y);
}

void Touch::onMotion(const wlr_touch_motion_event& event) {
  const auto finger = fingers_.find(event.touch_id);
  if (finger == fingers_.end()) return;
  const Point at = inLayout(*event.touch, event.x, event.y);
  double x = at.x - finger->second.originX;
  double y = at.y - finger->second.originY;
  if (seat_.drag != nullptr) {
    onDrag_(at.x, at.y);
    const Desktop::Hit hit = desktop_.at(at.x, at.y);
    if (hit.surface != nullptr) {
      wlr_seat_touch_point_focus(&seat_, hit.surface, event.time_msec, event.touch_id, hit.x, hit.y);
      x = hit.x;
      y = hit.y;
    } else {
      wlr_seat_touch_point_clear_focus(&seat_, event.time_msec, event.touch_id);
    }
  }
  wlr_seat_touch_notify_motion(&seat_, event.time_msec, event.touch_id, x, y);
}

void Touch::onUp(const wlr_touch_up_event& event) {
  if (fingers_.erase(event.touch_id) != 0) wlr_seat_touch_notify_up(&seat_, event.time_msec, event.touch_id);
}

void Touch::cancel(int32_t id) {
  if (fingers_.erase(id) == 0) return;
  // wl_touch.cancel is for all fingers of a client at once.
  if (const wlr_touch_point* point = wlr_seat_touch_get_point(&seat_, id))
    wlr_seat_touch_notify_cancel(&seat_, point->client);
}

void Touch::cancelAll() {
  while (!fingers_.empty())
    cancel(fingers_.begin()->first);
}

void Touch::forget(const wlr_touch& device) {
  std::vector<int32_t> gone;
  for (const auto& [id, finger] : fingers_)
    if (finger.device == &device) gone.push_back(id);
  for (const int32_t id : gone)
    cancel(id);
}

} // namespace vitrine
