#pragma once

#include <memory>

#include "tests/unit/board.h"

struct liftoff_device;
struct liftoff_layer;
struct liftoff_output;

namespace vitrine::test {

/**
 * libliftoff as a planner of the same boards. Linking liftoff_planner.cpp and board_libdrm.cpp puts the board in the place
 * of the kernel: libdrm's functions, as libliftoff calls them, are answered from the plane table, and TEST_ONLY by
 * accepts(). One instance at a time.
 *
 * libliftoff gets each layer with its zpos, `alpha`, `rotation`, and for YCbCr COLOR_ENCODING and COLOR_RANGE; layers that
 * may not be on a plane are composited ones; composed content is its composition layer, on the primary.
 */
class LiftoffPlanner {
public:
  explicit LiftoffPlanner(const Board& board);
  LiftoffPlanner(const LiftoffPlanner&) = delete;
  LiftoffPlanner& operator=(const LiftoffPlanner&) = delete;
  ~LiftoffPlanner();

  /**
   * The plan for a frame. `changed` says of each layer whether it has another buffer than in the frame before. The list has
   * the same layers in each frame.
   */
  void plan(std::span<const Layer> layers, const std::vector<bool>& changed, FramePlan& plan);

  [[nodiscard]] unsigned tests() const; ///< of the last plan()
  [[nodiscard]] double secondsInTests() const;

private:
  void setLayer(size_t index, const Layer& layer, bool changed);

  const Board& board_;
  liftoff_device* device_ = nullptr;
  liftoff_output* output_ = nullptr;
  liftoff_layer* composition_ = nullptr;
  std::vector<liftoff_layer*> layers_;
  std::vector<bool> otherBuffer_;
};

} // namespace vitrine::test
