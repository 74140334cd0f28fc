#pragma once

#include <algorithm>

#include "tests/unit/board.h"

namespace vitrine::test {

/** The board that libdrm's functions of this program speak of, and what was asked of it. */
struct BoardDevice {
  static constexpr uint32_t crtcId = 7;
  static constexpr uint32_t compositionFb = 999;
  /** Framebuffers: two of each layer, in turn. */
  static constexpr uint32_t layerFb(size_t layer, bool other) {
    return 1000 + 2 * static_cast<uint32_t>(layer) + (other ? 1 : 0);
  }
  /** Where a plane lies until its zpos is written. */
  static uint32_t zposOf(const Plane& plane) {
    return std::clamp(plane.stacking, plane.zpos.minimum, plane.zpos.maximum);
  }

  const Board* board = nullptr;
  std::span<const Layer> layers;
  unsigned tests = 0;
  double secondsInTests = 0;
};

/** Set while a LiftoffPlanner exists. */
extern BoardDevice boardDevice;

/** The plan that planes with these framebuffers show: by plane of the board, 0 for none. Positions follow from zpos and ids. */
[[nodiscard]] FramePlan planOf(const BoardDevice& device, std::span<const uint32_t> framebuffers);

} // namespace vitrine::test
