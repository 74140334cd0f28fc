#include "compositor/protocols/global_policy.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr auto Everybody = GlobalAccess::Everybody;
constexpr auto Trusted = GlobalAccess::Trusted;
constexpr auto XServer = GlobalAccess::XServer;

// The rule: a sandboxed client may draw, take the input that is meant for it, and ask. It may not read other clients' content or
// state, make input, take input from others, or change what belongs to the session. labwc's allow-list was the start.
constexpr GlobalPolicy policies[] = {
    {"ext_foreign_toplevel_image_capture_source_manager_v1", Trusted, "shows other clients' windows"},
    {"ext_foreign_toplevel_list_v1", Trusted, "lists other clients' windows with their titles"},
    {"ext_idle_notifier_v1", Trusted, "tells when the user is absent"},
    {"ext_image_copy_capture_manager_v1", Trusted, "reads the screen"},
    {"ext_output_image_capture_source_manager_v1", Trusted, "shows the screen"},
    {"ext_session_lock_manager_v1", Trusted, "takes the whole session from its user"},
    {"org_kde_kwin_server_decoration_manager", Everybody, "about the client's own windows"},
    {"vitrine_protected_content_v1", Everybody, "about the client's own surfaces"},
    {"weston_content_protection", Everybody, "about the client's own surfaces"},
    {"weston_restricted_buffer_v1", Everybody, "tightens the protection of the client's own buffers"},
    {"wl_compositor", Everybody, "surfaces of its own"},
    {"wl_data_device_manager", Everybody, "the clipboard while it has the keyboard; drags that the user makes"},
    {"wl_output", Everybody, "sizes and scales to draw for"},
    {"wl_seat", Everybody, "input that is meant for it"},
    {"wl_shm", Everybody, "buffers of its own"},
    {"wl_subcompositor", Everybody, "surfaces of its own"},
    {"wp_alpha_modifier_v1", Everybody, "about the client's own surfaces"},
    {"wp_color_representation_manager_v1", Everybody, "about the client's own surfaces"},
    {"wp_content_type_manager_v1", Everybody, "about the client's own surfaces"},
    {"wp_cursor_shape_manager_v1", Everybody, "the cursor over the client's own surfaces"},
    {"wp_fractional_scale_manager_v1", Everybody, "about the client's own surfaces"},
    {"wp_linux_drm_syncobj_manager_v1", Everybody, "about the client's own buffers"},
    {"wp_presentation", Everybody, "about the client's own surfaces"},
    {"wp_security_context_manager_v1", Trusted, "a sandbox must not make a context that weakens its own"},
    {"wp_single_pixel_buffer_manager_v1", Everybody, "buffers of its own"},
    {"wp_tearing_control_manager_v1", Everybody, "about the client's own surfaces"},
    {"wp_viewporter", Everybody, "about the client's own surfaces"},
    {"xdg_activation_v1", Everybody, "takes the focus only with a token from a recent input event"},
    {"xdg_toplevel_icon_manager_v1", Everybody, "about the client's own windows"},
    {"xdg_wm_base", Everybody, "windows of its own"},
    {"xdg_wm_dialog_v1", Everybody, "about the client's own windows"},
    {"xwayland_shell_v1", XServer, "says which surface is which X11 window"},
    {"zwlr_data_control_manager_v1", Trusted, "reads the clipboard at any time"},
    {"zwlr_foreign_toplevel_manager_v1", Trusted, "lists and controls other clients' windows"},
    {"zwlr_gamma_control_manager_v1", Trusted, "changes what all outputs show"},
    {"zwlr_layer_shell_v1", Trusted, "may cover other windows and take the keyboard"},
    {"zwlr_output_manager_v1", Trusted, "changes modes and places of outputs"},
    {"zwlr_output_power_manager_v1", Trusted, "switches outputs off"},
    {"zwlr_screencopy_manager_v1", Trusted, "reads the screen"},
    {"zwlr_virtual_pointer_manager_v1", Trusted, "makes input for other clients"},
    {"zwp_idle_inhibit_manager_v1", Everybody, "acts only while the client's surface is visible"},
    {"zwp_input_method_manager_v2", Trusted, "reads and makes the text input of other clients"},
    {"zwp_keyboard_shortcuts_inhibit_manager_v1", Trusted, "takes the compositor's key bindings from the user"},
    {"zwp_linux_dmabuf_v1", Everybody, "buffers of its own"},
    {"zwp_pointer_constraints_v1", Everybody, "acts only while the client has the pointer"},
    {"zwp_pointer_gestures_v1", Everybody, "input that is meant for it"},
    {"zwp_primary_selection_device_manager_v1", Everybody, "the selection while it has the keyboard"},
    {"zwp_relative_pointer_manager_v1", Everybody, "input that is meant for it"},
    {"zwp_text_input_manager_v3", Everybody, "input that is meant for it"},
    {"zwp_virtual_keyboard_manager_v1", Trusted, "makes input for other clients"},
    {"zxdg_decoration_manager_v1", Everybody, "about the client's own windows"},
    {"zxdg_exporter_v1", Everybody, "gives away handles of the client's own windows"},
    {"zxdg_exporter_v2", Everybody, "gives away handles of the client's own windows"},
    {"zxdg_importer_v1", Everybody, "needs a handle that another client gave it"},
    {"zxdg_importer_v2", Everybody, "needs a handle that another client gave it"},
    {"zxdg_output_manager_v1", Everybody, "places of outputs in the layout"},
};
static_assert(std::ranges::is_sorted(policies, {}, &GlobalPolicy::interface));

} // namespace

std::span<const GlobalPolicy> globalPolicies() {
  return policies;
}

const GlobalPolicy* globalPolicyOf(std::string_view interface) {
  const auto* found = std::ranges::lower_bound(policies, interface, {}, &GlobalPolicy::interface);
  return found != std::ranges::end(policies) && found->interface == interface ? found : nullptr;
}

bool sandboxMaySee(std::string_view interface, const SecuritySettings& settings) {
  const GlobalPolicy* policy = globalPolicyOf(interface);
  if (policy == nullptr || std::ranges::contains(settings.sandboxDeny, interface)) return false;
  return policy->access == GlobalAccess::Everybody || std::ranges::contains(settings.sandboxAllow, interface);
}

} // namespace vitrine
