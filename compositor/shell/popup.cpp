#include "compositor/shell/popup.h"

#include "compositor/input/keyboard.h"
#include "compositor/shell/desktop.h"

namespace vitrine {

void Popup::create(Desktop& desktop, wlr_xdg_popup& popup) {
  if (popup.parent == nullptr) return;
  const NodeOwner* parent = NodeOwner::of(*popup.parent);
  if (parent == nullptr || parent->tree() == nullptr) {
    wl_resource_post_error(popup.base->client->resource, XDG_WM_BASE_ERROR_INVALID_POPUP_PARENT,
                           "the parent's role object is gone");
    return;
  }
  wlr_scene_tree* tree = wlr_scene_xdg_surface_create(parent->tree(), popup.base);
  if (tree == nullptr) return wl_resource_post_no_memory(popup.resource);
  new Popup(desktop, *tree, popup);
}

Popup::Popup(Desktop& desktop, wlr_scene_tree& tree, wlr_xdg_popup& popup)
    : NodeOwner(tree, *popup.base->surface), desktop_(desktop), popup_(popup) {
  commit_.connect(popup_.base->surface->events.commit, [this](wlr_surface*) {
    if (popup_.base->initial_commit) keepInside();
  });
  map_.connect(popup_.base->surface->events.map, [this](void*) {
    takeKeyboard();
    desktop_.changed();
  });
  unmap_.connect(popup_.base->surface->events.unmap, [this](void*) {
    giveKeyboardBack();
    desktop_.changed();
  });
  reposition_.connect(popup_.events.reposition, [this](void*) { keepInside(); });
  changed_.connect(desktop_.events.changed, [this](void*) { follow(); });
  destroy_.connect(popup_.events.destroy, [this](void*) { delete this; });
}

Toplevel* Popup::toplevel() {
  NodeOwner* parent = parentOwner();
  return parent != nullptr ? parent->toplevel() : nullptr;
}

LayerSurface* Popup::layerSurface() {
  NodeOwner* parent = parentOwner();
  return parent != nullptr ? parent->layerSurface() : nullptr;
}

std::optional<wlr_box> Popup::popupArea() const {
  const NodeOwner* parent = parentOwner();
  return parent != nullptr ? parent->popupArea() : std::nullopt;
}

/** xdg_popup.grab: the topmost popup that grabs has the keyboard. wlroots' grab keeps it where it is; this passes it by. */
void Popup::takeKeyboard() {
  if (popup_.seat != nullptr && !desktop_.isLocked()) Keyboard::enter(*popup_.seat, *popup_.base->surface);
}

void Popup::giveKeyboardBack() {
  wlr_seat& seat = desktop_.seat();
  if (seat.keyboard_state.focused_surface != popup_.base->surface) return;
  if (wlr_xdg_popup_try_from_wlr_surface(popup_.parent) != nullptr) {
    Keyboard::enter(seat, *popup_.parent);
  } else {
    desktop_.giveKeyboard();
  }
}

void Popup::keepInside() {
  keptIn_ = popupArea();
  if (keptIn_) wlr_xdg_popup_unconstrain_from_box(&popup_, &*keptIn_);
}

/** xdg_positioner.set_reactive: a popup whose parent has moved is placed again. */
void Popup::follow() {
  if (!popup_.scheduled.rules.reactive || !popup_.base->surface->mapped) return;
  const auto area = popupArea();
  if (area && !(keptIn_ && wlr_box_equal(&*area, &*keptIn_))) keepInside();
}

} // namespace vitrine
