#pragma once

#include <memory>

#include <wayland-client.h>

#include "color-representation-v1-client-protocol.h"
#include "ext-foreign-toplevel-list-v1-client-protocol.h"
#include "ext-image-capture-source-v1-client-protocol.h"
#include "ext-image-copy-capture-v1-client-protocol.h"
#include "ext-session-lock-v1-client-protocol.h"
#include "linux-dmabuf-v1-client-protocol.h"
#include "linux-drm-syncobj-v1-client-protocol.h"
// The header's function wp_presentation_feedback() hides the constructor of the struct of that name, which is not used.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "presentation-time-client-protocol.h"
#pragma GCC diagnostic pop
#include "single-pixel-buffer-v1-client-protocol.h"
#include "viewporter-client-protocol.h"
#include "vitrine-protected-content-v1-client-protocol.h"
#include "weston-restricted-buffer-client-protocol.h"
#include "wlr-screencopy-unstable-v1-client-protocol.h"
#include "xdg-shell-client-protocol.h"

namespace vitrine {

/** How each kind of Wayland object is destroyed. */
struct WaylandDeleter {
  void operator()(wl_display* object) const { wl_display_disconnect(object); }
  void operator()(wl_registry* object) const { wl_registry_destroy(object); }
  void operator()(wl_compositor* object) const { wl_compositor_destroy(object); }
  void operator()(wl_subcompositor* object) const { wl_subcompositor_destroy(object); }
  void operator()(wl_subsurface* object) const { wl_subsurface_destroy(object); }
  void operator()(wl_surface* object) const { wl_surface_destroy(object); }
  void operator()(wl_buffer* object) const { wl_buffer_destroy(object); }
  void operator()(wl_shm* object) const { wl_shm_destroy(object); }
  void operator()(wl_output* object) const { wl_output_destroy(object); }
  void operator()(wl_callback* object) const { wl_callback_destroy(object); }
  void operator()(wl_seat* object) const { wl_seat_destroy(object); }
  void operator()(wl_pointer* object) const { wl_pointer_destroy(object); }
  void operator()(wl_keyboard* object) const { wl_keyboard_destroy(object); }
  void operator()(xdg_wm_base* object) const { xdg_wm_base_destroy(object); }
  void operator()(xdg_surface* object) const { xdg_surface_destroy(object); }
  void operator()(xdg_toplevel* object) const { xdg_toplevel_destroy(object); }
  void operator()(xdg_positioner* object) const { xdg_positioner_destroy(object); }
  void operator()(xdg_popup* object) const { xdg_popup_destroy(object); }
  void operator()(wp_viewporter* object) const { wp_viewporter_destroy(object); }
  void operator()(wp_viewport* object) const { wp_viewport_destroy(object); }
  void operator()(wp_single_pixel_buffer_manager_v1* object) const {
    wp_single_pixel_buffer_manager_v1_destroy(object);
  }
  void operator()(wp_presentation* object) const { wp_presentation_destroy(object); }
  void operator()(struct wp_presentation_feedback* object) const { wp_presentation_feedback_destroy(object); }
  void operator()(wp_color_representation_manager_v1* object) const {
    wp_color_representation_manager_v1_destroy(object);
  }
  void operator()(wp_color_representation_surface_v1* object) const {
    wp_color_representation_surface_v1_destroy(object);
  }
  void operator()(zwp_linux_dmabuf_v1* object) const { zwp_linux_dmabuf_v1_destroy(object); }
  void operator()(zwp_linux_buffer_params_v1* object) const { zwp_linux_buffer_params_v1_destroy(object); }
  void operator()(zwp_linux_dmabuf_feedback_v1* object) const { zwp_linux_dmabuf_feedback_v1_destroy(object); }
  void operator()(vitrine_protected_content_v1* object) const { vitrine_protected_content_v1_destroy(object); }
  void operator()(vitrine_protected_surface_v1* object) const { vitrine_protected_surface_v1_destroy(object); }
  void operator()(vitrine_heap_feedback_v1* object) const { vitrine_heap_feedback_v1_destroy(object); }
  void operator()(weston_restricted_buffer_v1* object) const { weston_restricted_buffer_v1_destroy(object); }
  void operator()(zwlr_screencopy_manager_v1* object) const { zwlr_screencopy_manager_v1_destroy(object); }
  void operator()(zwlr_screencopy_frame_v1* object) const { zwlr_screencopy_frame_v1_destroy(object); }
  void operator()(ext_foreign_toplevel_list_v1* object) const { ext_foreign_toplevel_list_v1_destroy(object); }
  void operator()(ext_foreign_toplevel_handle_v1* object) const { ext_foreign_toplevel_handle_v1_destroy(object); }
  void operator()(ext_image_capture_source_v1* object) const { ext_image_capture_source_v1_destroy(object); }
  void operator()(ext_output_image_capture_source_manager_v1* object) const {
    ext_output_image_capture_source_manager_v1_destroy(object);
  }
  void operator()(ext_foreign_toplevel_image_capture_source_manager_v1* object) const {
    ext_foreign_toplevel_image_capture_source_manager_v1_destroy(object);
  }
  void operator()(ext_image_copy_capture_manager_v1* object) const {
    ext_image_copy_capture_manager_v1_destroy(object);
  }
  void operator()(ext_image_copy_capture_session_v1* object) const {
    ext_image_copy_capture_session_v1_destroy(object);
  }
  void operator()(ext_image_copy_capture_frame_v1* object) const { ext_image_copy_capture_frame_v1_destroy(object); }
  void operator()(ext_session_lock_manager_v1* object) const { ext_session_lock_manager_v1_destroy(object); }
  void operator()(ext_session_lock_surface_v1* object) const { ext_session_lock_surface_v1_destroy(object); }
  void operator()(wp_linux_drm_syncobj_manager_v1* object) const { wp_linux_drm_syncobj_manager_v1_destroy(object); }
  void operator()(wp_linux_drm_syncobj_surface_v1* object) const { wp_linux_drm_syncobj_surface_v1_destroy(object); }
  void operator()(wp_linux_drm_syncobj_timeline_v1* object) const { wp_linux_drm_syncobj_timeline_v1_destroy(object); }
};

/** Owns a Wayland object. The connection must outlive it. */
template<typename T>
using WaylandPtr = std::unique_ptr<T, WaylandDeleter>;

} // namespace vitrine
