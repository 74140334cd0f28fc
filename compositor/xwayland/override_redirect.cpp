#include "compositor/xwayland/override_redirect.h"

#include "compositor/shell/desktop.h"

namespace vitrine {

OverrideRedirect::OverrideRedirect(Desktop& desktop, wlr_scene_tree& tree, wlr_xwayland_surface& window)
    : NodeOwner(tree, *window.surface), desktop_(desktop), window_(window), surface_(*window.surface) {
  map_.connect(surface_.events.map, [this](void*) { onMapped(); });
  unmap_.connect(surface_.events.unmap, [this](void*) { onUnmapped(); });
  setGeometry_.connect(window_.events.set_geometry, [this](void*) {
    wlr_scene_node_set_position(&this->tree()->node, window_.x, window_.y);
    desktop_.changed();
  });
  if (surface_.mapped) onMapped();
}

OverrideRedirect::~OverrideRedirect() {
  desktop_.dropKeyboardPopup(surface_);
}

Toplevel* OverrideRedirect::toplevel() {
  if (window_.parent != nullptr && window_.parent->surface != nullptr) return Desktop::find(*window_.parent->surface);
  Toplevel* focused = desktop_.focused();
  const auto clientOf = [](const wlr_surface& surface) { return wl_resource_get_client(surface.resource); };
  return focused != nullptr && clientOf(focused->surface()) == clientOf(surface_) ? focused : nullptr;
}

void OverrideRedirect::onMapped() {
  // A launcher, say, which has no window of its own.
  if (wlr_xwayland_or_surface_wants_focus(&window_)) desktop_.setKeyboardPopup(surface_);
  desktop_.changed();
}

void OverrideRedirect::onUnmapped() {
  desktop_.dropKeyboardPopup(surface_);
  desktop_.changed();
}

} // namespace vitrine
