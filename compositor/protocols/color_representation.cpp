#include "compositor/protocols/color_representation.h"

#include "color-representation-v1-server-protocol.h"

namespace vitrine {
namespace {

struct State {
  bool set; ///< encoding and range
  ColorRepresentation value;
};

const wlr_surface_synced_impl syncedImpl = {
    .state_size = sizeof(State),
    .init_state = [](void* state) { *static_cast<State*>(state) = {}; },
    .finish_state = nullptr,
    .move_state = nullptr,
};

/**
 * One wp_color_representation_surface_v1. It lives as long as its resource, and is inert after its surface is
 * destroyed.
 */
struct SurfaceColors {
  wlr_surface* surface;
  wlr_addon addon;
  wlr_surface_synced synced;
  State pending;
  State current;
};

void detach(SurfaceColors& colors) {
  if (colors.surface == nullptr) return;
  wlr_surface_synced_finish(&colors.synced);
  wlr_addon_finish(&colors.addon);
  colors.surface = nullptr;
}

const wlr_addon_interface addonImpl = {
    .name = "vitrine_color_representation",
    .destroy = [](wlr_addon* addon) { detach(*wl_container_of(addon, static_cast<SurfaceColors*>(nullptr), addon)); },
};

struct Combination {
  wp_color_representation_surface_v1_coefficients coefficients;
  wp_color_representation_surface_v1_range range;
  ColorRepresentation value;
};

constexpr Combination combinations[] = {
    {WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT601,
     WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_LIMITED,
     {ColorEncoding::Bt601, ColorRange::Limited}},
    {WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT601,
     WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_FULL,
     {ColorEncoding::Bt601, ColorRange::Full}},
    {WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT709,
     WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_LIMITED,
     {ColorEncoding::Bt709, ColorRange::Limited}},
    {WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT709,
     WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_FULL,
     {ColorEncoding::Bt709, ColorRange::Full}},
    {WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT2020,
     WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_LIMITED,
     {ColorEncoding::Bt2020, ColorRange::Limited}},
    {WP_COLOR_REPRESENTATION_SURFACE_V1_COEFFICIENTS_BT2020,
     WP_COLOR_REPRESENTATION_SURFACE_V1_RANGE_FULL,
     {ColorEncoding::Bt2020, ColorRange::Full}},
};

SurfaceColors* colorsOf(wl_resource* resource) {
  auto* colors = static_cast<SurfaceColors*>(wl_resource_get_user_data(resource));
  if (colors->surface != nullptr) return colors;
  wl_resource_post_error(resource, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_INERT, "the wl_surface is gone");
  return nullptr;
}

const struct wp_color_representation_surface_v1_interface surfaceImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
    .set_alpha_mode =
        [](wl_client*, wl_resource* resource, uint32_t mode) {
          if (colorsOf(resource) == nullptr) return;
          if (mode != WP_COLOR_REPRESENTATION_SURFACE_V1_ALPHA_MODE_PREMULTIPLIED_ELECTRICAL) {
            wl_resource_post_error(resource, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_ALPHA_MODE,
                                   "alpha mode %u is not supported", mode);
          }
        },
    .set_coefficients_and_range =
        [](wl_client*, wl_resource* resource, uint32_t coefficients, uint32_t range) {
          SurfaceColors* colors = colorsOf(resource);
          if (colors == nullptr) return;
          for (const Combination& combination : combinations) {
            if (combination.coefficients != coefficients || combination.range != range) continue;
            colors->pending.set = true;
            colors->pending.value.encoding = combination.value.encoding;
            colors->pending.value.range = combination.value.range;
            return;
          }
          wl_resource_post_error(resource, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_COEFFICIENTS,
                                 "coefficients %u with range %u are not supported", coefficients, range);
        },
    .set_chroma_location =
        [](wl_client*, wl_resource* resource, uint32_t location) {
          SurfaceColors* colors = colorsOf(resource);
          if (colors == nullptr) return;
          if (location < WP_COLOR_REPRESENTATION_SURFACE_V1_CHROMA_LOCATION_TYPE_0 ||
              location > WP_COLOR_REPRESENTATION_SURFACE_V1_CHROMA_LOCATION_TYPE_5) {
            wl_resource_post_error(resource, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_CHROMA_LOCATION,
                                   "chroma location %u is invalid", location);
            return;
          }
          // Both enumerations have the order of H.273.
          colors->pending.value.chroma =
              static_cast<ChromaLocation>(location - WP_COLOR_REPRESENTATION_SURFACE_V1_CHROMA_LOCATION_TYPE_0);
        },
};

void getSurface(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* surfaceResource) {
  wlr_surface* surface = wlr_surface_from_resource(surfaceResource);
  if (wlr_addon_find(&surface->addons, &addonImpl, &addonImpl) != nullptr) {
    wl_resource_post_error(manager, WP_COLOR_REPRESENTATION_MANAGER_V1_ERROR_SURFACE_EXISTS,
                           "the surface has a color representation already");
    return;
  }
  wl_resource* resource =
      wl_resource_create(client, &wp_color_representation_surface_v1_interface, wl_resource_get_version(manager), id);
  if (resource == nullptr) {
    wl_client_post_no_memory(client);
    return;
  }
  auto* colors = new SurfaceColors{};
  colors->surface = surface;
  wlr_addon_init(&colors->addon, &surface->addons, &addonImpl, &addonImpl);
  if (!wlr_surface_synced_init(&colors->synced, surface, &syncedImpl, &colors->pending, &colors->current)) {
    wlr_addon_finish(&colors->addon);
    colors->surface = nullptr;
    wl_client_post_no_memory(client);
  }
  wl_resource_set_implementation(resource, &surfaceImpl, colors, [](wl_resource* gone) {
    auto* dead = static_cast<SurfaceColors*>(wl_resource_get_user_data(gone));
    detach(*dead);
    delete dead;
  });
}

const struct wp_color_representation_manager_v1_interface managerImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
    .get_surface = getSurface,
};

void bind(wl_client* client, void*, uint32_t version, uint32_t id) {
  wl_resource* resource =
      wl_resource_create(client, &wp_color_representation_manager_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) {
    wl_client_post_no_memory(client);
    return;
  }
  wl_resource_set_implementation(resource, &managerImpl, nullptr, nullptr);
  wp_color_representation_manager_v1_send_supported_alpha_mode(
      resource, WP_COLOR_REPRESENTATION_SURFACE_V1_ALPHA_MODE_PREMULTIPLIED_ELECTRICAL);
  for (const Combination& combination : combinations) {
    wp_color_representation_manager_v1_send_supported_coefficients_and_ranges(resource, combination.coefficients,
                                                                              combination.range);
  }
  wp_color_representation_manager_v1_send_done(resource);
}

} // namespace

ColorRepresentationManager::ColorRepresentationManager(wl_display& display)
    : global_(wl_global_create(&display, &wp_color_representation_manager_v1_interface, 1, nullptr, bind)) {}

ColorRepresentationManager::~ColorRepresentationManager() {
  wl_global_destroy(global_);
}

ColorRepresentation ColorRepresentationManager::of(wlr_surface* surface, Size bufferSize) const {
  const bool highDefinition = bufferSize.width >= 1280 || bufferSize.height >= 720;
  ColorRepresentation colors{highDefinition ? ColorEncoding::Bt709 : ColorEncoding::Bt601};
  wlr_addon* addon = surface != nullptr ? wlr_addon_find(&surface->addons, &addonImpl, &addonImpl) : nullptr;
  if (addon == nullptr) return colors;
  const SurfaceColors* told = wl_container_of(addon, static_cast<SurfaceColors*>(nullptr), addon);
  if (told->current.set) return told->current.value;
  colors.chroma = told->current.value.chroma;
  return colors;
}

} // namespace vitrine
