#include "compositor/protocols/idle.h"

#include <algorithm>

#include "compositor/shell/node_owner.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** wlroots 0.18 does not tell a surface that it has left its outputs when its tree is hidden: that is asked of the scene. */
bool isVisible(wlr_surface& surface) {
  if (!surface.mapped || wl_list_empty(&surface.current_outputs) != 0) return false;
  const NodeOwner* owner = NodeOwner::of(*wlr_surface_get_root_surface(&surface));
  int x = 0;
  int y = 0;
  return owner != nullptr && owner->tree() != nullptr && wlr_scene_node_coords(&owner->tree()->node, &x, &y);
}

} // namespace

Idle::Idle(wl_display& display, wlr_seat& seat)
    : seat_(seat), notifier_(wlr_idle_notifier_v1_create(&display)), inhibit_(wlr_idle_inhibit_v1_create(&display)) {
  newInhibitor_.connect(inhibit_->events.new_inhibitor, [this](wlr_idle_inhibitor_v1* object) { add(*object); });
}

void Idle::add(wlr_idle_inhibitor_v1& object) {
  Inhibitor& added = inhibitors_.emplace_back();
  added.object = &object;
  added.map.connect(object.surface->events.map, [this](void*) { update(); });
  added.unmap.connect(object.surface->events.unmap, [this](void*) { update(); });
  added.destroy.connect(object.events.destroy, [this, gone = &object](void*) {
    Idle& self = *this; // this closure goes with what is erased
    const wlr_idle_inhibitor_v1* const lost = gone;
    std::erase_if(self.inhibitors_, [lost](const Inhibitor& known) { return known.object == lost; });
    self.update();
  });
  update();
}

void Idle::update() {
  const bool inhibited = std::ranges::any_of(
      inhibitors_, [](const Inhibitor& inhibitor) { return isVisible(*inhibitor.object->surface); });
  if (inhibited == inhibited_) return;
  inhibited_ = inhibited;
  log("protocols").debug("idle: {}", inhibited ? "inhibited by a visible surface" : "not inhibited any more");
  wlr_idle_notifier_v1_set_inhibited(notifier_, inhibited);
}

} // namespace vitrine
