#include "tests/clients/plain_surface.h"

#include <format>

namespace vitrine {
namespace {

/** One byte of `color`, as 32 bits for the protocol. */
uint32_t widened(uint32_t color, unsigned shift) {
  return (color >> shift & 0xff) * 0x01010101U;
}

} // namespace

Result<> PlainSurface::requireGlobals(WaylandConnection& connection) {
  const WaylandGlobals& globals = connection.globals();
  auto absent = [](const char* name) { return invalid("use", "the compositor", std::format("it lacks {}", name)); };
  if (!globals.viewporter) return absent("wp_viewporter (viewporter)");
  if (!globals.singlePixelBuffers) return absent("wp_single_pixel_buffer_manager_v1 (single-pixel-buffer)");
  return {};
}

PlainSurface::PlainSurface(WaylandConnection& connection, uint32_t color) {
  WaylandGlobals& globals = connection.globals();
  surface_.reset(wl_compositor_create_surface(globals.compositor.get()));
  viewport_.reset(wp_viewporter_get_viewport(globals.viewporter.get(), surface_.get()));
  pixel_.reset(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(
      globals.singlePixelBuffers.get(), widened(color, 16), widened(color, 8), widened(color, 0), ~0U));
}

void PlainSurface::show(Size size) {
  wp_viewport_set_destination(viewport_.get(), static_cast<int32_t>(size.width), static_cast<int32_t>(size.height));
  wl_surface_attach(surface_.get(), pixel_.get(), 0, 0);
  wl_surface_damage_buffer(surface_.get(), 0, 0, 1, 1);
  wl_surface_commit(surface_.get());
}

void PlainSurface::hide() {
  wl_surface_attach(surface_.get(), nullptr, 0, 0);
  wl_surface_commit(surface_.get());
}

} // namespace vitrine
