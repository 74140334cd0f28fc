#pragma once

#include "protected-path/planes/plan_memory.h"
#include "protected-path/planes/plane_assigner.h"
#include "protected-path/planes/planner.h"

namespace vitrine {

/**
 * The search for one frame's plan; the algorithm is told at the top of planner.cpp. Keeps its memory from frame to
 * frame.
 */
class PlanSearch {
public:
  /** `planes` from the lowest, with the primary among them, or none at all. Borrows `memory`. */
  PlanSearch(PlannerOutput output, std::vector<const Plane*> planes, PlanMemory& memory);

  [[nodiscard]] const Plane* primary() const;

  /** Finds the best plan that `test` accepts. `classes` has changeClass() for each layer. */
  void search(std::span<const Layer> layers, std::span<const int8_t> classes, const PlanTest& test,
              unsigned maximumTests, FramePlan& plan);
  /** Whether a test of the last search failed in passing, so that nothing was learned from it. */
  [[nodiscard]] bool lacksAnswers() const { return lacksAnswers_; }
  /** The plan without any plane, for when planes failed; layers in `failedIds` have PlaneCommitFailed. */
  void composeAll(std::span<const Layer> layers, std::span<const int8_t> classes, std::span<const uint64_t> failedIds,
                  FramePlan& plan);

private:
  using Assignment = std::vector<int8_t>; ///< plane index per layer, or PlaneAssigner::noPlane

  // The frame as the search sees it.
  void describe(std::span<const Layer> layers, std::span<const int8_t> classes, FramePlan& plan);
  void orderLayers();
  bool fitsOffPrimary(size_t layer) const;
  bool isOnTop(size_t layer) const;
  double saving(size_t layer) const;

  // Candidates, in the order in which they are tried.
  bool tryDirect();
  bool tryFullest();
  void buildUp();
  bool takeIn(size_t layer);
  bool extendTested(size_t layer);
  bool addAbove(size_t lowest, std::vector<Wish>& set) const;
  PlanMemory::Verdict ask(const Assignment& planeOf, bool composes);

  // The plan and its reasons (plan_reasons.cpp).
  void writePlan(const Assignment& planeOf, bool composes);
  Refusal reasonFor(size_t layer, const Assignment& planeOf) const;
  Refusal lackingProperty(size_t layer) const;
  Refusal lackingPlace(size_t layer, const Assignment& planeOf) const;

  PlannerOutput output_;
  std::vector<const Plane*> planes_;
  PlanMemory& memory_;
  PlaneAssigner assigner_;
  AssignmentProblem problem_;

  std::span<const Layer> layers_; ///< these five only during a call
  std::span<const int8_t> classes_;
  FramePlan* plan_ = nullptr;
  const PlanTest* test_ = nullptr;
  unsigned testsLeft_ = 0;
  bool lacksAnswers_ = false;

  std::vector<size_t> order_;   ///< layers that want a plane, by importance
  std::vector<Wish> ownWishes_; ///< per layer
  std::vector<Refusal> blame_;  ///< per layer: what the hardware had against it
  std::vector<Wish> wishes_;    ///< the set in hand and its planes
  Assignment assignment_;
  std::vector<Wish> trial_; ///< the set being tried
  Assignment trialAssignment_;
  std::vector<Wish> unplaced_; ///< for writePlan(): None for what is not on a plane
};

} // namespace vitrine
