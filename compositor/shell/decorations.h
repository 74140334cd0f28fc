#pragma once

#include "compositor/wlr/listener.h"

namespace vitrine {

/** xdg-decoration: windows draw their own. Each client that asks is told so with its window's next configure. */
class Decorations {
public:
  explicit Decorations(wl_display& display);

private:
  Listener<wlr_xdg_toplevel_decoration_v1> newDecoration_;
};

} // namespace vitrine
