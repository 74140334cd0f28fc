#pragma once

#include <functional>

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * pointer-constraints-v1 and relative-pointer-v1: a client locks the pointer, or confines it to a region of its surface.
 *
 * A constraint is active while its surface has the pointer and its window the keyboard, from the moment at which the pointer is inside
 * the region. A key binding that moves the keyboard to another window so ends any constraint.
 */
class PointerConstraints {
public:
  /** `onWarp`: the cursor was moved to where a client wants it. */
  PointerConstraints(wlr_seat& seat, wlr_cursor& cursor, std::function<void()> onWarp);
  PointerConstraints(const PointerConstraints&) = delete;
  PointerConstraints& operator=(const PointerConstraints&) = delete;

  /**
   * The part of a pointer motion, in layout coordinates, that an active constraint permits: none of it if the pointer is locked. Tells
   * clients of the whole motion by relative-pointer-v1.
   */
  struct Motion {
    double x;
    double y;
    bool operator==(const Motion&) const = default;
  };
  [[nodiscard]] Motion onMotion(uint32_t timeMilliseconds, Motion motion, Motion unaccelerated);

  /** Pointer or keyboard may be at another surface, or the pointer at another place of it. */
  void update();

private:
  void activate(wlr_pointer_constraint_v1* constraint);
  [[nodiscard]] bool isInside(const wlr_pointer_constraint_v1& constraint) const;
  void warpToHint(const wlr_pointer_constraint_v1& constraint);

  wlr_seat& seat_;
  wlr_cursor& cursor_;
  std::function<void()> onWarp_;
  wlr_relative_pointer_manager_v1* relative_;
  wlr_pointer_constraints_v1* constraints_;
  wlr_pointer_constraint_v1* active_ = nullptr;
  Listener<wlr_pointer_constraint_v1> newConstraint_;
  Listener<void> activeGone_;
  Listener<void> activeRegion_;
  Listener<wlr_seat_pointer_focus_change_event> pointerFocus_;
  Listener<wlr_seat_keyboard_focus_change_event> keyboardFocus_;
};

} // namespace vitrine
