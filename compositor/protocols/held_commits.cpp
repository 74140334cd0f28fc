#include "compositor/protocols/held_commits.h"

#include <list>

#include "compositor/client_quota.h"

namespace vitrine {
namespace {

/** The commits of one surface that are held back. They go with the surface, never applied. */
class Waiting {
public:
  static Waiting& of(wlr_surface& surface) {
    if (wlr_addon* addon = wlr_addon_find(&surface.addons, &addonImpl, &addonImpl))
      return *reinterpret_cast<Node*>(addon)->self; // standard layout, addon first
    return *new Waiting(surface);
  }
  void hold(UniqueFd fence);

private:
  struct Held {
    Waiting* owner;
    UniqueFd fence;
    QuotaShare descriptor;
    wl_event_source* source = nullptr;
    uint32_t sequence = 0;
    std::list<Held>::iterator self;

    ~Held() {
      if (source != nullptr) wl_event_source_remove(source);
    }
  };
  struct Node {
    wlr_addon addon;
    Waiting* self;
  };

  explicit Waiting(wlr_surface& surface) : surface_(surface) {
    wlr_addon_init(&node_.addon, &surface.addons, &addonImpl, &addonImpl);
    node_.self = this;
  }
  ~Waiting() { wlr_addon_finish(&node_.addon); }
  void letGo(Held& held) {
    const uint32_t sequence = held.sequence;
    held_.erase(held.self);
    wlr_surface_unlock_cached(&surface_, sequence); // applies it, unless something else holds it back, too
  }
  static const wlr_addon_interface addonImpl;

  wlr_surface& surface_;
  Node node_{};
  std::list<Held> held_;
};

const wlr_addon_interface Waiting::addonImpl = {
    .name = "vitrine_held_commits",
    .destroy = [](wlr_addon* addon) { delete reinterpret_cast<Node*>(addon)->self; },
};

void Waiting::hold(UniqueFd fence) {
  wl_client* client = wl_resource_get_client(surface_.resource);
  wl_event_loop* loop = wl_display_get_event_loop(wl_client_get_display(client));
  auto descriptor = ClientQuotas::take(*client, Quota::Descriptors);
  if (!descriptor) return;
  const auto held = held_.emplace(held_.end(), this, std::move(fence), std::move(*descriptor));
  held->self = held;
  const auto readable = [](int, uint32_t, void* data) {
    auto* ready = static_cast<Held*>(data);
    ready->owner->letGo(*ready);
    return 0;
  };
  held->source = wl_event_loop_add_fd(loop, held->fence.get(), WL_EVENT_READABLE, readable, &*held);
  if (held->source == nullptr) {
    held_.erase(held);
    wl_client_post_no_memory(client);
    return;
  }
  held->sequence = wlr_surface_lock_pending(&surface_);
}

} // namespace

void holdCommitUntil(wlr_surface& surface, UniqueFd fence) {
  Waiting::of(surface).hold(std::move(fence));
}

} // namespace vitrine
