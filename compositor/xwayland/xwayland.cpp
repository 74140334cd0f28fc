#include "compositor/xwayland/xwayland.h"

#include "compositor/xwayland/xwayland_window.h"
#include "protected-path/base/log.h"

namespace vitrine {

Result<std::unique_ptr<Xwayland>> Xwayland::listen(Session session) {
  constexpr bool withTheFirstProgram = true;
  wlr_xwayland* xwayland = wlr_xwayland_create(&session.display, &session.compositor, withTheFirstProgram);
  if (xwayland == nullptr) {
    return missing("listen for X11 programs", "Xwayland", "wlroots says why in the log above",
                   "install xwayland; /tmp/.X11-unix must be root's or yours; or set xwayland = false in [desktop]");
  }
  return std::unique_ptr<Xwayland>(new Xwayland(*xwayland, session));
}

Xwayland::Xwayland(wlr_xwayland& xwayland, const Session& session)
    : xwayland_(&xwayland), seat_(session.seat), cursor_(session.cursor) {
  ready_.connect(xwayland_->events.ready, [this](void*) { onReady(); });
  newWindow_.connect(xwayland_->events.new_surface, [&desktop = session.desktop](wlr_xwayland_surface* window) {
    new XwaylandWindow(desktop, *window);
  });
}

Xwayland::~Xwayland() {
  ready_.disconnect();
  newWindow_.disconnect();
  wlr_xwayland_destroy(xwayland_);
}

/** Also each time when it starts once more. */
void Xwayland::onReady() const {
  log("xwayland").info("the X server of DISPLAY={} runs", displayName());
  wlr_xwayland_set_seat(xwayland_, &seat_); // wlroots forgets it with the server that has ended
  // The window manager's connection owns it. wlroots 0.18 closes it once more when the server ends, and it may be another file by then.
  xwayland_->server->wm_fd[0] = -1;
  if (const wlr_xcursor_image* image = cursor_()) {
    wlr_xwayland_set_cursor(xwayland_, image->buffer, image->width * 4, image->width, image->height,
                            static_cast<int32_t>(image->hotspot_x), static_cast<int32_t>(image->hotspot_y));
  }
}

} // namespace vitrine
