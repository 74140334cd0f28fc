#include "compositor/shell/xdg_toplevel.h"

#include "compositor/shell/desktop.h"

namespace vitrine {

XdgToplevel::XdgToplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_xdg_toplevel& toplevel)
    : Toplevel(desktop, tree, *toplevel.base->surface), toplevel_(toplevel) {
  connectSurface();
  connectRequests();
}

void XdgToplevel::connectSurface() {
  map_.connect(surface().events.map, [this](void*) { setMapped(true); });
  unmap_.connect(surface().events.unmap, [this](void*) { setMapped(false); });
  commit_.connect(surface().events.commit, [this](wlr_surface*) {
    onCommit();
    if (toplevel_.base->initial_commit) {
      configureInitially();
    } else if (isMapped()) {
      onContentCommit();
    }
  });
  destroy_.connect(toplevel_.events.destroy, [this](void*) { desktop().destroyed(*this); });
}

void XdgToplevel::connectRequests() {
  requestMove_.connect(toplevel_.events.request_move,
                       [this](wlr_xdg_toplevel_move_event* event) { grabRequested(event->serial, WLR_EDGE_NONE); });
  requestResize_.connect(toplevel_.events.request_resize,
                         [this](wlr_xdg_toplevel_resize_event* event) { grabRequested(event->serial, event->edges); });
  requestMaximize_.connect(toplevel_.events.request_maximize,
                           [this](void*) { setMaximized(toplevel_.requested.maximized); });
  requestFullscreen_.connect(toplevel_.events.request_fullscreen, [this](void*) {
    setFullscreen(toplevel_.requested.fullscreen, toplevel_.requested.fullscreen_output);
  });
  requestMinimize_.connect(toplevel_.events.request_minimize, [this](void*) {
    if (isMapped()) desktop().setMinimized(*this, toplevel_.requested.minimized);
  });
  setParent_.connect(toplevel_.events.set_parent, [this](void*) {
    if (isMapped() && toplevel_.parent != nullptr) desktop().raise(*this);
    desktop().parentChanged(*this);
  });
  setTitle_.connect(toplevel_.events.set_title, [this](void*) { namesChanged(); });
  setAppId_.connect(toplevel_.events.set_app_id, [this](void*) { namesChanged(); });
}

Toplevel* XdgToplevel::parent() const {
  return toplevel_.parent != nullptr ? Desktop::find(*toplevel_.parent->base->surface) : nullptr;
}

wlr_box XdgToplevel::geometry() const {
  wlr_box geometry{};
  wlr_xdg_surface_get_geometry(toplevel_.base, &geometry);
  return geometry;
}

void XdgToplevel::forEachSurface(wlr_surface_iterator_func_t iterator, void* data) const {
  wlr_xdg_surface_for_each_surface(toplevel_.base, iterator, data);
}

void XdgToplevel::configureInitially() {
  reset();
  tellStates();
  tellResizing(false);
  constexpr uint32_t capabilities = WLR_XDG_TOPLEVEL_WM_CAPABILITIES_MAXIMIZE |
                                    WLR_XDG_TOPLEVEL_WM_CAPABILITIES_FULLSCREEN |
                                    WLR_XDG_TOPLEVEL_WM_CAPABILITIES_MINIMIZE;
  wlr_xdg_toplevel_set_wm_capabilities(&toplevel_, desktop().isKiosk() ? 0 : capabilities);
  if (wlr_output* output = desktop().outputForNew()) putOn(*output);
  if (toplevel_.requested.fullscreen || mustFill()) {
    setFullscreen(true, toplevel_.requested.fullscreen_output);
  } else if (toplevel_.requested.maximized) {
    setMaximized(true);
  } else {
    tellSize(0, 0); // its own choice
  }
}

bool XdgToplevel::hasDrawn(uint32_t serial) const {
  return static_cast<int32_t>(toplevel_.base->current.configure_serial - serial) >= 0; // serials wrap around
}

Toplevel::Limits XdgToplevel::limits() const {
  const wlr_xdg_toplevel_state& now = toplevel_.current;
  return {now.min_width, now.min_height, now.max_width, now.max_height};
}

void XdgToplevel::tellStates() {
  constexpr uint32_t all = WLR_EDGE_LEFT | WLR_EDGE_RIGHT | WLR_EDGE_TOP | WLR_EDGE_BOTTOM;
  const ToplevelStates& wanted = states();
  wlr_xdg_toplevel_set_activated(&toplevel_, wanted.activated);
  wlr_xdg_toplevel_set_maximized(&toplevel_, wanted.maximized);
  wlr_xdg_toplevel_set_fullscreen(&toplevel_, wanted.fullscreen);
  wlr_xdg_toplevel_set_suspended(&toplevel_, wanted.minimized);
  if (wl_resource_get_version(toplevel_.resource) >= XDG_TOPLEVEL_STATE_TILED_LEFT_SINCE_VERSION)
    wlr_xdg_toplevel_set_tiled(&toplevel_, wanted.tiled ? all : 0U);
}

} // namespace vitrine
