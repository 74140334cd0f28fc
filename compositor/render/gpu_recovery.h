#pragma once

#include "protected-path/base/clock.h"
#include "protected-path/render/renderer.h"

namespace vitrine {

/**
 * Sets the renderer up again after the GPU was lost. One per renderer; the outputs share it, so that a GPU that does not come back
 * is asked for once per interval and not once per frame.
 */
class GpuRecovery {
public:
  /** Between the first two attempts; each failure doubles it up to `longest`. */
  static constexpr Nanoseconds shortest = 100'000'000;
  static constexpr Nanoseconds longest = 10'000'000'000;

  explicit GpuRecovery(Renderer& renderer) : renderer_(renderer) {}

  /** Whether the renderer can be used. While it is lost: sets it up again if an attempt is due. */
  [[nodiscard]] bool isUsable(Nanoseconds time);
  /** A call of the renderer said that the device is lost. True where it could be set up again at once. */
  [[nodiscard]] bool recover(Nanoseconds time);
  /** When the next attempt is due; 0: none, the renderer is usable. */
  [[nodiscard]] Nanoseconds nextAttempt() const { return lost_ ? nextAttempt_ : 0; }

private:
  Renderer& renderer_;
  bool lost_ = false;
  Nanoseconds interval_ = shortest;
  Nanoseconds nextAttempt_ = 0;
};

} // namespace vitrine
