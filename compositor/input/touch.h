#pragma once

#include <map>

#include "compositor/shell/desktop.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/** Touch screens: each finger belongs to the surface that it came down on, until it is lifted. */
class Touch {
public:
  /** Of the devices that are attached to `cursor`. */
  Touch(wlr_seat& seat, Desktop& desktop, wlr_cursor& cursor, std::function<void(double x, double y)> onDrag);
  Touch(const Touch&) = delete;

  /** Takes the fingers off a device that is gone: their clients hear that nothing came of them. */
  void forget(const wlr_touch& device);
  /** Ends all touches, and tells their clients so. */
  void cancelAll();

private:
  struct Finger {
    const wlr_touch* device;
    double originX; ///< of its surface, in the layout
    double originY;
  };
  struct Point {
    double x;
    double y;
  };
  [[nodiscard]] Point inLayout(wlr_touch& device, double x, double y);
  void onDown(const wlr_touch_down_event& event);
  void onMotion(const wlr_touch_motion_event& event);
  void onUp(const wlr_touch_up_event& event);
  void cancel(int32_t id);

  wlr_seat& seat_;
  Desktop& desktop_;
  wlr_cursor& cursor_;
  std::function<void(double x, double y)> onDrag_;
  std::map<int32_t, Finger> fingers_; ///< by touch id
  Listener<wlr_touch_down_event> down_;
  Listener<wlr_touch_motion_event> motion_;
  Listener<wlr_touch_up_event> up_;
  Listener<wlr_touch_cancel_event> cancel_;
  Listener<void> frame_;
};

} // namespace vitrine
