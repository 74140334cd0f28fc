#include "compositor/shell/desktop.h"

#include <algorithm>

#include "compositor/input/keyboard.h"
#include "compositor/shell/popup.h"
#include "compositor/shell/request_guard.h"

namespace vitrine {

Desktop::Desktop(wl_display& display, wlr_output_layout& layout, wlr_seat& seat)
    : layout_(layout), seat_(seat), scene_(wlr_scene_create()), windowTree_(wlr_scene_tree_create(&scene_->tree)),
      cursorTree_(wlr_scene_tree_create(&scene_->tree)), shell_(wlr_xdg_shell_create(&display, 6)) {
  newToplevel_.connect(shell_->events.new_toplevel, [this](wlr_xdg_toplevel* toplevel) { addToplevel(*toplevel); });
  newPopup_.connect(shell_->events.new_popup, [this](wlr_xdg_popup* popup) {
    guardPopup(*popup);
    Popup::create(*this, *popup);
  });
  newXdgSurface_.connect(shell_->events.new_surface, [](wlr_xdg_surface* surface) { guardXdgSurface(*surface); });
}

Desktop::~Desktop() {
  newToplevel_.disconnect();
  newPopup_.disconnect();
  newXdgSurface_.disconnect();
  wlr_scene_node_destroy(&scene_->tree.node);
}

void Desktop::addToplevel(wlr_xdg_toplevel& toplevel) {
  wlr_scene_tree* tree = wlr_scene_xdg_surface_create(windowTree_, toplevel.base);
  if (tree == nullptr) return wl_resource_post_no_memory(toplevel.resource);
  toplevels_.push_back(std::make_unique<Toplevel>(*this, *tree, toplevel));
}

Desktop::Hit Desktop::at(double x, double y) {
  Hit hit;
  wlr_scene_node* node = wlr_scene_node_at(&windowTree_->node, x, y, &hit.x, &hit.y);
  if (node == nullptr) return {};
  if (NodeOwner* owner = NodeOwner::of(node)) hit.toplevel = owner->toplevel();
  if (node->type != WLR_SCENE_NODE_BUFFER) return hit;
  if (wlr_scene_surface* surface = wlr_scene_surface_try_from_buffer(wlr_scene_buffer_from_node(node))) {
    hit.surface = surface->surface;
  }
  return hit;
}

void Desktop::raise(Toplevel& toplevel) {
  wlr_scene_node_raise_to_top(&toplevel.tree()->node);
  for (const auto& other : toplevels_)
    if (other->parent() == &toplevel) raise(*other); // wlroots allows no loop
  changed();
}

void Desktop::focus(Toplevel* toplevel) {
  if (toplevel != nullptr) raise(*toplevel);
  if (focused_ == toplevel) return;
  if (focused_ != nullptr) focused_->setActivated(false);
  focused_ = toplevel;
  if (toplevel != nullptr) {
    std::ranges::stable_partition(toplevels_, [&](const auto& other) { return other.get() != toplevel; });
    toplevel->setActivated(true);
  }
  giveKeyboard();
}

void Desktop::giveKeyboard() {
  // Dismisses the popups of the window that was focused. As long as they grab, wlroots gives the keyboard to nobody else.
  // A drag has a grab, too, and goes on.
  if (seat_.drag == nullptr) wlr_seat_keyboard_end_grab(&seat_);
  if (focused_ == nullptr) {
    wlr_seat_keyboard_notify_clear_focus(&seat_);
  } else if (wlr_keyboard* keyboard = wlr_seat_get_keyboard(&seat_)) {
    const std::vector<uint32_t> held = Keyboard::heldForClients(*keyboard);
    wlr_seat_keyboard_notify_enter(&seat_, &focused_->surface(), held.data(), held.size(), &keyboard->modifiers);
  }
}

void Desktop::changed() const {
  if (onChanged) onChanged();
}

void Desktop::focusNext() {
  const auto next = std::ranges::find_if(toplevels_, [](const auto& toplevel) { return toplevel->isMapped(); });
  if (next != toplevels_.end()) focus(next->get());
}

wlr_box Desktop::outputBoxFor(const Toplevel& toplevel) const {
  wlr_box box{};
  const wlr_box window = toplevel.box();
  wlr_output* output = wlr_output_layout_output_at(&layout_, window.x + window.width / 2, window.y + window.height / 2);
  if (output == nullptr) output = wlr_output_layout_get_center_output(&layout_);
  if (output != nullptr) wlr_output_layout_get_box(&layout_, output, &box);
  return box;
}

void Desktop::place(Toplevel& toplevel) {
  constexpr int step = 24;
  constexpr int steps = 8;
  const Toplevel* parent = toplevel.parent();
  const wlr_box around = parent != nullptr ? parent->box() : outputBoxFor(toplevel);
  const wlr_box window = toplevel.box();
  const auto isOther = [&](const auto& other) { return other.get() != &toplevel && other->isMapped(); };
  if (std::ranges::none_of(toplevels_, isOther)) placed_ = 0;
  const int shift = parent != nullptr ? 0 : step * (placed_++ % steps);
  toplevel.moveTo(around.x + std::max(0, (around.width - window.width) / 2) + shift,
                  around.y + std::max(0, (around.height - window.height) / 2) + shift);
}

void Desktop::outputsChanged(std::span<const OutputMove> moves) {
  if (wlr_output_layout_get_center_output(&layout_) == nullptr)
    return; // all are gone: the next one will be a change, too
  for (const auto& toplevel : toplevels_) {
    if (!toplevel->isMapped()) continue;
    const wlr_box window = toplevel->box();
    const auto move = std::ranges::find_if(moves, [&](const OutputMove& each) {
      return wlr_box_contains_point(&each.before, window.x + window.width / 2.0, window.y + window.height / 2.0);
    });
    if (move != moves.end()) toplevel->shift(move->byX, move->byY);
    if (toplevel->isFree() && !isVisible(toplevel->box())) place(*toplevel);
    toplevel->refill();
  }
  changed();
}

void Desktop::mapped(Toplevel& toplevel) {
  if (toplevel.isFree()) place(toplevel);
  focus(&toplevel);
}

void Desktop::unmapped(Toplevel& toplevel) {
  changed();
  if (focused_ != &toplevel) return;
  focused_ = nullptr;
  const auto next =
      std::ranges::find_if(toplevels_.rbegin(), toplevels_.rend(), [](const auto& other) { return other->isMapped(); });
  if (next != toplevels_.rend()) {
    focus(next->get());
  } else {
    giveKeyboard();
  }
}

void Desktop::destroyed(Toplevel& toplevel) {
  if (focused_ == &toplevel) focused_ = nullptr;
  if (onGone) onGone(toplevel);
  std::erase_if(toplevels_, [&](const auto& other) { return other.get() == &toplevel; });
}

} // namespace vitrine
