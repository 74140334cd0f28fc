#include "compositor/shell/toplevel_icons.h"

#include <map>
#include <string>

#include "compositor/protocols/protocol_error.h"
#include "compositor/shell/desktop.h"
#include "compositor/wlr/listener.h"
#include "xdg-toplevel-icon-v1-server-protocol.h"

namespace vitrine {
namespace {

/** Why a wl_buffer is no icon; empty: it is one. */
std::string refusalOf(wl_resource* resource) {
  wlr_buffer* buffer = wlr_buffer_try_from_resource(resource); // locks it
  if (buffer == nullptr) return "it is no buffer of a known kind";
  wlr_shm_attributes shm{};
  const bool isShared = wlr_buffer_get_shm(buffer, &shm);
  const bool isSquare = buffer->width == buffer->height;
  wlr_buffer_unlock(buffer);
  if (!isShared) return "it is not of wl_shm";
  return isSquare ? "" : "it is not square";
}

} // namespace

/** One xdg_toplevel_icon_v1. */
struct ToplevelIcons::Icon {
  wl_resource* resource;
  std::string name;
  bool isSet = false;                             ///< on a window: it must not change any more
  std::map<wl_resource*, Listener<void>> buffers; ///< with the end of each, which must not come before the icon's

  static Icon& from(wl_resource* resource) { return *static_cast<Icon*>(wl_resource_get_user_data(resource)); }

  [[nodiscard]] bool checkMutable(const char* request) const {
    if (!isSet) return true;
    postError(resource, XDG_TOPLEVEL_ICON_V1_ERROR_IMMUTABLE,
              invalid(request, "xdg_toplevel_icon_v1", "it was set on a window already").error());
    return false;
  }

  void add(wl_resource* buffer) {
    if (!checkMutable("add_buffer")) return;
    if (const std::string why = refusalOf(buffer); !why.empty()) {
      postError(resource, XDG_TOPLEVEL_ICON_V1_ERROR_INVALID_BUFFER, invalid("add_buffer", "wl_buffer", why).error());
      return;
    }
    const auto onEnd = [this](void*) {
      // Not logged: when a client ends, its objects go in any order.
      wl_resource_post_error(resource, XDG_TOPLEVEL_ICON_V1_ERROR_NO_BUFFER, "a buffer is destroyed before its icon");
    };
    const auto connect = [buffer](wl_listener* listener) { wl_resource_add_destroy_listener(buffer, listener); };
    buffers[buffer].connect(connect, onEnd);
  }
};

ToplevelIcons::ToplevelIcons(wl_display& display)
    : global_(wl_global_create(&display, &xdg_toplevel_icon_manager_v1_interface, 1, nullptr, bind)) {}

void ToplevelIcons::create(wl_client* client, wl_resource* manager, uint32_t id) {
  static const struct xdg_toplevel_icon_v1_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .set_name =
          [](wl_client*, wl_resource* resource, const char* name) {
            Icon& icon = Icon::from(resource);
            if (icon.checkMutable("set_name")) icon.name = name;
          },
      .add_buffer = [](wl_client*, wl_resource* resource, wl_resource* buffer,
                       int32_t) { Icon::from(resource).add(buffer); },
  };
  wl_resource* resource =
      wl_resource_create(client, &xdg_toplevel_icon_v1_interface, wl_resource_get_version(manager), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, new Icon{resource},
                                 [](wl_resource* gone) { delete &Icon::from(gone); });
}

void ToplevelIcons::bind(wl_client* client, void* data, uint32_t version, uint32_t id) {
  static const struct xdg_toplevel_icon_manager_v1_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .create_icon = create,
      .set_icon =
          [](wl_client*, wl_resource*, wl_resource* toplevelResource, wl_resource* iconResource) {
            Icon* icon = iconResource != nullptr ? &Icon::from(iconResource) : nullptr;
            if (icon != nullptr) icon->isSet = true;
            wlr_xdg_toplevel* toplevel = wlr_xdg_toplevel_from_resource(toplevelResource);
            if (toplevel == nullptr) return; // its surface is gone
            Toplevel* window = Desktop::find(*toplevel->base->surface);
            if (window != nullptr) window->setIcon(icon != nullptr ? icon->name : "");
          },
  };
  wl_resource* resource =
      wl_resource_create(client, &xdg_toplevel_icon_manager_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, data, nullptr);
  xdg_toplevel_icon_manager_v1_send_done(resource); // no size is preferred
}

} // namespace vitrine
