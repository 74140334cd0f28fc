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
  reposition_.connect(popup_.events.reposition, [this](void*) { keepInside(); });
  destroy_.connect(popup_.events.destroy, [this](void*) { delete this; });
}

void Popup::keepInside() {
  const auto* tree = static_cast<wlr_scene_tree*>(popup_.base->data);
  int x = 0;
  int y = 0;
  wlr_scene_node_coords(&tree->node.parent->node, &x, &y);
  wlr_output* output = wlr_output_layout_output_at(&desktop_.layout(), x, y);
  if (output == nullptr) output = wlr_output_layout_get_center_output(&desktop_.layout());
  wlr_box box{};
  if (output != nullptr) wlr_output_layout_get_box(&desktop_.layout(), output, &box);
  // The constraint box is relative to the toplevel's window geometry.
  wlr_scene_tree* root = tree->node.parent;
  while (root->node.data == nullptr && root->node.parent != nullptr)
    root = root->node.parent;
  wlr_scene_node_coords(&root->node, &x, &y);
  box.x -= x;
  box.y -= y;
  wlr_xdg_popup_unconstrain_from_box(&popup_, &box);
}

} // namespace vitrine
