#include "compositor/input/pointer_constraints.h"

#include <cmath>
#include <utility>

namespace vitrine {
namespace {

wlr_surface* rootOf(wlr_surface* surface) {
  return surface != nullptr ? wlr_surface_get_root_surface(surface) : nullptr;
}

} // namespace

PointerConstraints::PointerConstraints(wlr_seat& seat, wlr_cursor& cursor, std::function<void()> onWarp)
    : seat_(seat), cursor_(cursor), onWarp_(std::move(onWarp)),
      relative_(wlr_relative_pointer_manager_v1_create(seat.display)),
      constraints_(wlr_pointer_constraints_v1_create(seat.display)) {
  newConstraint_.connect(constraints_->events.new_constraint, [this](wlr_pointer_constraint_v1*) { update(); });
  pointerFocus_.connect(seat_.pointer_state.events.focus_change,
                        [this](wlr_seat_pointer_focus_change_event*) { update(); });
  keyboardFocus_.connect(seat_.keyboard_state.events.focus_change,
                         [this](wlr_seat_keyboard_focus_change_event*) { update(); });
}

bool PointerConstraints::isInside(const wlr_pointer_constraint_v1& constraint) const {
  return pixman_region32_contains_point(&constraint.region, static_cast<int>(std::floor(seat_.pointer_state.sx)),
                                        static_cast<int>(std::floor(seat_.pointer_state.sy)), nullptr) != 0;
}

void PointerConstraints::update() {
  wlr_surface* pointed = seat_.pointer_state.focused_surface;
  const bool focused = pointed != nullptr && rootOf(pointed) == rootOf(seat_.keyboard_state.focused_surface);
  wlr_pointer_constraint_v1* wanted =
      focused ? wlr_pointer_constraints_v1_constraint_for_surface(constraints_, pointed, &seat_) : nullptr;
  if (wanted == active_) return;
  activate(wanted != nullptr && isInside(*wanted) ? wanted : nullptr);
}

void PointerConstraints::activate(wlr_pointer_constraint_v1* constraint) {
  if (wlr_pointer_constraint_v1* left = std::exchange(active_, nullptr)) {
    activeGone_.disconnect();
    activeRegion_.disconnect();
    if (left->type == WLR_POINTER_CONSTRAINT_V1_LOCKED) warpToHint(*left);
    wlr_pointer_constraint_v1_send_deactivated(left); // a one-shot constraint goes with it
  }
  if (constraint == nullptr) return;
  active_ = constraint;
  activeGone_.connect(constraint->events.destroy, [this](void*) {
    if (active_->type == WLR_POINTER_CONSTRAINT_V1_LOCKED) warpToHint(*active_);
    active_ = nullptr;
    activeRegion_.disconnect();
    activeGone_.disconnect();
  });
  activeRegion_.connect(constraint->events.set_region, [this](void*) {
    if (!isInside(*active_)) activate(nullptr);
  });
  wlr_pointer_constraint_v1_send_activated(constraint);
}

/** The client has drawn a cursor of its own there: the pointer goes on from it. */
void PointerConstraints::warpToHint(const wlr_pointer_constraint_v1& constraint) {
  const auto& hint = constraint.current.cursor_hint;
  if (!hint.enabled || seat_.pointer_state.focused_surface != constraint.surface) return;
  const double x = cursor_.x - seat_.pointer_state.sx + hint.x;
  const double y = cursor_.y - seat_.pointer_state.sy + hint.y;
  wlr_cursor_warp(&cursor_, nullptr, x, y);
  wlr_seat_pointer_warp(&seat_, hint.x, hint.y);
  onWarp_();
}

PointerConstraints::Motion PointerConstraints::onMotion(uint32_t timeMilliseconds, Motion motion,
                                                        Motion unaccelerated) {
  wlr_relative_pointer_manager_v1_send_relative_motion(relative_, &seat_, uint64_t{timeMilliseconds} * 1000, motion.x,
                                                       motion.y, unaccelerated.x, unaccelerated.y);
  if (active_ == nullptr) return motion;
  if (active_->type == WLR_POINTER_CONSTRAINT_V1_LOCKED) return {0, 0};
  const double x = seat_.pointer_state.sx;
  const double y = seat_.pointer_state.sy;
  double confinedX = x;
  double confinedY = y;
  if (!wlr_region_confine(&active_->region, x, y, x + motion.x, y + motion.y, &confinedX, &confinedY)) return {0, 0};
  return {confinedX - x, confinedY - y};
}

} // namespace vitrine
