#pragma once

#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * R8: what every commit of a client passes before it takes effect.
 *
 * Quotas: how many commits of a surface wait, and how many bytes of pixels its surfaces show. Implicit synchronisation: a dma-buf
 * carries the fences of whoever still writes it. They are exported once, here, and the commit is held back until they have signalled
 * (holdCommitUntil()). Surfaces with explicit synchronisation wait for their acquire points instead.
 */
class CommitGate {
public:
  /** For all surfaces of this compositor from now on. */
  explicit CommitGate(wlr_compositor& compositor);

private:
  Listener<wlr_surface> newSurface_;
};

} // namespace vitrine
