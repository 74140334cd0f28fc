#include "compositor/shell/layer_shell.h"

#include <algorithm>
#include <array>
#include <vector>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr uint32_t layerShellVersion = 4;

/** From the top to the bottom: the order in which they get their exclusive zones. */
constexpr std::array layersDownwards{ZWLR_LAYER_SHELL_V1_LAYER_OVERLAY, ZWLR_LAYER_SHELL_V1_LAYER_TOP,
                                     ZWLR_LAYER_SHELL_V1_LAYER_BOTTOM, ZWLR_LAYER_SHELL_V1_LAYER_BACKGROUND};

} // namespace

LayerSurface::LayerSurface(LayerShell& shell, wlr_layer_surface_v1& surface, wlr_scene_layer_surface_v1& scene)
    : NodeOwner(*scene.tree, *surface.surface), shell_(shell), surface_(surface), scene_(&scene) {
  map_.connect(surface_.surface->events.map, [this](void*) {
    shell_.arrange(*surface_.output);
    shell_.handlers_.mapped(*this);
  });
  unmap_.connect(surface_.surface->events.unmap, [this](void*) {
    shell_.handlers_.keyboardChanged(*this);
    shell_.arrange(*surface_.output);
  });
  commit_.connect(surface_.surface->events.commit, [this](wlr_surface*) { onCommit(); });
  newPopup_.connect(surface_.events.new_popup, [this](wlr_xdg_popup* popup) { shell_.handlers_.newPopup(*popup); });
  destroy_.connect(surface_.events.destroy, [this](void*) { shell_.remove(*this); });
}

std::optional<wlr_box> LayerSurface::popupArea() const {
  if (tree() == nullptr) return std::nullopt;
  wlr_box box{};
  wlr_output_layout_get_box(&shell_.layout_, surface_.output, &box);
  box.x -= tree()->node.x;
  box.y -= tree()->node.y;
  return box;
}

bool LayerSurface::wantsKeyboardAlone() const {
  return surface_.current.keyboard_interactive == ZWLR_LAYER_SURFACE_V1_KEYBOARD_INTERACTIVITY_EXCLUSIVE &&
         isAboveWindows();
}

bool LayerSurface::isAboveWindows() const {
  return surface_.current.layer >= ZWLR_LAYER_SHELL_V1_LAYER_TOP;
}

bool LayerSurface::takesKeyboard() const {
  return surface_.current.keyboard_interactive != ZWLR_LAYER_SURFACE_V1_KEYBOARD_INTERACTIVITY_NONE;
}

/** wlroots 0.18 takes any size. */
bool LayerSurface::hasSize() const {
  constexpr uint32_t horizontal = ZWLR_LAYER_SURFACE_V1_ANCHOR_LEFT | ZWLR_LAYER_SURFACE_V1_ANCHOR_RIGHT;
  constexpr uint32_t vertical = ZWLR_LAYER_SURFACE_V1_ANCHOR_TOP | ZWLR_LAYER_SURFACE_V1_ANCHOR_BOTTOM;
  const auto& state = surface_.current;
  return (state.desired_width != 0 || (state.anchor & horizontal) == horizontal) &&
         (state.desired_height != 0 || (state.anchor & vertical) == vertical);
}

void LayerSurface::onCommit() {
  if (!hasSize()) {
    wl_resource_post_error(surface_.resource, ZWLR_LAYER_SURFACE_V1_ERROR_INVALID_SIZE,
                           "a size of 0 needs anchors at both edges");
    return;
  }
  const uint32_t committed = surface_.current.committed;
  if (!surface_.initial_commit && committed == 0) return;
  if ((committed & WLR_LAYER_SURFACE_V1_STATE_LAYER) != 0)
    wlr_scene_node_reparent(&tree()->node, shell_.treeOf(surface_.current.layer));
  shell_.arrange(*surface_.output);
  if (isMapped() &&
      (committed & (WLR_LAYER_SURFACE_V1_STATE_KEYBOARD_INTERACTIVITY | WLR_LAYER_SURFACE_V1_STATE_LAYER)))
    shell_.handlers_.keyboardChanged(*this);
}

LayerShell::LayerShell(wl_display& display, const SceneLayers& layers, wlr_output_layout& layout, Handlers handlers)
    : layers_(layers), layout_(layout), handlers_(std::move(handlers)),
      shell_(wlr_layer_shell_v1_create(&display, layerShellVersion)) {
  newSurface_.connect(shell_->events.new_surface, [this](wlr_layer_surface_v1* object) { add(*object); });
  layoutChange_.connect(layout_.events.change, [this](void*) { onLayoutChange(); });
}

wlr_scene_tree* LayerShell::treeOf(zwlr_layer_shell_v1_layer layer) const {
  switch (layer) {
  case ZWLR_LAYER_SHELL_V1_LAYER_BACKGROUND:
    return layers_.background;
  case ZWLR_LAYER_SHELL_V1_LAYER_BOTTOM:
    return layers_.bottom;
  case ZWLR_LAYER_SHELL_V1_LAYER_TOP:
    return layers_.top;
  case ZWLR_LAYER_SHELL_V1_LAYER_OVERLAY:
    break;
  }
  return layers_.overlay;
}

void LayerShell::add(wlr_layer_surface_v1& object) {
  if (object.output == nullptr) object.output = handlers_.outputForNew();
  if (object.output == nullptr || wlr_output_layout_get(&layout_, object.output) == nullptr) {
    log("shell").info("layer surface {}: its output is off, or there is none", object.namespace_);
    wlr_layer_surface_v1_destroy(&object);
    return;
  }
  wlr_scene_layer_surface_v1* scene = wlr_scene_layer_surface_v1_create(treeOf(object.pending.layer), &object);
  if (scene == nullptr) return wl_resource_post_no_memory(object.resource);
  surfaces_.emplace_back(*this, object, *scene);
}

void LayerShell::remove(LayerSurface& surface) {
  wlr_output* output = surface.surface_.output;
  handlers_.gone(surface);
  surfaces_.remove_if([&surface](const LayerSurface& known) { return &known == &surface; });
  arrange(*output);
}

/** Exclusive zones first: they decide what is left to the others. */
void LayerShell::arrange(wlr_output& output) {
  wlr_box full{};
  wlr_output_layout_get_box(&layout_, &output, &full);
  if (full.width == 0 || full.height == 0) return;
  wlr_box usable = full;
  for (const bool exclusive : {true, false}) {
    for (const zwlr_layer_shell_v1_layer layer : layersDownwards) {
      for (LayerSurface& surface : surfaces_) {
        const wlr_layer_surface_v1& object = surface.surface_;
        if (object.output != &output || surface.tree() == nullptr || object.current.layer != layer ||
            !object.initialized || (object.current.exclusive_zone > 0) != exclusive)
          continue;
        wlr_scene_layer_surface_v1_configure(surface.scene_, &full, &usable);
      }
    }
  }
  auto area = std::ranges::find(areas_, &output, &Area::output);
  if (area == areas_.end()) area = areas_.insert(areas_.end(), {&output, full});
  const bool changed = !wlr_box_equal(&area->usable, &usable);
  area->usable = usable;
  if (changed) handlers_.usableAreaChanged();
}

void LayerShell::onLayoutChange() {
  std::vector<wlr_layer_surface_v1*> lost;
  for (const LayerSurface& surface : surfaces_)
    if (wlr_output_layout_get(&layout_, surface.surface_.output) == nullptr) lost.push_back(&surface.surface_);
  for (wlr_layer_surface_v1* surface : lost)
    wlr_layer_surface_v1_destroy(surface); // tells the client `closed`, and ends the LayerSurface
  std::erase_if(areas_, [this](const Area& area) { return wlr_output_layout_get(&layout_, area.output) == nullptr; });
  wlr_output_layout_output* place = nullptr;
  wl_list_for_each(place, &layout_.outputs, link) arrange(*place->output);
}

wlr_box LayerShell::usableArea(wlr_output& output) const {
  const auto area = std::ranges::find(areas_, &output, &Area::output);
  if (area != areas_.end()) return area->usable;
  wlr_box full{};
  wlr_output_layout_get_box(&layout_, &output, &full);
  return full;
}

LayerSurface* LayerShell::exclusive() const {
  for (const zwlr_layer_shell_v1_layer layer : layersDownwards) {
    for (auto surface = surfaces_.rbegin(); surface != surfaces_.rend(); ++surface) {
      if (surface->isMapped() && surface->surface_.current.layer == layer && surface->wantsKeyboardAlone())
        return const_cast<LayerSurface*>(&*surface);
    }
  }
  return nullptr;
}

} // namespace vitrine
