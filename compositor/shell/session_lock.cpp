#include "compositor/shell/session_lock.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {

SessionLock::SessionLock(wl_display& display, const SceneLayers& layers, wlr_output_layout& layout, Handlers handlers)
    : layers_(layers), layout_(layout), handlers_(std::move(handlers)),
      manager_(wlr_session_lock_manager_v1_create(&display)) {
  newLock_.connect(manager_->events.new_lock, [this](wlr_session_lock_v1* lock) { onNewLock(*lock); });
  layoutChange_.connect(layout_.events.change, [this](void*) { arrange(); });
}

SessionLock::~SessionLock() = default;

void SessionLock::onNewLock(wlr_session_lock_v1& lock) {
  if (lock_ != nullptr) {
    log("shell").info("a second locker is refused: the session is locked");
    wlr_session_lock_v1_destroy(&lock);
    return;
  }
  lock_ = &lock;
  newSurface_.connect(lock.events.new_surface, [this](wlr_session_lock_surface_v1* object) { addSurface(*object); });
  unlock_.connect(lock.events.unlock, [this](void*) { unlock(); });
  lockGone_.connect(lock.events.destroy, [this](void*) { onLockGone(); });
  hideSession();
  awaitBlank();
}

void SessionLock::hideSession() {
  if (locked_) return; // a locker takes over from one that died
  locked_ = true;
  audit().info("session.locked");
  for (wlr_scene_tree* tree : layers_.session())
    wlr_scene_node_set_enabled(&tree->node, false);
  handlers_.locked();
}

/** An output that is off shows nothing, and is not waited for. */
void SessionLock::awaitBlank() {
  unblanked_.clear();
  wlr_output_layout_output* place = nullptr;
  wl_list_for_each(place, &layout_.outputs, link) {
    wlr_output* output = place->output;
    if (!output->enabled) continue;
    Unblanked& added = unblanked_.emplace_back();
    added.output = output;
    added.lockedAt = output->commit_seq;
    added.present.connect(output->events.present, [this, waiting = &added](wlr_output_event_present* event) {
      if (event->presented && static_cast<int32_t>(event->commit_seq - waiting->lockedAt) > 0) onBlank(waiting->output);
    });
    added.destroy.connect(output->events.destroy, [this, gone = output](void*) { onBlank(gone); });
    wlr_output_schedule_frame(output);
  }
  if (unblanked_.empty()) wlr_session_lock_v1_send_locked(lock_);
}

void SessionLock::onBlank(const wlr_output* output) {
  SessionLock& self = *this; // the caller's closure goes with what is erased
  std::erase_if(self.unblanked_, [output](const Unblanked& one) { return one.output == output; });
  if (self.unblanked_.empty() && self.lock_ != nullptr && !self.lock_->locked_sent)
    wlr_session_lock_v1_send_locked(self.lock_);
}

void SessionLock::addSurface(wlr_session_lock_surface_v1& object) {
  Surface& added = surfaces_.emplace_back();
  added.object = &object;
  added.tree = wlr_scene_tree_create(layers_.lock);
  wlr_scene_subsurface_tree_create(added.tree, object.surface);
  added.map.connect(object.surface->events.map, [this](void*) { handlers_.surfacesChanged(); });
  added.destroy.connect(object.events.destroy, [this, gone = &object](void*) {
    SessionLock& self = *this; // this closure goes with what is erased
    const auto found = std::ranges::find(self.surfaces_, gone, &Surface::object);
    wlr_scene_node_destroy(&found->tree->node);
    self.surfaces_.erase(found);
    self.handlers_.surfacesChanged();
  });
  arrange();
}

void SessionLock::arrange() {
  for (const Surface& surface : surfaces_) {
    wlr_box box{};
    wlr_output_layout_get_box(&layout_, surface.object->output, &box);
    wlr_scene_node_set_position(&surface.tree->node, box.x, box.y);
    if (box.width > 0 && box.height > 0)
      wlr_session_lock_surface_v1_configure(surface.object, static_cast<uint32_t>(box.width),
                                            static_cast<uint32_t>(box.height));
  }
}

wlr_surface* SessionLock::surfaceToFocus() const {
  const auto found = std::ranges::find_if(surfaces_, [](const Surface& one) { return one.object->surface->mapped; });
  return found != surfaces_.end() ? found->object->surface : nullptr;
}

void SessionLock::unlock() {
  locked_ = false;
  audit().info("session.unlocked");
  for (wlr_scene_tree* tree : layers_.session())
    wlr_scene_node_set_enabled(&tree->node, true);
  handlers_.unlocked();
}

void SessionLock::onLockGone() {
  newSurface_.disconnect();
  unlock_.disconnect();
  lockGone_.disconnect();
  unblanked_.clear();
  lock_ = nullptr;
  if (!locked_) return;
  log("shell").warn("the locker ended without unlocking: the session stays locked; start a locker to unlock it");
}

} // namespace vitrine
