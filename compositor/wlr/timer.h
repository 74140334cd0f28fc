#pragma once

#include <type_traits>

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/** A timer of the event loop. It has no closure, so that its callback may destroy it together with its owner. */
class Timer {
public:
  /** Calls `call(object)` each time that it runs out. `object` must outlive it; `call` is a lambda without captures. */
  template<typename Object, typename Call>
    requires std::is_empty_v<Call>
  Timer(wl_event_loop& loop, Object& object, Call)
      : source_(wl_event_loop_add_timer(
            &loop,
            [](void* data) {
              Call{}(*static_cast<Object*>(data));
              return 0;
            },
            &object)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { wl_event_source_remove(source_); }

  /** Runs out once, in this many milliseconds from now, instead of when it would have; 0 stops it. */
  void start(int milliseconds) { wl_event_source_timer_update(source_, milliseconds); }
  void stop() { start(0); }

private:
  wl_event_source* source_;
};

} // namespace vitrine
