#include "compositor/shell/request_guard.h"

namespace vitrine {
namespace {

/** The implementation that a resource was given; the head of wl_resource is part of libwayland's ABI (wl_object). */
const void* implementationOf(wl_resource* resource) {
  struct Head {
    const wl_interface* interface;
    const void* implementation;
  };
  return reinterpret_cast<const Head*>(resource)->implementation;
}

/** xdg_popup's requests by opcode, as its interface has them: destroy, grab, reposition. */
int dispatchToPopup(const void* implementation, void* target, uint32_t opcode, const wl_message*,
                    wl_argument* arguments) {
  auto* resource = static_cast<wl_resource*>(target);
  auto* client = wl_resource_get_client(resource);
  const auto& requests = *static_cast<const struct xdg_popup_interface*>(implementation);
  const auto object = [&](int index) { return reinterpret_cast<wl_resource*>(arguments[index].o); };
  const auto* popup = static_cast<const wlr_xdg_popup*>(wl_resource_get_user_data(resource));
  if (opcode == 0) {
    requests.destroy(client, resource);
  } else if (opcode == 2) {
    requests.reposition(client, resource, object(0), arguments[1].u);
  } else if (popup != nullptr && popup->seat != nullptr) {
    wl_resource_post_error(resource, XDG_POPUP_ERROR_INVALID_GRAB, "the popup has a grab already");
  } else {
    requests.grab(client, resource, object(0), arguments[1].u);
  }
  return 0;
}

} // namespace

void guardPopup(wlr_xdg_popup& popup) {
  wl_resource_set_dispatcher(popup.resource, dispatchToPopup, implementationOf(popup.resource),
                             wl_resource_get_user_data(popup.resource), nullptr); // wlroots' has no destructor
}

void guardXdgSurface(wlr_xdg_surface& surface) {
  if (wl_list_empty(&surface.surface->cached)) return;
  wl_resource_post_error(surface.client->resource, XDG_SURFACE_ERROR_UNCONFIGURED_BUFFER,
                         "xdg_surface must not have a buffer at creation");
}

} // namespace vitrine
