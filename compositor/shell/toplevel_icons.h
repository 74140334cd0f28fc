#pragma once

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * xdg-toplevel-icon-v1: the name of a window's icon, which is in the JSON of `vitrinectl windows`.
 *
 * Vitrine draws no icons. So it prefers no size, and checks the pixels that a client adds, but does not keep them.
 */
class ToplevelIcons {
public:
  explicit ToplevelIcons(wl_display& display);
  ToplevelIcons(const ToplevelIcons&) = delete;
  ToplevelIcons& operator=(const ToplevelIcons&) = delete;
  ~ToplevelIcons() { wl_global_destroy(global_); }

private:
  struct Icon;
  static void bind(wl_client* client, void* data, uint32_t version, uint32_t id);
  static void create(wl_client* client, wl_resource* manager, uint32_t id);

  wl_global* global_;
};

} // namespace vitrine
