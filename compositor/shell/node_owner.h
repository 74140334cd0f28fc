#pragma once

#include <optional>

#include "compositor/wlr/wlroots.h"

namespace vitrine {

class LayerSurface;
class Toplevel;

/**
 * What a tree of the scene was made for: the base class of every object that shows a client's surface.
 *
 * The owner and its tree find each other through addons, and neither outlives the tie: the tree is destroyed with its owner, and
 * tree() is null once wlroots has destroyed the tree first (as it does with the popups of a window that goes).
 */
class NodeOwner {
public:
  NodeOwner(const NodeOwner&) = delete;
  NodeOwner& operator=(const NodeOwner&) = delete;

  /** The owner of `node`, or else of the innermost tree around it that has one. Null: none has. */
  [[nodiscard]] static NodeOwner* of(wlr_scene_node* node);
  /** The owner that shows `surface` as its own (not as a subsurface), or null. */
  [[nodiscard]] static NodeOwner* of(const wlr_surface& surface);

  [[nodiscard]] wlr_scene_tree* tree() const { return tree_; }
  /** The window that this is or belongs to, or null. */
  [[nodiscard]] virtual Toplevel* toplevel() = 0;
  /** The layer surface (a panel, say) that this is or belongs to, or null. */
  [[nodiscard]] virtual LayerSurface* layerSurface() { return nullptr; }
  /** Where its popups should stay: in coordinates of the surface that the first popup of the chain has as parent. */
  [[nodiscard]] virtual std::optional<wlr_box> popupArea() const = 0;

protected:
  /** Takes `tree`. `surface` must outlive the owner, or go with it. */
  NodeOwner(wlr_scene_tree& tree, wlr_surface& surface);
  virtual ~NodeOwner();
  /** The owner of the tree in which its own tree is, or null. */
  [[nodiscard]] NodeOwner* parentOwner() const;

private:
  struct Tie {
    wlr_addon addon; ///< first: the addon's address is the tie's
    NodeOwner* owner;
  };
  static void untie(Tie& tie);
  static NodeOwner* ownerIn(const wlr_addon_set& addons, const wlr_addon_interface& kind);
  static const wlr_addon_interface nodeTie;
  static const wlr_addon_interface surfaceTie;
  wlr_scene_tree* tree_;
  Tie toNode_{};
  Tie toSurface_{};
};

} // namespace vitrine
