#pragma once

#include <span>
#include <string>
#include <vector>

#include "protected-path/planes/planner.h"

namespace vitrine::test {

/** What a display controller takes beyond what its properties say. */
struct BoardRules {
  struct OfPlane {
    uint32_t planeId = 0;
    double leastScale = 1; ///< destination / source; 1 and 1: no scaling
    double mostScale = 1;
    std::vector<Size> sizes;      ///< of the buffer; empty: any
    uint32_t mostSourceWidth = 0; ///< pixels; 0: any
  };
  std::vector<OfPlane> planes;   ///< planes that are not listed do not scale
  unsigned mostPlanes = 64;      ///< at once
  unsigned mostScaled = 64;      ///< at once
  unsigned mostYuv = 64;         ///< at once
  double mostBandwidth = 1e9;    ///< source pixels of all planes, as a multiple of the output's
  bool primaryNeeded = false;    ///< the primary is on whenever another plane is
  bool cursorNotOverYuv = false; ///< the cursor inherits what the plane under it does (amdgpu)
};

/** A display controller by its plane table and its rules. */
struct Board {
  std::string name;
  std::string source; ///< where its facts are from
  std::vector<Plane> planes;
  PlannerOutput output;
  BoardRules rules;
};

/** What the board's TEST_ONLY says. */
[[nodiscard]] bool accepts(const Board& board, std::span<const Layer> layers, const FramePlan& plan);

/** Real display controllers. */
[[nodiscard]] std::vector<Board> knownBoards();

} // namespace vitrine::test
