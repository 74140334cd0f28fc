#include "compositor/xwayland/xwayland_window.h"

#include "compositor/shell/desktop.h"
#include "compositor/xwayland/override_redirect.h"
#include "compositor/xwayland/xwayland_toplevel.h"

namespace vitrine {

XwaylandWindow::XwaylandWindow(Desktop& desktop, wlr_xwayland_surface& window) : desktop_(desktop), window_(window) {
  associate_.connect(window_.events.associate, [this](void*) { show(); });
  dissociate_.connect(window_.events.dissociate, [this](void*) { hide(); });
  setOverrideRedirect_.connect(window_.events.set_override_redirect, [this](void*) {
    if (window_.surface == nullptr) return;
    hide();
    show();
  });
  requestConfigure_.connect(window_.events.request_configure,
                            [this](wlr_xwayland_surface_configure_event* event) { onConfigureRequest(*event); });
  destroy_.connect(window_.events.destroy, [this](void*) { delete this; });
}

XwaylandWindow::~XwaylandWindow() {
  hide();
}

void XwaylandWindow::show() {
  wlr_scene_tree& parent = window_.override_redirect ? desktop_.popupTree() : desktop_.windowTree();
  wlr_scene_tree* tree = wlr_scene_tree_create(&parent);
  if (tree == nullptr) return;
  if (wlr_scene_subsurface_tree_create(tree, window_.surface) == nullptr) return wlr_scene_node_destroy(&tree->node);
  wlr_scene_node_set_position(&tree->node, window_.x, window_.y);
  if (window_.override_redirect) {
    overrideRedirect_ = std::make_unique<OverrideRedirect>(desktop_, *tree, window_);
  } else {
    auto toplevel = std::make_unique<XwaylandToplevel>(desktop_, *tree, window_);
    toplevel_ = toplevel.get();
    desktop_.add(std::move(toplevel));
    toplevel_->connect();
  }
}

void XwaylandWindow::hide() {
  overrideRedirect_.reset();
  if (XwaylandToplevel* toplevel = std::exchange(toplevel_, nullptr)) toplevel->leave();
}

/** Before it is mapped, and where it is free, a window is where its program wants it, and of that size. */
void XwaylandWindow::onConfigureRequest(const wlr_xwayland_surface_configure_event& event) {
  if (toplevel_ != nullptr && !toplevel_->isFree()) {
    // ICCCM 4.1.5: it is told what it still is.
    wlr_xwayland_surface_configure(&window_, window_.x, window_.y, window_.width, window_.height);
    return;
  }
  wlr_xwayland_surface_configure(&window_, event.x, event.y, event.width, event.height);
  if (toplevel_ != nullptr) toplevel_->moveTo(event.x, event.y);
}

} // namespace vitrine
