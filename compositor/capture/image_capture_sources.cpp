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

ImageCaptureSources::ImageCaptureSources(wl_display& display, OutputSource outputSource)
    : outputSource_(std::move(outputSource)) {
  static const struct ext_output_image_capture_source_manager_v1_interface impl = {
      .create_source =
          [](wl_client* client, wl_resource* manager, uint32_t id, wl_resource* resource) {
            wlr_output* output = wlr_output_from_resource(resource); // null once it is gone
            createSource(client, id, output != nullptr ? ownerOf(manager).outputSource_(*output) : nullptr);
          },
      .destroy = destroyResource,
  };
  const auto bind = [](wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource = wl_resource_create(client, &ext_output_image_capture_source_manager_v1_interface,
                                               static_cast<int>(version), id);
    if (resource == nullptr) return wl_client_post_no_memory(client);
    wl_resource_set_implementation(resource, &impl, data, nullptr);
  };
  outputs_ = wl_global_create(&display, &ext_output_image_capture_source_manager_v1_interface, 1, this, bind);
}

} // namespace vitrine
