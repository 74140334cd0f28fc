#include "tests/board/wayland/cover.h"

#include <algorithm>
#include <format>

namespace vitrine {
namespace {

// Premultiplied, as the protocol requires. In 8 bits, alpha and green are exactly 128.
constexpr uint32_t halfOfAll = 0x80808080;
constexpr uint32_t none = 0;

} // namespace

Result<> Cover::requireGlobals(WaylandConnection& connection) {
  const WaylandGlobals& globals = connection.globals();
  auto absent = [](const char* name) {
    return invalid("use", "the compositor", std::format("it lacks {}", name), "leave out --cover");
  };
  if (!globals.subcompositor) return absent("wl_subcompositor");
  if (!globals.viewporter) return absent("wp_viewporter (viewporter)");
  if (!globals.singlePixelBuffers) return absent("wp_single_pixel_buffer_manager_v1 (single-pixel-buffer)");
  return {};
}

Cover::Cover(WaylandConnection& connection, wl_surface* window) {
  WaylandGlobals& globals = connection.globals();
  surface_.reset(wl_compositor_create_surface(globals.compositor.get()));
  subsurface_.reset(wl_subcompositor_get_subsurface(globals.subcompositor.get(), surface_.get(), window));
  viewport_.reset(wp_viewporter_get_viewport(globals.viewporter.get(), surface_.get()));
  pixel_.reset(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(globals.singlePixelBuffers.get(), none,
                                                                        halfOfAll, none, halfOfAll));
}

void Cover::layOver(Size window) {
  const auto width = static_cast<int32_t>(window.width);
  const auto height = static_cast<int32_t>(window.height);
  wl_subsurface_set_position(subsurface_.get(), width / 2, 0);
  wp_viewport_set_destination(viewport_.get(), std::max(width - width / 2, 1), std::max(height, 1));
  wl_surface_attach(surface_.get(), pixel_.get(), 0, 0);
  wl_surface_damage_buffer(surface_.get(), 0, 0, 1, 1);
  wl_surface_commit(surface_.get()); // synchronised: takes effect with the window's own commit
}

} // namespace vitrine
