#pragma once

#include <memory>

#include "compositor/wlr/listener.h"

namespace vitrine {

class Desktop;
class OverrideRedirect;
class XwaylandToplevel;

/**
 * One window of the X server, from its creation to its end; it deletes itself then. While the server gives it a surface, it is shown:
 * as a window of the desktop, or as what an X11 program places itself (override-redirect).
 */
class XwaylandWindow {
public:
  XwaylandWindow(Desktop& desktop, wlr_xwayland_surface& window);
  XwaylandWindow(const XwaylandWindow&) = delete;
  XwaylandWindow& operator=(const XwaylandWindow&) = delete;

private:
  ~XwaylandWindow();
  void show();
  void hide();
  void onConfigureRequest(const wlr_xwayland_surface_configure_event& event);

  Desktop& desktop_;
  wlr_xwayland_surface& window_;
  XwaylandToplevel* toplevel_ = nullptr; ///< owned by the desktop
  std::unique_ptr<OverrideRedirect> overrideRedirect_;
  Listener<void> associate_;
  Listener<void> dissociate_;
  Listener<void> setOverrideRedirect_;
  Listener<wlr_xwayland_surface_configure_event> requestConfigure_;
  Listener<void> destroy_;
};

} // namespace vitrine
