#pragma once

#include <functional>
#include <list>

#include "compositor/shell/node_owner.h"
#include "compositor/shell/scene_layers.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

class LayerShell;

/** One layer surface: a panel, a background, a notification, a launcher. Goes with its zwlr_layer_surface_v1. */
class LayerSurface final : public NodeOwner {
public:
  /** `scene` shows the surface. */
  LayerSurface(LayerShell& shell, wlr_layer_surface_v1& surface, wlr_scene_layer_surface_v1& scene);

  [[nodiscard]] Toplevel* toplevel() override { return nullptr; }
  [[nodiscard]] LayerSurface* layerSurface() override { return this; }
  [[nodiscard]] std::optional<wlr_box> popupArea() const override;

  [[nodiscard]] wlr_layer_surface_v1& object() const { return surface_; }
  [[nodiscard]] wlr_surface& surface() const { return *surface_.surface; }
  [[nodiscard]] bool isMapped() const { return surface_.surface->mapped; }
  /** Whether it takes the keyboard from all windows while it is mapped. */
  [[nodiscard]] bool wantsKeyboardAlone() const;
  /** Whether a click gives it the keyboard. */
  [[nodiscard]] bool takesKeyboard() const;
  /** In one of the two layers above the windows. */
  [[nodiscard]] bool isAboveWindows() const;

private:
  friend class LayerShell;
  void onCommit();
  [[nodiscard]] bool hasSize() const;
  LayerShell& shell_;
  wlr_layer_surface_v1& surface_;
  wlr_scene_layer_surface_v1* scene_; ///< gone with the tree
  Listener<void> map_;
  Listener<void> unmap_;
  Listener<wlr_surface> commit_;
  Listener<wlr_xdg_popup> newPopup_;
  Listener<void> destroy_;
};

/**
 * wlr-layer-shell-v1: keeps the layer surfaces of each output at their places, and leaves the rest of the output to windows. A surface
 * whose output leaves the layout is closed.
 */
class LayerShell {
public:
  struct Handlers {
    std::function<wlr_output*()> outputForNew; ///< for a surface whose client names none; null: there is none
    std::function<void(wlr_xdg_popup&)> newPopup;
    std::function<void(LayerSurface&)> mapped;
    std::function<void(LayerSurface&)> keyboardChanged; ///< unmapped (isMapped()), or another interactivity
    std::function<void(LayerSurface&)> gone;
    std::function<void()> usableAreaChanged;
  };
  LayerShell(wl_display& display, const SceneLayers& layers, wlr_output_layout& layout, Handlers handlers);
  LayerShell(const LayerShell&) = delete;
  LayerShell& operator=(const LayerShell&) = delete;

  [[nodiscard]] wlr_layer_shell_v1& wlr() { return *shell_; }
  /** What of an output is left to windows, in layout coordinates: without exclusive zones. */
  [[nodiscard]] wlr_box usableArea(wlr_output& output) const;
  /** The mapped surface that must have the keyboard (exclusive, on the layers top and overlay), the upper one first; null: none. */
  [[nodiscard]] LayerSurface* exclusive() const;

private:
  friend class LayerSurface;
  struct Area {
    wlr_output* output;
    wlr_box usable;
  };
  [[nodiscard]] wlr_scene_tree* treeOf(zwlr_layer_shell_v1_layer layer) const;
  void add(wlr_layer_surface_v1& object);
  void remove(LayerSurface& surface);
  void arrange(wlr_output& output);
  void onLayoutChange();

  const SceneLayers& layers_;
  wlr_output_layout& layout_;
  Handlers handlers_;
  wlr_layer_shell_v1* shell_;
  std::list<LayerSurface> surfaces_;
  std::list<Area> areas_; ///< of outputs that have layer surfaces
  Listener<wlr_layer_surface_v1> newSurface_;
  Listener<void> layoutChange_;
};

} // namespace vitrine
