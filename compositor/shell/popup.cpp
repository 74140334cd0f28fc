#include "compositor/shell/popup.h"

#include "compositor/shell/desktop.h"

namespace vitrine {

void Popup::create(Desktop& desktop, wlr_xdg_popup& popup) {
  wlr_xdg_surface* parent = popup.parent != nullptr ? wlr_xdg_surface_try_from_wlr_surface(popup.parent) : nullptr;
  if (parent == nullptr || parent->data == nullptr) return; // of a surface that is not a window here
  popup.base->data = wlr_scene_xdg_surface_create(static_cast<wlr_scene_tree*>(parent->data), popup.base);
  new Popup(desktop, popup);
}

Popup::Popup(Desktop& desktop, wlr_xdg_popup& popup) : desktop_(desktop), popup_(popup) {
  commit_.connect(popup_.base->surface->events.commit, [this](wlr_surface*) {
    if (popup_.base->initial_commit) keepInside();
  });
  map_.connect(popup_.base->surface->events.map, [this](void*) { desktop_.changed(); });
  unmap_.connect(popup_.base->surface->events.unmap, [this](void*) { desktop_.changed(); });
  reposition_.connect(popup_.events.reposition, [this](void*) { keepInside(); });
  destroy_.connect(popup_.events.destroy, [this](void*) { delete this; });
}

void Popup::keepInside() {
  wlr_scene_tree* root = static_cast<wlr_scene_tree*>(popup_.base->data)->node.parent;
  while (root->node.data == nullptr && root->node.parent != nullptr)
    root = root->node.parent;
  const auto* toplevel = static_cast<Toplevel*>(root->node.data);
  if (toplevel == nullptr) return;
  // wlroots wants the output in coordinates of the window's surface, shadow included.
  const wlr_box window = toplevel->box();
  const wlr_box shown = toplevel->geometry();
  wlr_box box = desktop_.outputBoxFor(*toplevel);
  box.x -= window.x - shown.x;
  box.y -= window.y - shown.y;
  wlr_xdg_popup_unconstrain_from_box(&popup_, &box);
}

} // namespace vitrine
