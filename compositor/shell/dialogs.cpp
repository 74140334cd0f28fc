#include "compositor/shell/dialogs.h"

#include "compositor/protocols/protocol_error.h"
#include "compositor/shell/desktop.h"
#include "compositor/wlr/listener.h"
#include "xdg-dialog-v1-server-protocol.h"

namespace vitrine {

/** One xdg_dialog_v1. */
struct Dialogs::Dialog {
  Dialogs& owner;
  wlr_xdg_toplevel* toplevel; ///< null once it is destroyed
  Listener<void> gone;

  Dialog(Dialogs& by, wlr_xdg_toplevel* of) : owner(by), toplevel(of) {
    if (toplevel == nullptr) return;
    owner.withDialog_.insert(toplevel);
    gone.connect(toplevel->events.destroy, [this](void*) { leave(); });
  }
  ~Dialog() {
    setModal(false);
    leave();
  }
  void leave() {
    gone.disconnect();
    owner.withDialog_.erase(toplevel);
    toplevel = nullptr;
  }
  static Dialog& from(wl_resource* resource) { return *static_cast<Dialog*>(wl_resource_get_user_data(resource)); }

  void setModal(bool modal) const {
    Toplevel* window = toplevel != nullptr ? Desktop::find(*toplevel->base->surface) : nullptr;
    if (window != nullptr) window->setModal(modal);
  }
};

Dialogs::Dialogs(wl_display& display)
    : global_(wl_global_create(&display, &xdg_wm_dialog_v1_interface, 1, this, bind)) {}

void Dialogs::create(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* toplevelResource) {
  static const struct xdg_dialog_v1_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .set_modal = [](wl_client*, wl_resource* resource) { Dialog::from(resource).setModal(true); },
      .unset_modal = [](wl_client*, wl_resource* resource) { Dialog::from(resource).setModal(false); },
  };
  wlr_xdg_toplevel* toplevel = wlr_xdg_toplevel_from_resource(toplevelResource); // null once its surface is gone
  if (withDialog_.contains(toplevel)) {
    postError(manager, XDG_WM_DIALOG_V1_ERROR_ALREADY_USED,
              invalid("get_xdg_dialog", "xdg_toplevel", "it has an xdg_dialog_v1 already").error());
    return;
  }
  wl_resource* resource = wl_resource_create(client, &xdg_dialog_v1_interface, wl_resource_get_version(manager), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, new Dialog(*this, toplevel),
                                 [](wl_resource* gone) { delete &Dialog::from(gone); });
}

void Dialogs::bind(wl_client* client, void* data, uint32_t version, uint32_t id) {
  static const struct xdg_wm_dialog_v1_interface impl = {
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .get_xdg_dialog =
          [](wl_client* caller, wl_resource* manager, uint32_t dialog, wl_resource* toplevel) {
            static_cast<Dialogs*>(wl_resource_get_user_data(manager))->create(caller, manager, dialog, toplevel);
          },
  };
  wl_resource* resource = wl_resource_create(client, &xdg_wm_dialog_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, data, nullptr);
}

} // namespace vitrine
