#include "compositor/shell/node_owner.h"

namespace vitrine {

const wlr_addon_interface NodeOwner::nodeTie = {
    .name = "vitrine_node_owner",
    .destroy =
        [](wlr_addon* addon) {
          Tie& tie = *reinterpret_cast<Tie*>(addon);
          tie.owner->tree_ = nullptr;
          untie(tie);
        },
};

const wlr_addon_interface NodeOwner::surfaceTie = {
    .name = "vitrine_node_owner",
    .destroy = [](wlr_addon* addon) { untie(*reinterpret_cast<Tie*>(addon)); },
};

void NodeOwner::untie(Tie& tie) {
  if (tie.owner == nullptr) return;
  wlr_addon_finish(&tie.addon);
  tie.owner = nullptr;
}

NodeOwner::NodeOwner(wlr_scene_tree& tree, wlr_surface& surface) : tree_(&tree) {
  wlr_addon_init(&toNode_.addon, &tree.node.addons, nullptr, &nodeTie);
  toNode_.owner = this;
  wlr_addon_init(&toSurface_.addon, &surface.addons, nullptr, &surfaceTie);
  toSurface_.owner = this;
}

NodeOwner::~NodeOwner() {
  untie(toSurface_);
  untie(toNode_);
  if (tree_ != nullptr) wlr_scene_node_destroy(&tree_->node);
}

NodeOwner* NodeOwner::ownerIn(const wlr_addon_set& addons, const wlr_addon_interface& kind) {
  wlr_addon* addon = wlr_addon_find(const_cast<wlr_addon_set*>(&addons), nullptr, &kind); // it only looks
  return addon != nullptr ? reinterpret_cast<Tie*>(addon)->owner : nullptr;
}

NodeOwner* NodeOwner::of(wlr_scene_node* node) {
  while (node != nullptr) {
    if (NodeOwner* owner = ownerIn(node->addons, nodeTie)) return owner;
    node = node->parent != nullptr ? &node->parent->node : nullptr;
  }
  return nullptr;
}

NodeOwner* NodeOwner::of(const wlr_surface& surface) {
  return ownerIn(surface.addons, surfaceTie);
}

NodeOwner* NodeOwner::parentOwner() const {
  return tree_ != nullptr && tree_->node.parent != nullptr ? of(&tree_->node.parent->node) : nullptr;
}

} // namespace vitrine
