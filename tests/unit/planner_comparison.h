#pragma once

#include <string>

#include "tests/unit/plane_scenes.h"

namespace vitrine::test {

/** What one planner made of one scene. */
struct PlannerRun {
  FramePlan plan; ///< that it settled on
  Worth worth;
  std::string fault;    ///< of the picture, in the first frame or the settled one; empty: right
  bool refused = false; ///< the settled plan is one that the hardware does not take
  unsigned testsFirst = 0;
  unsigned testsSteady = 0; ///< in one frame, settled
  unsigned testsMoving = 0; ///< in 60 frames in which the topmost layer moves
  // The planner alone, without the time that the hardware's answers take.
  double secondsFirst = 0; ///< the least of three
  double secondsSteady = 0;
  std::vector<double> secondsMoving; ///< of each frame
};

struct Comparison {
  PlannerRun vitrine;
  PlannerRun liftoff;
};

/**
 * The list as both planners get it: with a desktop behind it where nothing else covers the output, and without what lies
 * wholly under one opaque layer, as wlroots leaves it out.
 */
[[nodiscard]] std::vector<Layer> comparableList(const Board& board, std::vector<Layer> layers);

/** A random board and a comparable list for it, by seed; 0 layers or planes: a few. */
struct RandomScene {
  RandomScene(uint32_t seed, int layerCount, int planeCount);
  Board board;
  std::vector<Layer> layers;
};

/**
 * Both planners on the same board with the same list. libliftoff judges layers by how often their buffer changed in 60
 * frames, so that it gets 70 frames with changes at the layers' rates before it is judged; Vitrine is told the rates.
 */
[[nodiscard]] Comparison compare(const Board& board, const std::vector<Layer>& layers);

} // namespace vitrine::test
