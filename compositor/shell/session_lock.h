#pragma once

#include <functional>
#include <list>

#include "compositor/shell/scene_layers.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * ext-session-lock-v1. While locked, only the lock tree and the cursor are in the scene: no output shows anything of the session, by
 * composition or on a plane, and no capture does. `locked` is sent once every lit output has presented such a frame.
 *
 * A locker that dies leaves the session locked and blank; another locker may take over.
 */
class SessionLock {
public:
  struct Handlers {
    std::function<void()> locked;          ///< the session is hidden: take its focus and its grabs away
    std::function<void()> unlocked;        ///< the session is back
    std::function<void()> surfacesChanged; ///< lock surfaces have come or gone: one may have the keyboard
  };
  SessionLock(wl_display& display, const SceneLayers& layers, wlr_output_layout& layout, Handlers handlers);
  SessionLock(const SessionLock&) = delete;
  SessionLock& operator=(const SessionLock&) = delete;
  ~SessionLock();

  [[nodiscard]] bool isLocked() const { return locked_; }
  /** A lock surface to give the keyboard to, or null. */
  [[nodiscard]] wlr_surface* surfaceToFocus() const;
  /** Outputs have come, gone, or changed place or size. */
  void arrange();

private:
  struct Surface {
    wlr_session_lock_surface_v1* object;
    wlr_scene_tree* tree;
    Listener<void> map;
    Listener<void> destroy;
  };
  /** An output that still shows what was there before the lock. */
  struct Unblanked {
    wlr_output* output;
    uint32_t lockedAt; ///< its commit_seq then
    Listener<wlr_output_event_present> present;
    Listener<void> destroy;
  };
  void onNewLock(wlr_session_lock_v1& lock);
  void hideSession();
  void awaitBlank();
  void addSurface(wlr_session_lock_surface_v1& object);
  void onBlank(const wlr_output* output);
  void unlock();
  void onLockGone();

  const SceneLayers& layers_;
  wlr_output_layout& layout_;
  Handlers handlers_;
  wlr_session_lock_manager_v1* manager_;
  wlr_session_lock_v1* lock_ = nullptr; ///< null while locked: its locker has died
  bool locked_ = false;
  std::list<Surface> surfaces_;
  std::list<Unblanked> unblanked_;
  Listener<wlr_session_lock_v1> newLock_;
  Listener<wlr_session_lock_surface_v1> newSurface_;
  Listener<void> unlock_;
  Listener<void> lockGone_;
  Listener<void> layoutChange_;
};

} // namespace vitrine
