#include "compositor/shell/toplevel.h"

#include <algorithm>

#include "compositor/shell/desktop.h"

namespace vitrine {

Toplevel::Toplevel(Desktop& desktop, wlr_scene_tree& tree, wlr_xdg_toplevel& toplevel)
    : NodeOwner(tree, *toplevel.base->surface), desktop_(desktop), toplevel_(toplevel) {
  wlr_surface& surface = *toplevel_.base->surface;
  map_.connect(surface.events.map, [this](void*) {
    mapped_ = true;
    desktop_.mapped(*this);
  });
  unmap_.connect(surface.events.unmap, [this](void*) {
    mapped_ = false;
    minimized_ = false; // the scene shows the tree with its next mapping
    foreign_.reset();
    anchor_.reset(); // no configure may go to a window that is hidden
    desktop_.unmapped(*this);
  });
  commit_.connect(surface.events.commit, [this](wlr_surface*) { onCommit(); });
  destroy_.connect(toplevel_.events.destroy, [this](void*) { desktop_.destroyed(*this); });
  requestMove_.connect(toplevel_.events.request_move, [this](wlr_xdg_toplevel_move_event* event) {
    if (desktop_.onGrabRequest) desktop_.onGrabRequest(*this, event->serial, WLR_EDGE_NONE);
  });
  requestResize_.connect(toplevel_.events.request_resize, [this](wlr_xdg_toplevel_resize_event* event) {
    if (desktop_.onGrabRequest) desktop_.onGrabRequest(*this, event->serial, event->edges);
  });
  requestMaximize_.connect(toplevel_.events.request_maximize,
                           [this](void*) { setMaximized(toplevel_.requested.maximized); });
  requestFullscreen_.connect(toplevel_.events.request_fullscreen, [this](void*) {
    setFullscreen(toplevel_.requested.fullscreen, toplevel_.requested.fullscreen_output);
  });
  requestMinimize_.connect(toplevel_.events.request_minimize, [this](void*) {
    if (mapped_) desktop_.setMinimized(*this, toplevel_.requested.minimized);
  });
  setParent_.connect(toplevel_.events.set_parent, [this](void*) {
    if (mapped_ && toplevel_.parent != nullptr) desktop_.raise(*this);
    desktop_.parentChanged(*this);
  });
}

Toplevel* Toplevel::parent() const {
  if (toplevel_.parent == nullptr) return nullptr;
  NodeOwner* owner = NodeOwner::of(*toplevel_.parent->base->surface);
  return owner != nullptr ? owner->toplevel() : nullptr;
}

void Toplevel::configureInitially() {
  // It may have been shown before, and unmapped: nothing of that is left.
  stand_ = Stand::Free;
  anchor_.reset();
  hideBackdrop();
  wlr_xdg_toplevel_set_resizing(&toplevel_, false);
  wlr_xdg_toplevel_set_maximized(&toplevel_, false);
  wlr_xdg_toplevel_set_fullscreen(&toplevel_, false);
  setSnapped(WLR_EDGE_NONE);
  wlr_xdg_toplevel_set_wm_capabilities(&toplevel_, WLR_XDG_TOPLEVEL_WM_CAPABILITIES_MAXIMIZE |
                                                       WLR_XDG_TOPLEVEL_WM_CAPABILITIES_FULLSCREEN |
                                                       WLR_XDG_TOPLEVEL_WM_CAPABILITIES_MINIMIZE);
  if (wlr_output* output = desktop_.outputForNew()) putOn(*output);
  if (toplevel_.requested.fullscreen) {
    setFullscreen(true, toplevel_.requested.fullscreen_output);
  } else if (toplevel_.requested.maximized) {
    setMaximized(true);
  } else {
    wlr_xdg_toplevel_set_size(&toplevel_, 0, 0); // its own choice
  }
}

void Toplevel::onCommit() {
  if (nextIcon_) icon_ = *std::exchange(nextIcon_, std::nullopt);
  if (toplevel_.base->initial_commit) {
    configureInitially();
    return;
  }
  if (!mapped_) return;
  if (stand_ == Stand::Filling && hasCommitted(standsFrom_)) standInTheMiddle();
  if (stand_ == Stand::Returning && hasCommitted(standsFrom_)) {
    stand_ = Stand::Free;
    hideBackdrop();
    if (restored_.width > 0 && desktop_.isVisible(restored_)) {
      moveTo(restored_.x, restored_.y);
    } else {
      desktop_.place(*this);
    }
  }
  if (anchor_) followAnchor();
  wl_signal_emit_mutable(&desktop_.events.committed, nullptr);
  const wlr_box now = geometry();
  if (!wlr_box_equal(&now, &committed_)) desktop_.changed();
  committed_ = now;
}

bool Toplevel::hasCommitted(uint32_t serial) const {
  return static_cast<int32_t>(toplevel_.base->current.configure_serial - serial) >= 0; // serials wrap around
}

/** A client may be smaller than what it was told: it stands in the middle of what it fills. */
void Toplevel::standInTheMiddle() {
  const wlr_box output = boxToFill();
  const wlr_box window = box();
  moveTo(output.x + (output.width - window.width) / 2, output.y + (output.height - window.height) / 2);
  if (toplevel_.current.fullscreen) {
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

wlr_box Toplevel::geometry() const {
  wlr_box geometry{};
  wlr_xdg_surface_get_geometry(toplevel_.base, &geometry);
  return geometry;
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
  desktop_.changed();
}

void Toplevel::shift(int byX, int byY) {
  restored_.x += byX;
  restored_.y += byY;
  moveTo(tree()->node.x + byX, tree()->node.y + byY);
}

void Toplevel::refill() {
  if (stand_ != Stand::Filling || !toplevel_.base->initialized) return;
  fill();
  if (mapped_) standInTheMiddle(); // the client may have the size already, and nothing to commit
}

void Toplevel::beginResize(uint32_t edges) {
  const wlr_box window = box();
  anchor_ = {edges, window.x + window.width, window.y + window.height, std::nullopt};
  wlr_xdg_toplevel_set_resizing(&toplevel_, true);
}

void Toplevel::resizeTo(int width, int height) {
  const auto within = [](int extent, int least, int most) {
    return std::max({std::min(extent, most > 0 ? most : extent), least, 1});
  };
  const wlr_xdg_toplevel_state& limits = toplevel_.current;
  wlr_xdg_toplevel_set_size(&toplevel_, within(width, limits.min_width, limits.max_width),
                            within(height, limits.min_height, limits.max_height));
}

void Toplevel::endResize() {
  if (anchor_) anchor_->until = wlr_xdg_toplevel_set_resizing(&toplevel_, false);
}

void Toplevel::followAnchor() {
  const wlr_box window = box();
  moveTo((anchor_->edges & WLR_EDGE_LEFT) != 0 ? anchor_->right - window.width : window.x,
         (anchor_->edges & WLR_EDGE_TOP) != 0 ? anchor_->bottom - window.height : window.y);
  if (anchor_->until && hasCommitted(*anchor_->until)) anchor_.reset();
}

/** `output`: another one to fill than that where it is; or null. */
void Toplevel::fill(wlr_output* output) {
  if (stand_ == Stand::Free) restored_ = mapped_ ? box() : wlr_box{};
  if (output != nullptr && output != desktop_.outputFor(*this)) putOn(*output);
  stand_ = Stand::Filling;
  anchor_.reset();
  const wlr_box area = boxToFill();
  standsFrom_ = wlr_xdg_toplevel_set_size(&toplevel_, area.width, area.height);
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
  wlr_xdg_toplevel_set_activated(&toplevel_, activated);
  tellPanels();
}

void Toplevel::setMinimized(bool minimized) {
  if (minimized_ == minimized) return;
  minimized_ = minimized;
  wlr_scene_node_set_enabled(&tree()->node, !minimized);
  if (toplevel_.base->initialized) wlr_xdg_toplevel_set_suspended(&toplevel_, minimized);
  tellPanels();
}

void Toplevel::showToPanels(const ForeignToplevelManagers& managers) {
  foreign_ = std::make_unique<ForeignToplevel>(managers, desktop_, *this);
}

void Toplevel::tellPanels() {
  if (foreign_) foreign_->updateStates();
}

void Toplevel::restore() {
  if (stand_ != Stand::Filling) return;
  stand_ = Stand::Returning;
  standsFrom_ = wlr_xdg_toplevel_set_size(&toplevel_, restored_.width, restored_.height); // 0: its own choice
}

void Toplevel::setMaximized(bool maximized) {
  if (!toplevel_.base->initialized) return;
  setSnapped(WLR_EDGE_NONE);
  wlr_xdg_toplevel_set_maximized(&toplevel_, maximized);
  tellPanels();
  if (maximized) {
    fill();
    if (isMinimized()) desktop_.focus(this); // who asks for a size wants to see it
  } else if (!toplevel_.scheduled.fullscreen) {
    restore();
  }
}

void Toplevel::snap(uint32_t edge) {
  if (!toplevel_.base->initialized) return;
  wlr_xdg_toplevel_set_maximized(&toplevel_, false);
  wlr_xdg_toplevel_set_fullscreen(&toplevel_, false);
  setSnapped(edge);
  tellPanels();
  if (edge != WLR_EDGE_NONE) {
    fill();
  } else {
    restore();
  }
  desktop_.restack();
}

/** The edges that touch another window or the output's border have no shadow and no corner. */
void Toplevel::setSnapped(uint32_t edge) {
  constexpr uint32_t all = WLR_EDGE_LEFT | WLR_EDGE_RIGHT | WLR_EDGE_TOP | WLR_EDGE_BOTTOM;
  snapped_ = edge;
  if (wl_resource_get_version(toplevel_.resource) >= XDG_TOPLEVEL_STATE_TILED_LEFT_SINCE_VERSION)
    wlr_xdg_toplevel_set_tiled(&toplevel_, edge != WLR_EDGE_NONE ? all : 0U);
}

bool Toplevel::isFilling() const {
  return toplevel_.scheduled.fullscreen || toplevel_.scheduled.maximized || snapped_ != WLR_EDGE_NONE;
}

void Toplevel::setFullscreen(bool fullscreen, wlr_output* output) {
  if (!toplevel_.base->initialized) return;
  wlr_xdg_toplevel_set_fullscreen(&toplevel_, fullscreen);
  tellPanels();
  if (isFilling()) {
    fill(fullscreen ? output : nullptr);
  } else {
    restore();
  }
  if (fullscreen && mapped_) desktop_.focus(this);
  desktop_.restack();
}

} // namespace vitrine
