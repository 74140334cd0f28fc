#pragma once

#include <list>

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * ext-idle-notify-v1 and idle-inhibit-v1: tells clients when the user is absent, unless a visible surface wants the session awake.
 *
 * A surface is visible while it is mapped and on an output: an inhibitor of a minimised window, or of one that the lock screen hides,
 * does not count.
 */
class Idle {
public:
  Idle(wl_display& display, wlr_seat& seat);
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;

  /** The user did something with an input device. */
  void onActivity() { wlr_idle_notifier_v1_notify_activity(notifier_, &seat_); }
  /** Surfaces may have become visible or hidden. */
  void update();

private:
  struct Inhibitor {
    wlr_idle_inhibitor_v1* object;
    Listener<void> destroy;
    Listener<void> map;
    Listener<void> unmap;
  };
  void add(wlr_idle_inhibitor_v1& object);
  wlr_seat& seat_;
  wlr_idle_notifier_v1* notifier_;
  wlr_idle_inhibit_manager_v1* inhibit_;
  std::list<Inhibitor> inhibitors_;
  bool inhibited_ = false;
  Listener<wlr_idle_inhibitor_v1> newInhibitor_;
};

} // namespace vitrine
