#pragma once

#include <memory>

#include "compositor/wlr/listener.h"
#include "protected-path/base/result.h"

namespace vitrine {

class Desktop;

/**
 * X11 programs: an X server (Xwayland) that starts with the first of them and ends some seconds after the last, and wlroots' window
 * manager for it, which also hands selections and drags over.
 *
 * To the compositor, all X11 programs are one client: they can read each other's windows and input, as everywhere in X11, but no other
 * client's.
 *
 * wlroots' window manager waits for answers of the X server. A program that grabs the server (XGrabServer) and keeps it so stops the
 * whole session: R8 does not hold for X11 programs, and they are only served where the user has said so.
 */
class Xwayland {
public:
  struct Session {
    wl_display& display;
    wlr_compositor& compositor;
    wlr_seat& seat;
    Desktop& desktop;
    /** The pointer's image where an X11 program sets none. It must outlive this. Null: there is none. */
    std::function<const wlr_xcursor_image*()> cursor;
  };
  /** Listens for X11 programs at a display of its own. Error: Missing: Xwayland, or a place for its socket. */
  [[nodiscard]] static Result<std::unique_ptr<Xwayland>> listen(Session session);
  Xwayland(const Xwayland&) = delete;
  Xwayland& operator=(const Xwayland&) = delete;
  ~Xwayland();

  /** What DISPLAY should be, such as ":0". */
  [[nodiscard]] const char* displayName() const { return xwayland_->display_name; }
  /** The X server as client of the compositor; null while it does not run. */
  [[nodiscard]] const wl_client* server() const { return xwayland_->server->client; }

private:
  Xwayland(wlr_xwayland& xwayland, const Session& session);
  void onReady() const;

  wlr_xwayland* xwayland_;
  wlr_seat& seat_;
  const std::function<const wlr_xcursor_image*()> cursor_;
  Listener<void> ready_;
  Listener<wlr_xwayland_surface> newWindow_;
};

} // namespace vitrine
