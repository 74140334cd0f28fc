#pragma once

#include "protected-path/planes/plan_problem.h"

namespace vitrine {

/** Planes for a set of candidates and for the composed buffers, with their order. */
struct Assignment {
  static constexpr int8_t noPlane = -1;
  static constexpr size_t maximumSlots = 2;

  std::array<int8_t, PlanProblem::maximumCandidates> planeOf; ///< per candidate
  std::array<ComposedSlot, maximumSlots> slots;
  std::array<int8_t, maximumSlots> slotPlane;
  size_t slotCount = 0;
  CandidateSet placed = 0;
  std::array<uint32_t, PlanProblem::maximumPlanes> zpos; ///< per plane, of those in use
};

/** What is asked of the assigner. */
struct AssignmentTask {
  CandidateSet set = 0; ///< candidates that need a plane; all others are composed
  std::array<PlaneSet, PlanProblem::maximumCandidates> allowed; ///< per candidate of the set
  std::array<ComposedSlot, Assignment::maximumSlots> slots;     ///< composed buffers, from the lowest
  size_t slotCount = 0;
  bool needsPrimary = false;    ///< the primary must show one of the candidates
  CandidateSet cursorFirst = 0; ///< candidates that try cursor planes before overlays
};

/**
 * Finds planes and an order of planes on which the picture is right. It does not know what is worth a plane, and does
 * not ask the hardware.
 *
 * Depth first: the composed buffers, then the candidates from the lowest. A candidate is tried above all composed buffers
 * first (no hole), then between them, then below them. Each placement takes from all candidates that are left the planes
 * that can no longer be theirs, so that a dead end is seen where it begins. The number of placements per call and per
 * frame is bounded.
 */
class PlaneAssigner {
public:
  static constexpr unsigned maximumSteps = 32;        ///< per solve()
  static constexpr unsigned maximumFrameSteps = 4096; ///< from one beginFrame() to the next

  /** For problems with so many planes. */
  explicit PlaneAssigner(size_t planes) : options_(planes + 1) {}

  void beginFrame() { frameSteps_ = 0; }
  [[nodiscard]] unsigned frameSteps() const { return frameSteps_; }

  /** Fills `result`, or returns false and leaves it alone. */
  [[nodiscard]] bool solve(const PlanProblem& problem, const AssignmentTask& task, Assignment& result);
  /** Whether the last solve() failed at a step limit, so that nothing is proven. */
  [[nodiscard]] bool ranOut() const { return steps_ > maximumSteps || frameSteps_ > maximumFrameSteps; }

private:
  bool findSides();
  bool placeSlot(size_t slot);
  bool findOptions();
  bool placeFrom(size_t member);
  bool tryPlane(size_t member, size_t plane, size_t level);
  bool leavePlanes(size_t member, size_t plane, size_t level);
  bool countStep();
  bool isComplete();
  bool chooseZpos();
  bool chooseZpos(bool everyPair);
  bool mustLieBelow(size_t lower, size_t upper) const;

  /** One thing in the stack while zpos is chosen: a candidate, or a composed buffer. */
  struct Item {
    uint8_t plane = 0;
    int8_t candidate = -1; ///< -1: a composed buffer
  };

  const PlanProblem* problem_ = nullptr; ///< these two only during solve()
  const AssignmentTask* task_ = nullptr;
  Assignment found_;
  unsigned steps_ = 0;
  unsigned frameSteps_ = 0;
  PlaneSet used_ = 0;
  std::array<uint8_t, PlanProblem::maximumCandidates> mayLieAbove_; ///< per candidate, a bit per slot
  std::array<uint8_t, PlanProblem::maximumCandidates> mayLieBelow_;
  /** Planes that a member of the set may still have, by the number of slots above it. */
  using Levels = std::array<PlaneSet, Assignment::maximumSlots + 1>;
  using Options = std::array<Levels, PlanProblem::maximumPlanes>; ///< per member
  [[nodiscard]] PlaneSet planesOf(const Levels& options) const;
  [[nodiscard]] bool mayHavePlanes(size_t member, PlaneSet planes) const;

  std::vector<Options> options_;                            ///< with so many members placed
  std::array<uint8_t, PlanProblem::maximumPlanes> members_; ///< candidates of the set, from the lowest
  size_t memberCount_ = 0;
  std::array<uint8_t, PlanProblem::maximumCandidates> level_; ///< of placed candidates: number of slots above
  std::array<Item, PlanProblem::maximumPlanes> items_;
  size_t itemCount_ = 0;
};

} // namespace vitrine
