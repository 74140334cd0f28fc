#include "compositor/protocols/weston_content_protection.h"

#include <algorithm>
#include <optional>

#include "compositor/protocols/protocol_error.h"
#include "weston-content-protection-server-protocol.h"

namespace vitrine {
namespace {

/** Double-buffered. */
struct State {
  Hdcp type;
  bool enforced;
};

const wlr_surface_synced_impl syncedImpl = {
    .state_size = sizeof(State),
    .init_state = [](void* state) { *static_cast<State*>(state) = {}; },
    .finish_state = nullptr,
    .move_state = nullptr,
};

static_assert(static_cast<uint32_t>(Hdcp::Off) == WESTON_PROTECTED_SURFACE_TYPE_UNPROTECTED &&
              static_cast<uint32_t>(Hdcp::Type0) == WESTON_PROTECTED_SURFACE_TYPE_HDCP_0 &&
              static_cast<uint32_t>(Hdcp::Type1) == WESTON_PROTECTED_SURFACE_TYPE_HDCP_1);

} // namespace

/** One weston_protected_surface. It lives as long as its resource, and is inert after its surface is destroyed. */
struct WestonContentProtection::Surface {
  wlr_surface* surface;
  wlr_addon addon;
  wlr_surface_synced synced;
  State pending;
  State current;
  wl_resource* resource;
  WestonContentProtection* owner; ///< null: the global is gone
  std::optional<Hdcp> told;
  Listener<wlr_surface> commit;

  static Surface& from(wl_resource* resource) { return *static_cast<Surface*>(wl_resource_get_user_data(resource)); }

  void detach() {
    if (surface == nullptr) return;
    commit.disconnect();
    wlr_surface_synced_finish(&synced);
    wlr_addon_finish(&addon);
    surface = nullptr;
  }

  /** Clients are told in the mode `relax` alone. */
  void update() {
    if (surface == nullptr || owner == nullptr) return;
    if (current.enforced) {
      told.reset();
      return;
    }
    const Hdcp status = owner->statusOf_(*surface);
    if (told == status) return;
    told = status;
    weston_protected_surface_send_status(resource, static_cast<uint32_t>(status));
  }
};

const wlr_addon_interface WestonContentProtection::addonImpl = {
    .name = "weston_content_protection",
    .destroy =
        [](wlr_addon* addon) {
          Surface* gone = wl_container_of(addon, static_cast<Surface*>(nullptr), addon);
          gone->detach();
        },
};

void WestonContentProtection::getProtection(wl_client* client, wl_resource* manager, uint32_t id,
                                            wl_resource* surfaceResource) {
  static const struct weston_protected_surface_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .set_type =
          [](wl_client*, wl_resource* resource, uint32_t type) {
            if (type <= WESTON_PROTECTED_SURFACE_TYPE_HDCP_1) {
              Surface::from(resource).pending.type = static_cast<Hdcp>(type);
              return;
            }
            postError(resource, WESTON_PROTECTED_SURFACE_ERROR_INVALID_TYPE,
                      invalid("protect", "type " + std::to_string(type), "the protocol has no such value").error());
          },
      .enforce = [](wl_client*, wl_resource* resource) { Surface::from(resource).pending.enforced = true; },
      .relax = [](wl_client*, wl_resource* resource) { Surface::from(resource).pending.enforced = false; },
  };
  wlr_surface* surface = wlr_surface_from_resource(surfaceResource);
  if (wlr_addon_find(&surface->addons, &addonImpl, &addonImpl) != nullptr) {
    postError(manager, WESTON_CONTENT_PROTECTION_ERROR_SURFACE_EXISTS,
              invalid("protect", "wl_surface", "it has a weston_protected_surface already").error());
    return;
  }
  wl_resource* resource =
      wl_resource_create(client, &weston_protected_surface_interface, wl_resource_get_version(manager), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  auto* owner = static_cast<WestonContentProtection*>(wl_resource_get_user_data(manager));
  auto* made = new Surface{};
  made->surface = surface;
  made->resource = resource;
  made->owner = owner;
  wl_resource_set_implementation(resource, &impl, made, [](wl_resource* gone) {
    Surface* dead = &Surface::from(gone);
    if (dead->owner != nullptr) dead->owner->surfaces_.remove(dead);
    dead->detach();
    delete dead;
  });
  wlr_addon_init(&made->addon, &surface->addons, &addonImpl, &addonImpl);
  if (owner != nullptr) owner->surfaces_.push_back(made);
  if (!wlr_surface_synced_init(&made->synced, surface, &syncedImpl, &made->pending, &made->current)) {
    wlr_addon_finish(&made->addon);
    made->surface = nullptr;
    return wl_client_post_no_memory(client);
  }
  made->commit.connect(surface->events.commit, [made](wlr_surface*) { made->update(); });
  made->update();
}

void WestonContentProtection::bind(wl_client* client, void* data, uint32_t version, uint32_t id) {
  static const struct weston_content_protection_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .get_protection = getProtection,
  };
  wl_resource* resource =
      wl_resource_create(client, &weston_content_protection_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, data, nullptr);
}

WestonContentProtection::WestonContentProtection(wl_display& display, StatusOf statusOf)
    : global_(wl_global_create(&display, &weston_content_protection_interface, 1, this, bind)),
      statusOf_(std::move(statusOf)) {}

WestonContentProtection::~WestonContentProtection() {
  wl_global_destroy(global_);
  for (Surface* surface : surfaces_)
    surface->owner = nullptr;
}

void WestonContentProtection::update() {
  for (Surface* surface : surfaces_)
    surface->update();
}

void WestonContentProtection::update(wlr_surface& surface) {
  wlr_addon* addon = wlr_addon_find(&surface.addons, &addonImpl, &addonImpl);
  if (addon == nullptr) return;
  Surface* known = wl_container_of(addon, static_cast<Surface*>(nullptr), addon);
  known->update();
}

void addContentProtection(wlr_surface& surface, ProtectionRequirements& requirements) {
  using Surface = WestonContentProtection::Surface;
  constexpr const wlr_addon_interface* impl = &WestonContentProtection::addonImpl;
  wlr_addon* addon = wlr_addon_find(&surface.addons, impl, impl);
  if (addon == nullptr) return;
  const Surface* known = wl_container_of(addon, static_cast<Surface*>(nullptr), addon);
  Hdcp& tightened = known->current.enforced ? requirements.hdcp : requirements.wantedHdcp;
  tightened = std::max(tightened, known->current.type);
}

} // namespace vitrine
