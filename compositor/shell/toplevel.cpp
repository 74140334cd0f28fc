#include "compositor/shell/toplevel.h"

#include <algorithm>

#include "compositor/shell/desktop.h"

namespace vitrine {

Toplevel::Toplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_surface& surface)
    : NodeOwner(tree, surface), desktop_(desktop), surface_(surface) {}

bool Toplevel::mustFill() const {
  return desktop_.isKiosk() && parent() == nullptr;
}

void Toplevel::reset() {
  placement_ = Placement::Free;
  anchor_.reset();
  hideBackdrop();
  states_ = {};
  snapped_ = WLR_EDGE_NONE;
}

void Toplevel::setMapped(bool mapped) {
  mapped_ = mapped;
  if (mapped) return desktop_.mapped(*this);
  states_.minimized = false; // the scene shows the tree with its next mapping
  foreign_.reset();
  anchor_.reset(); // no configure may go to a window that is hidden
  desktop_.unmapped(*this);
}

void Toplevel::grabRequested(uint32_t serial, uint32_t edges) {
  if (desktop_.onGrabRequest) desktop_.onGrabRequest(*this, serial, edges);
}

void Toplevel::onCommit() {
  if (nextIcon_) icon_ = *std::exchange(nextIcon_, std::nullopt);
}

void Toplevel::onContentCommit() {
  settle();
  if (anchor_) followAnchor();
  wl_signal_emit_mutable(&desktop_.events.committed, nullptr);
  const wlr_box now = geometry();
  if (!wlr_box_equal(&now, &committed_)) desktop_.changed();
  committed_ = now;
}

/** Places it, once the client has drawn it as it was told. */
void Toplevel::settle() {
  if (placement_ == Placement::Filling && hasDrawn(placedWith_)) moveToTheMiddle();
  if (placement_ == Placement::Returning && hasDrawn(placedWith_)) {
    placement_ = Placement::Free;
    hideBackdrop();
    if (restored_.width > 0 && desktop_.isVisible(restored_)) {
      moveTo(restored_.x, restored_.y);
    } else {
      desktop_.place(*this);
    }
  }
}

/** A client may be smaller than what it was told: it is in the middle of what it fills. */
void Toplevel::moveToTheMiddle() {
  const wlr_box output = boxToFill();
  const wlr_box window = box();
  moveTo(output.x + (output.width - window.width) / 2, output.y + (output.height - window.height) / 2);
  if (isFullscreen()) {
    showBackdrop(output);
  } else {
    hideBackdrop();
  }
}

/** At the output's origin: so its middle, which tells which output it is on, is there now and will be with that output's size. */
void Toplevel::putOn(wlr_output& output) {
  wlr_box area{};
  wlr_output_layout_get_box(&desktop_.layout(), &output, &area);
  moveTo(area.x, area.y);
}

void Toplevel::showBackdrop(const wlr_box& output) {
  if (backdrop_ == nullptr) {
    constexpr float black[4] = {0, 0, 0, 1};
    backdrop_ = wlr_scene_rect_create(tree(), output.width, output.height, black);
    wlr_scene_node_lower_to_bottom(&backdrop_->node);
  }
  wlr_scene_rect_set_size(backdrop_, output.width, output.height);
  wlr_scene_node_set_position(&backdrop_->node, output.x - tree()->node.x, output.y - tree()->node.y);
}

void Toplevel::hideBackdrop() {
  if (backdrop_ != nullptr) wlr_scene_node_destroy(&backdrop_->node);
  backdrop_ = nullptr;
}

wlr_box Toplevel::box() const {
  const wlr_box shown = geometry();
  return {tree()->node.x, tree()->node.y, shown.width, shown.height}; // the tree begins where the geometry does
}

std::optional<wlr_box> Toplevel::popupArea() const {
  // In coordinates of the surface, whose origin is not the window's where it has a shadow.
  const wlr_box window = box();
  const wlr_box shown = geometry();
  wlr_box area = desktop_.outputBoxFor(*this);
  area.x -= window.x - shown.x;
  area.y -= window.y - shown.y;
  return area;
}

void Toplevel::moveTo(int x, int y) {
  if (tree()->node.x == x && tree()->node.y == y) return;
  wlr_scene_node_set_position(&tree()->node, x, y);
  onMoved();
  desktop_.changed();
}

void Toplevel::shift(int byX, int byY) {
  restored_.x += byX;
  restored_.y += byY;
  moveTo(tree()->node.x + byX, tree()->node.y + byY);
}

void Toplevel::refill() {
  if (placement_ != Placement::Filling || !isConfigurable()) return;
  fill();
  if (mapped_) moveToTheMiddle(); // the client may have the size already, and nothing to commit
}

void Toplevel::beginResize(uint32_t edges) {
  const wlr_box window = box();
  anchor_ = {edges, window.x + window.width, window.y + window.height, std::nullopt};
  tellResizing(true);
}

void Toplevel::resizeTo(int width, int height) {
  const auto within = [](int extent, int least, int most) {
    return std::max({std::min(extent, most > 0 ? most : extent), least, 1});
  };
  const Limits allowed = limits();
  tellSize(within(width, allowed.minWidth, allowed.maxWidth), within(height, allowed.minHeight, allowed.maxHeight));
}

void Toplevel::endResize() {
  if (anchor_) anchor_->until = tellResizing(false);
}

void Toplevel::followAnchor() {
  const wlr_box window = box();
  moveTo((anchor_->edges & WLR_EDGE_LEFT) != 0 ? anchor_->right - window.width : window.x,
         (anchor_->edges & WLR_EDGE_TOP) != 0 ? anchor_->bottom - window.height : window.y);
  if (anchor_->until && hasDrawn(*anchor_->until)) anchor_.reset();
}

/** `output`: another one to fill than that where it is; or null. */
void Toplevel::fill(wlr_output* output) {
  if (placement_ == Placement::Free) restored_ = mapped_ ? box() : wlr_box{};
  if (output != nullptr && output != desktop_.outputFor(*this)) putOn(*output);
  placement_ = Placement::Filling;
  anchor_.reset();
  const wlr_box area = boxToFill();
  placedWith_ = tellSize(area.width, area.height);
  if (mapped_) settle();
}

/** A fullscreen window covers panels, a maximised one does not. */
wlr_box Toplevel::boxToFill() const {
  if (wantsFullscreen()) return desktop_.outputBoxFor(*this);
  wlr_box box = desktop_.usableBoxFor(*this);
  const bool halvesWidth = (snapped_ & (WLR_EDGE_LEFT | WLR_EDGE_RIGHT)) != 0;
  const bool halvesHeight = (snapped_ & (WLR_EDGE_TOP | WLR_EDGE_BOTTOM)) != 0;
  const wlr_box half{box.x, box.y, halvesWidth ? box.width / 2 : box.width, halvesHeight ? box.height / 2 : box.height};
  if (snapped_ == WLR_EDGE_RIGHT) box.x += half.width;
  if (snapped_ == WLR_EDGE_BOTTOM) box.y += half.height;
  // The right and the lower half have the odd pixel.
  box.width = snapped_ == WLR_EDGE_RIGHT ? box.width - half.width : half.width;
  box.height = snapped_ == WLR_EDGE_BOTTOM ? box.height - half.height : half.height;
  return box;
}

void Toplevel::setActivated(bool activated) {
  states_.activated = activated;
  statesChanged();
}

void Toplevel::setMinimized(bool minimized) {
  if (states_.minimized == minimized) return;
  states_.minimized = minimized;
  wlr_scene_node_set_enabled(&tree()->node, !minimized);
  statesChanged();
}

void Toplevel::showToPanels(const ForeignToplevelManagers& managers) {
  foreign_ = std::make_unique<ForeignToplevel>(managers, desktop_, *this);
}

void Toplevel::statesChanged() {
  if (isConfigurable()) tellStates();
  if (foreign_) foreign_->updateStates();
}

void Toplevel::namesChanged() {
  if (foreign_) foreign_->updateNames();
}

void Toplevel::restore() {
  if (placement_ != Placement::Filling) return;
  placement_ = Placement::Returning;
  placedWith_ = tellSize(restored_.width, restored_.height); // 0: its own choice
  if (mapped_) settle();
}

bool Toplevel::isFilling() const {
  return states_.fullscreen || states_.maximized || snapped_ != WLR_EDGE_NONE;
}

void Toplevel::setMaximized(bool maximized) {
  if (!isConfigurable()) return;
  snapped_ = WLR_EDGE_NONE;
  states_.tiled = false;
  states_.maximized = maximized;
  statesChanged();
  if (maximized) {
    fill();
    if (isMinimized()) desktop_.focus(this); // who asks for a size wants to see it
  } else if (!states_.fullscreen) {
    restore();
  }
}

void Toplevel::snap(uint32_t edge) {
  if (!isConfigurable() || mustFill()) return;
  snapped_ = edge;
  states_.maximized = false;
  states_.fullscreen = false;
  states_.tiled = edge != WLR_EDGE_NONE;
  statesChanged();
  if (edge != WLR_EDGE_NONE) {
    fill();
  } else {
    restore();
  }
  desktop_.restack();
}

void Toplevel::setFullscreen(bool fullscreen, wlr_output* output) {
  if (!isConfigurable()) return;
  states_.fullscreen = fullscreen || mustFill();
  statesChanged();
  if (isFilling()) {
    fill(fullscreen ? output : nullptr);
  } else {
    restore();
  }
  if (fullscreen && mapped_) desktop_.focus(this);
  desktop_.restack();
}

} // namespace vitrine
