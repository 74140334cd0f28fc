#include "compositor/capture/image_capture_sources.h"

#include "ext-image-capture-source-v1-server-protocol.h"

namespace vitrine {
namespace {

void destroyResource(wl_client*, wl_resource* resource) {
  wl_resource_destroy(resource);
}

/** Makes an ext_image_capture_source_v1 that names `source`; null: its output or window has gone. */
void createSource(wl_client* client, uint32_t id, CaptureSource* source) {
  static const struct ext_image_capture_source_v1_interface impl = {.destroy = destroyResource};
  wl_resource* resource = wl_resource_create(client, &ext_image_capture_source_v1_interface, 1, id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, new CaptureSourceRef(source, nullptr, [] {}), [](wl_resource* gone) {
    delete static_cast<CaptureSourceRef*>(wl_resource_get_user_data(gone));
  });
}

ImageCaptureSources& ownerOf(wl_resource* manager) {
  return *static_cast<ImageCaptureSources*>(wl_resource_get_user_data(manager));
}

} // namespace

CaptureSource* ImageCaptureSources::named(wl_resource* source) {
  return static_cast<CaptureSourceRef*>(wl_resource_get_user_data(source))->get();
}

void ImageCaptureSources::bindOutputs(wl_client* client, void* data, uint32_t version, uint32_t id) {
  static const struct ext_output_image_capture_source_manager_v1_interface impl = {
      .create_source =
          [](wl_client* caller, wl_resource* manager, uint32_t source, wl_resource* resource) {
            wlr_output* output = wlr_output_from_resource(resource); // null once it is gone
            createSource(caller, source, output != nullptr ? ownerOf(manager).outputSource_(*output) : nullptr);
          },
      .destroy = destroyResource,
  };
  wl_resource* resource =
      wl_resource_create(client, &ext_output_image_capture_source_manager_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, data, nullptr);
}

void ImageCaptureSources::bindWindows(wl_client* client, void* data, uint32_t version, uint32_t id) {
  static const struct ext_foreign_toplevel_image_capture_source_manager_v1_interface impl = {
      .create_source =
          [](wl_client* caller, wl_resource* manager, uint32_t source, wl_resource* handle) {
            createSource(caller, source, ownerOf(manager).windowSource_(handle));
          },
      .destroy = destroyResource,
  };
  wl_resource* resource = wl_resource_create(client, &ext_foreign_toplevel_image_capture_source_manager_v1_interface,
                                             static_cast<int>(version), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, data, nullptr);
}

ImageCaptureSources::ImageCaptureSources(wl_display& display, OutputSource outputSource, WindowSource windowSource)
    : outputSource_(std::move(outputSource)), windowSource_(std::move(windowSource)),
      outputs_(wl_global_create(&display, &ext_output_image_capture_source_manager_v1_interface, 1, this, bindOutputs)),
      windows_(wl_global_create(&display, &ext_foreign_toplevel_image_capture_source_manager_v1_interface, 1, this,
                                bindWindows)) {}

ImageCaptureSources::~ImageCaptureSources() {
  wl_global_destroy(outputs_);
  wl_global_destroy(windows_);
}

} // namespace vitrine
