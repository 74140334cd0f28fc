#pragma once

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/** An output has another place in the layout. */
struct OutputMove {
  wlr_box before; ///< in layout coordinates
  int byX = 0;
  int byY = 0;
};

} // namespace vitrine
