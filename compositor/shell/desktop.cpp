#include "compositor/shell/desktop.h"

#include <algorithm>

#include "compositor/input/keyboard.h"
#include "compositor/shell/popup.h"
#include "compositor/shell/request_guard.h"
#include "compositor/shell/xdg_toplevel.h"

namespace vitrine {
namespace {

/** The window at the root of a chain of dialogs; a window that is no dialog is its own root. */
Toplevel& familyOf(Toplevel& toplevel) {
  Toplevel* root = &toplevel;
  while (root->parent() != nullptr) // wlroots allows no loop
    root = root->parent();
  return *root;
}

/** The surface at the root of a chain of mapped popups; a surface that is no popup is its own root. */
const wlr_surface* underItsPopups(wlr_surface* surface) {
  while (surface != nullptr && surface->mapped) {
    const wlr_xdg_popup* popup = wlr_xdg_popup_try_from_wlr_surface(surface);
    if (popup == nullptr) break;
    surface = popup->parent;
  }
  return surface;
}

} // namespace

Desktop::Desktop(wl_display& display, wlr_output_layout& layout, wlr_seat& seat, Kind kind)
    : layout_(layout), seat_(seat), kind_(kind), scene_(wlr_scene_create()), layers_(scene_->tree),
      shell_(wlr_xdg_shell_create(&display, 6)), foreignToplevels_(display),
      layerShell_(display, layers_, layout, layerHandlers()), lock_(display, layers_, layout, lockHandlers()) {
  wl_signal_init(&events.changed);
  wl_signal_init(&events.committed);
  wl_signal_init(&events.locked);
  pointerGrab_.connect(seat_.events.pointer_grab_begin, [this](wlr_seat_pointer_grab*) {
    if (isLocked()) wlr_seat_pointer_end_grab(&seat_); // a popup of the session must not take the lock screen's input
  });
  keyboardGrab_.connect(seat_.events.keyboard_grab_begin, [this](wlr_seat_keyboard_grab*) {
    if (isLocked()) wlr_seat_keyboard_end_grab(&seat_);
  });
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
  wlr_scene_tree* tree = wlr_scene_xdg_surface_create(layers_.windows, toplevel.base);
  if (tree == nullptr) return wl_resource_post_no_memory(toplevel.resource);
  add(std::make_unique<XdgToplevel>(*this, *tree, toplevel));
}

Desktop::Hit Desktop::at(double x, double y) {
  Hit hit{.output = wlr_output_layout_output_at(&layout_, x, y)};
  wlr_scene_node* node = nullptr;
  for (wlr_scene_tree* tree : layers_.pointable()) {
    node = wlr_scene_node_at(&tree->node, x, y, &hit.x, &hit.y);
    if (node != nullptr) break;
  }
  if (node == nullptr) return hit;
  if (NodeOwner* owner = NodeOwner::of(node)) {
    hit.toplevel = owner->toplevel();
    hit.layer = owner->layerSurface();
  }
  if (node->type != WLR_SCENE_NODE_BUFFER) return hit;
  if (wlr_scene_surface* surface = wlr_scene_surface_try_from_buffer(wlr_scene_buffer_from_node(node))) {
    hit.surface = surface->surface;
  }
  return hit;
}

void Desktop::raise(Toplevel& toplevel) {
  wlr_scene_node_raise_to_top(&toplevel.tree()->node);
  toplevel.onRaised();
  for (const auto& other : toplevels_)
    if (other->parent() == &toplevel) raise(*other); // wlroots allows no loop
  changed();
}

void Desktop::restack() {
  std::vector<wlr_output*> seen;
  for (auto toplevel = toplevels_.rbegin(); toplevel != toplevels_.rend(); ++toplevel) {
    if (!(*toplevel)->isMapped() || (*toplevel)->isMinimized()) continue;
    wlr_output* output = outputFor(**toplevel);
    if (output == nullptr || std::ranges::contains(seen, output)) continue;
    seen.push_back(output);
    restack(**toplevel, *output);
  }
  changed();
}

/** `top`: the window of the output that was focused last. Dialogs come after the windows that they belong to. */
void Desktop::restack(Toplevel& top, wlr_output& output) {
  Toplevel& family = familyOf(top);
  for (const bool dialogs : {false, true}) {
    for (const auto& other : toplevels_) {
      if (other->tree() == nullptr || outputFor(*other) != &output || (other->parent() != nullptr) != dialogs) continue;
      const bool isFamily = &familyOf(*other) == &family;
      wlr_scene_tree* tree = isFamily && family.wantsFullscreen() ? layers_.fullscreen : layers_.windows;
      if (other->tree()->node.parent == tree) continue;
      wlr_scene_node_reparent(&other->tree()->node, tree);
      // A window of the other layer is above or below it in any case.
      if (!isFamily && top.tree()->node.parent == tree)
        wlr_scene_node_place_below(&other->tree()->node, &top.tree()->node);
    }
  }
}

void Desktop::click(const Hit& hit) {
  clicked_ = hit.output;
  if (isLocked()) {
    giveKeyboard();
  } else if (hit.layer != nullptr) {
    if (!hit.layer->takesKeyboard()) return;
    focusedLayer_ = hit.layer;
    giveKeyboard();
  } else {
    focus(hit.toplevel);
  }
}

void Desktop::focus(Toplevel* toplevel) {
  if (toplevel != nullptr) toplevel->setMinimized(false);
  if (toplevel != nullptr) raise(*toplevel);
  const bool layerHadIt = std::exchange(focusedLayer_, nullptr) != nullptr;
  if (focused_ == toplevel) {
    if (layerHadIt) giveKeyboard();
    return restack();
  }
  if (focused_ != nullptr) focused_->setActivated(false);
  focused_ = toplevel;
  keyboardPopup_ = nullptr;
  if (toplevel != nullptr) {
    std::ranges::stable_partition(toplevels_, [&](const auto& other) { return other.get() != toplevel; });
    toplevel->setActivated(true);
  }
  giveKeyboard();
  restack();
}

/** Who has the keyboard: the lock screen, a layer surface that wants it alone or was clicked, a popup, or else the focused window. */
wlr_surface* Desktop::keyboardTarget() const {
  if (isLocked()) return lock_.surfaceToFocus();
  if (const LayerSurface* layer = layerShell_.exclusive()) return &layer->surface();
  if (focusedLayer_ != nullptr) return &focusedLayer_->surface();
  if (keyboardPopup_ != nullptr) return keyboardPopup_;
  return focused_ != nullptr ? &focused_->surface() : nullptr;
}

void Desktop::giveKeyboard() {
  wlr_surface* target = keyboardTarget();
  if (target == underItsPopups(seat_.keyboard_state.focused_surface)) return; // a popup of it that grabs keeps it
  // Dismisses the popups of the window that was focused. As long as they grab, wlroots gives the keyboard to nobody else.
  // A drag has a grab, too, and goes on.
  if (seat_.drag == nullptr) wlr_seat_keyboard_end_grab(&seat_);
  if (target == nullptr) {
    wlr_seat_keyboard_notify_clear_focus(&seat_);
  } else if (wlr_keyboard* keyboard = wlr_seat_get_keyboard(&seat_)) {
    const std::vector<uint32_t> held = Keyboard::heldForClients(*keyboard);
    wlr_seat_keyboard_notify_enter(&seat_, target, held.data(), held.size(), &keyboard->modifiers);
  }
}

void Desktop::setKeyboardPopup(wlr_surface& surface) {
  keyboardPopup_ = &surface;
  giveKeyboard();
}

void Desktop::dropKeyboardPopup(const wlr_surface& surface) {
  if (keyboardPopup_ != &surface) return;
  keyboardPopup_ = nullptr;
  giveKeyboard();
}

void Desktop::changed() {
  wl_signal_emit_mutable(&events.changed, nullptr);
}

void Desktop::setMinimized(Toplevel& toplevel, bool minimized) {
  if (!minimized) return focus(&toplevel);
  if (isKiosk()) return;
  toplevel.setMinimized(true);
  if (focused_ == &toplevel) focus(lastFocused());
  restack();
}

Toplevel* Desktop::find(const wlr_surface& surface) {
  NodeOwner* owner = NodeOwner::of(surface);
  Toplevel* toplevel = owner != nullptr ? owner->toplevel() : nullptr;
  return toplevel != nullptr && &toplevel->surface() == &surface ? toplevel : nullptr;
}

void Desktop::parentChanged(Toplevel& toplevel) {
  if (ForeignToplevel* foreign = toplevel.foreign())
    foreign->setParent(toplevel.parent() != nullptr ? toplevel.parent()->foreign() : nullptr);
}

/** The visible window that had the keyboard last; or null. */
Toplevel* Desktop::lastFocused() const {
  const auto found = std::ranges::find_if(toplevels_.rbegin(), toplevels_.rend(),
                                          [](const auto& other) { return other->isMapped() && !other->isMinimized(); });
  return found != toplevels_.rend() ? found->get() : nullptr;
}

void Desktop::focusNext() {
  const auto next = std::ranges::find_if(toplevels_, [](const auto& toplevel) { return toplevel->isMapped(); });
  if (next != toplevels_.end()) focus(next->get());
}

void Desktop::focusPrevious() {
  if (toplevels_.empty()) return;
  if (toplevels_.back().get() == focused_) std::ranges::rotate(toplevels_, std::prev(toplevels_.end()));
  const auto last = std::ranges::find_if(toplevels_.rbegin(), toplevels_.rend(),
                                         [](const auto& toplevel) { return toplevel->isMapped(); });
  if (last != toplevels_.rend()) focus(last->get());
}

wlr_output* Desktop::outputFor(const Toplevel& toplevel) const {
  const wlr_box window = toplevel.box();
  wlr_output* output = wlr_output_layout_output_at(&layout_, window.x + window.width / 2, window.y + window.height / 2);
  return output != nullptr ? output : wlr_output_layout_get_center_output(&layout_);
}

wlr_output* Desktop::outputForNew() const {
  if (focused_ != nullptr) return outputFor(*focused_);
  const wlr_output_layout_output* leftmost = nullptr;
  const wlr_output_layout_output* each = nullptr;
  wl_list_for_each(each, &layout_.outputs, link) {
    if (each->output == clicked_) return each->output;
    if (leftmost == nullptr || std::pair(each->x, each->y) < std::pair(leftmost->x, leftmost->y)) leftmost = each;
  }
  return leftmost != nullptr ? leftmost->output : nullptr;
}

const char* Desktop::outputNameFor(const Toplevel& toplevel) const {
  const wlr_output* output = outputFor(toplevel);
  return output != nullptr ? output->name : nullptr;
}

wlr_box Desktop::usableBoxFor(const Toplevel& toplevel) const {
  wlr_output* output = outputFor(toplevel);
  return output != nullptr ? layerShell_.usableArea(*output) : wlr_box{};
}

LayerShell::Handlers Desktop::layerHandlers() {
  const auto gone = [this](LayerSurface& layer) {
    if (focusedLayer_ == &layer) focusedLayer_ = nullptr;
  };
  const auto usableAreaChanged = [this] {
    for (const auto& toplevel : toplevels_)
      toplevel->refill();
  };
  return {.outputForNew = [this] { return outputForNew(); },
          .newPopup = [this](wlr_xdg_popup& popup) { Popup::create(*this, popup); },
          .mapped = [this](LayerSurface& layer) { onLayerMapped(layer); },
          .keyboardChanged = [this](LayerSurface& layer) { onLayerKeyboard(layer); },
          .gone = gone,
          .usableAreaChanged = usableAreaChanged};
}

/** One that takes the keyboard gets it when it appears above the windows: a menu, say, that its user has just asked for. */
void Desktop::onLayerMapped(LayerSurface& layer) {
  if (layer.takesKeyboard() && layer.isAboveWindows()) {
    focusedLayer_ = &layer;
    giveKeyboard();
  }
  onLayerKeyboard(layer);
}

void Desktop::onLayerKeyboard(LayerSurface& layer) {
  const bool hadIt = seat_.keyboard_state.focused_surface == &layer.surface();
  if (focusedLayer_ == &layer && !(layer.isMapped() && layer.takesKeyboard())) focusedLayer_ = nullptr;
  if (hadIt || (layer.isMapped() && layer.wantsKeyboardAlone())) giveKeyboard();
  changed();
}

SessionLock::Handlers Desktop::lockHandlers() {
  const auto update = [this] {
    giveKeyboard();
    changed();
  };
  return {.locked = [this] { onLocked(); }, .unlocked = update, .surfacesChanged = update};
}

/** Nothing of the session gets input any more: grabs, drags and a held button's implicit grab end. */
void Desktop::onLocked() {
  wlr_seat_pointer_end_grab(&seat_);
  wlr_seat_touch_end_grab(&seat_);
  wl_signal_emit_mutable(&events.locked, nullptr);
  wlr_seat_pointer_clear_focus(&seat_);
  giveKeyboard();
  changed();
}

wlr_box Desktop::outputBoxFor(const Toplevel& toplevel) const {
  wlr_box box{};
  wlr_output* output = outputFor(toplevel);
  if (output != nullptr) wlr_output_layout_get_box(&layout_, output, &box);
  return box;
}

void Desktop::place(Toplevel& toplevel) {
  constexpr int step = 24;
  constexpr int steps = 8;
  const Toplevel* parent = toplevel.parent();
  const wlr_box around = parent != nullptr ? parent->box() : usableBoxFor(toplevel);
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
  if (toplevel.isFree() && !toplevel.hasPlace()) place(toplevel);
  toplevel.showToPanels(foreignToplevels_);
  parentChanged(toplevel);
  if (toplevel.takesKeyboard()) {
    focus(&toplevel);
  } else {
    raise(toplevel);
    restack();
  }
}

void Desktop::unmapped(Toplevel& toplevel) {
  restack();
  if (focused_ != &toplevel) return;
  focused_ = nullptr;
  if (Toplevel* next = lastFocused()) {
    focus(next);
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
