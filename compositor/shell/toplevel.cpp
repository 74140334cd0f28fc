#include "compositor/shell/toplevel.h"

#include "compositor/shell/desktop.h"

namespace vitrine {

Toplevel::Toplevel(Desktop& desktop, wlr_scene_tree& parent, wlr_xdg_toplevel& toplevel)
    : desktop_(desktop), toplevel_(toplevel), tree_(wlr_scene_xdg_surface_create(&parent, toplevel.base)) {
  tree_->node.data = this;
  toplevel_.base->data = tree_; // popups find their parent's tree here
  wlr_surface& surface = *toplevel_.base->surface;
  map_.connect(surface.events.map, [this](void*) {
    mapped_ = true;
    desktop_.mapped(*this);
  });
  unmap_.connect(surface.events.unmap, [this](void*) {
    mapped_ = false;
    desktop_.unmapped(*this);
  });
  commit_.connect(surface.events.commit, [this](wlr_surface*) { onCommit(); });
  destroy_.connect(toplevel_.events.destroy, [this](void*) { desktop_.destroyed(*this); });
  requestMove_.connect(toplevel_.events.request_move, [this](void*) {
    if (desktop_.onGrabRequest) desktop_.onGrabRequest(*this, WLR_EDGE_NONE);
  });
  requestResize_.connect(toplevel_.events.request_resize, [this](wlr_xdg_toplevel_resize_event* event) {
    if (desktop_.onGrabRequest) desktop_.onGrabRequest(*this, event->edges);
  });
  requestMaximize_.connect(toplevel_.events.request_maximize,
                           [this](void*) { setMaximized(toplevel_.requested.maximized); });
  requestFullscreen_.connect(toplevel_.events.request_fullscreen,
                             [this](void*) { setFullscreen(toplevel_.requested.fullscreen); });
}

Toplevel::~Toplevel() = default; // the scene tree goes with its xdg_surface

void Toplevel::onCommit() {
  if (toplevel_.base->initial_commit) {
    wlr_xdg_toplevel_set_wm_capabilities(&toplevel_, WLR_XDG_TOPLEVEL_WM_CAPABILITIES_MAXIMIZE |
                                                         WLR_XDG_TOPLEVEL_WM_CAPABILITIES_FULLSCREEN);
    if (toplevel_.requested.fullscreen) {
      setFullscreen(true);
    } else if (toplevel_.requested.maximized) {
      setMaximized(true);
    } else {
      wlr_xdg_toplevel_set_size(&toplevel_, 0, 0); // its own choice
    }
    return;
  }
  if (!mapped_ || !filling_) return;
  // A client may be smaller than what it was told: it stands in the middle of what it fills.
  const wlr_box output = desktop_.outputBoxFor(*this);
  wlr_box geometry{};
  wlr_xdg_surface_get_geometry(toplevel_.base, &geometry);
  wlr_scene_node_set_position(&tree_->node, output.x + (output.width - geometry.width) / 2 - geometry.x,
                              output.y + (output.height - geometry.height) / 2 - geometry.y);
  if (backdrop_ != nullptr) {
    wlr_scene_rect_set_size(backdrop_, output.width, output.height);
    wlr_scene_node_set_position(&backdrop_->node, output.x - tree_->node.x, output.y - tree_->node.y);
  }
}

wlr_box Toplevel::box() const {
  wlr_box geometry{};
  wlr_xdg_surface_get_geometry(toplevel_.base, &geometry);
  return {tree_->node.x + geometry.x, tree_->node.y + geometry.y, geometry.width, geometry.height};
}

void Toplevel::moveTo(int x, int y) {
  wlr_box geometry{};
  wlr_xdg_surface_get_geometry(toplevel_.base, &geometry);
  wlr_scene_node_set_position(&tree_->node, x - geometry.x, y - geometry.y);
}

void Toplevel::resizeTo(const wlr_box& box) {
  moveTo(box.x, box.y);
  wlr_xdg_toplevel_set_size(&toplevel_, box.width, box.height);
}

void Toplevel::fill(bool whole) {
  if (!filling_) restored_ = box();
  filling_ = true;
  const wlr_box output = desktop_.outputBoxFor(*this);
  if (whole && backdrop_ == nullptr) {
    constexpr float black[4] = {0, 0, 0, 1};
    backdrop_ = wlr_scene_rect_create(tree_, output.width, output.height, black);
    wlr_scene_node_lower_to_bottom(&backdrop_->node);
  }
  wlr_xdg_toplevel_set_size(&toplevel_, output.width, output.height);
  if (mapped_) moveTo(output.x, output.y);
}

void Toplevel::restore() {
  filling_ = false;
  if (backdrop_ != nullptr) wlr_scene_node_destroy(&backdrop_->node);
  backdrop_ = nullptr;
  if (restored_.width > 0) {
    resizeTo(restored_);
  } else {
    wlr_xdg_toplevel_set_size(&toplevel_, 0, 0);
  }
}

void Toplevel::setMaximized(bool maximized) {
  if (!toplevel_.base->initialized) return;
  wlr_xdg_toplevel_set_maximized(&toplevel_, maximized);
  if (maximized) {
    fill(false);
  } else if (!toplevel_.scheduled.fullscreen) {
    restore();
  }
}

void Toplevel::setFullscreen(bool fullscreen) {
  if (!toplevel_.base->initialized) return;
  wlr_xdg_toplevel_set_fullscreen(&toplevel_, fullscreen);
  if (fullscreen) {
    fill(true);
    desktop_.focus(this);
  } else {
    restore();
    if (toplevel_.scheduled.maximized) fill(false);
  }
}

} // namespace vitrine
