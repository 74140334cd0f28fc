#include "compositor/xwayland/xwayland_toplevel.h"

#include <algorithm>
#include <limits>

#include "compositor/shell/desktop.h"

namespace vitrine {
namespace {

int16_t coordinate(int value) {
  using Range = std::numeric_limits<int16_t>;
  return static_cast<int16_t>(std::clamp<int>(value, Range::min(), Range::max()));
}

uint16_t extent(int value) {
  return static_cast<uint16_t>(std::clamp<int>(value, 1, std::numeric_limits<int16_t>::max()));
}

} // namespace

XwaylandToplevel::XwaylandToplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_xwayland_surface& window)
    : Toplevel(desktop, tree, *window.surface), window_(window) {}

void XwaylandToplevel::connect() {
  connectSurface();
  connectRequests();
  if (window_.surface->mapped) onMapped();
}

void XwaylandToplevel::leave() {
  if (isMapped()) setMapped(false);
  desktop().destroyed(*this);
}

void XwaylandToplevel::connectSurface() {
  map_.connect(surface().events.map, [this](void*) { onMapped(); });
  unmap_.connect(surface().events.unmap, [this](void*) { setMapped(false); });
  commit_.connect(surface().events.commit, [this](wlr_surface*) {
    if (isMapped()) onContentCommit();
  });
}

void XwaylandToplevel::connectRequests() {
  auto& events = window_.events;
  requestMove_.connect(events.request_move, [this](void*) { grabRequested(pressSerial(), WLR_EDGE_NONE); });
  requestResize_.connect(events.request_resize,
                         [this](wlr_xwayland_resize_event* event) { grabRequested(pressSerial(), event->edges); });
  requestMaximize_.connect(events.request_maximize,
                           [this](void*) { setMaximized(window_.maximized_horz && window_.maximized_vert); });
  requestFullscreen_.connect(events.request_fullscreen, [this](void*) { setFullscreen(window_.fullscreen); });
  requestMinimize_.connect(events.request_minimize, [this](wlr_xwayland_minimize_event* event) {
    if (isMapped()) desktop().setMinimized(*this, event->minimize);
  });
  requestActivate_.connect(events.request_activate, [this](void*) { onActivateRequest(); });
  setParent_.connect(events.set_parent, [this](void*) {
    if (isMapped() && parent() != nullptr) desktop().raise(*this);
    desktop().parentChanged(*this);
  });
  setTitle_.connect(events.set_title, [this](void*) { namesChanged(); });
  setClass_.connect(events.set_class, [this](void*) { namesChanged(); });
}

void XwaylandToplevel::onMapped() {
  // What it asked for before it was mapped. The focus, which it gets by being mapped, has tellStates() overwrite it.
  const bool fullscreen = window_.fullscreen || mustFill();
  const bool maximized = window_.maximized_horz && window_.maximized_vert;
  const bool minimized = window_.minimized;
  reset();
  setMapped(true);
  if (fullscreen) {
    setFullscreen(true);
  } else if (maximized) {
    setMaximized(true);
  }
  if (minimized) desktop().setMinimized(*this, true);
}

/** Programs of the X server may pass the focus among them. No other client's window loses it. */
void XwaylandToplevel::onActivateRequest() {
  Toplevel* focused = desktop().focused();
  const auto clientOf = [](const Toplevel& of) { return wl_resource_get_client(of.surface().resource); };
  if (isMapped() && (focused == nullptr || clientOf(*focused) == clientOf(*this))) desktop().focus(this);
}

/** X11's requests to move and resize come without one: that of the button which is held. */
uint32_t XwaylandToplevel::pressSerial() const {
  return desktop().seat().pointer_state.grab_serial;
}

Toplevel* XwaylandToplevel::parent() const {
  return window_.parent != nullptr && window_.parent->surface != nullptr ? Desktop::find(*window_.parent->surface)
                                                                         : nullptr;
}

wlr_box XwaylandToplevel::geometry() const {
  return {0, 0, surface().current.width, surface().current.height};
}

void XwaylandToplevel::forEachSurface(wlr_surface_iterator_func_t iterator, void* data) const {
  wlr_surface_for_each_surface(window_.surface, iterator, data);
}

bool XwaylandToplevel::takesKeyboard() const {
  return wlr_xwayland_icccm_input_model(&window_) != WLR_ICCCM_INPUT_MODEL_NONE;
}

bool XwaylandToplevel::hasPlace() const {
  const xcb_size_hints_t* hints = window_.size_hints;
  return hints != nullptr && (hints->flags & XCB_ICCCM_SIZE_HINT_US_POSITION) != 0 && desktop().isVisible(box());
}

void XwaylandToplevel::onRaised() {
  wlr_xwayland_surface_restack(&window_, nullptr, XCB_STACK_MODE_ABOVE);
}

Toplevel::Limits XwaylandToplevel::limits() const {
  Limits limits;
  const xcb_size_hints_t* hints = window_.size_hints;
  if (hints == nullptr) return limits;
  if ((hints->flags & XCB_ICCCM_SIZE_HINT_P_MIN_SIZE) != 0) {
    limits.minWidth = hints->min_width;
    limits.minHeight = hints->min_height;
  }
  if ((hints->flags & XCB_ICCCM_SIZE_HINT_P_MAX_SIZE) != 0) {
    limits.maxWidth = hints->max_width;
    limits.maxHeight = hints->max_height;
  }
  return limits;
}

void XwaylandToplevel::tellStates() {
  const ToplevelStates& wanted = states();
  wlr_xwayland_surface_activate(&window_, wanted.activated);
  wlr_xwayland_surface_set_maximized(&window_, wanted.maximized);
  wlr_xwayland_surface_set_fullscreen(&window_, wanted.fullscreen);
  wlr_xwayland_surface_set_minimized(&window_, wanted.minimized);
}

uint32_t XwaylandToplevel::tellSize(int width, int height) {
  if (width > 0 && height > 0) {
    wlr_xwayland_surface_configure(&window_, coordinate(tree()->node.x), coordinate(tree()->node.y), extent(width),
                                   extent(height));
  }
  return 0;
}

bool XwaylandToplevel::hasDrawn(uint32_t) const {
  return surface().current.width == window_.width && surface().current.height == window_.height;
}

void XwaylandToplevel::onMoved() {
  const int16_t x = coordinate(tree()->node.x);
  const int16_t y = coordinate(tree()->node.y);
  if (x != window_.x || y != window_.y) wlr_xwayland_surface_configure(&window_, x, y, window_.width, window_.height);
}

} // namespace vitrine
