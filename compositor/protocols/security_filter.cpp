#include "compositor/protocols/security_filter.h"

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

const char* orDash(const char* text) {
  return text != nullptr ? text : "-";
}

} // namespace

SecurityFilter::SecurityFilter(wl_display& display, SecuritySettings settings)
    : display_(display), settings_(std::move(settings)), contexts_(wlr_security_context_manager_v1_create(&display)) {
  commit_.connect(contexts_->events.commit, [](wlr_security_context_v1_commit_event* event) {
    // Quoted and escaped: the strings are a client's.
    audit().info("security.context engine={:?} app={:?} instance={:?}", orDash(event->state->sandbox_engine),
                 orDash(event->state->app_id), orDash(event->state->instance_id));
  });
  wl_display_set_global_filter(
      &display_,
      [](const wl_client* client, const wl_global* global, void* self) {
        return static_cast<const SecurityFilter*>(self)->allows(*client, *global);
      },
      this);
}

SecurityFilter::~SecurityFilter() {
  wl_display_set_global_filter(&display_, nullptr, nullptr);
}

bool SecurityFilter::allows(const wl_client& client, const wl_global& global) const {
  const char* interface = wl_global_get_interface(&global)->name;
  const GlobalPolicy* policy = globalPolicyOf(interface);
  if (policy != nullptr && policy->access == GlobalAccess::XServer) return xServer && xServer() == &client;
  const wlr_security_context_v1_state* context = wlr_security_context_manager_v1_lookup_client(contexts_, &client);
  if (context == nullptr || sandboxMaySee(interface, settings_)) return true;
  log("protocols")
      .debug("sandboxed client of {:?}: {} is withheld: {}", orDash(context->app_id), interface,
             policy != nullptr ? policy->reason : "it has no policy");
  return false;
}

} // namespace vitrine
