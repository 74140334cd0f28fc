#pragma once

#include "protected-path/planes/plan_memory.h"
#include "protected-path/planes/plane_assigner.h"
#include "protected-path/planes/planner.h"

namespace vitrine {

/**
 * The search for one frame's plan; the algorithm is described at the top of planner.cpp. Keeps its memory from frame to
 * frame.
 */
class PlanSearch {
public:
  /** `planes` in their default order from the lowest, with the primary among them, or none at all. Borrows `memory`. */
  PlanSearch(PlannerOutput output, std::vector<const Plane*> planes, PlanMemory& memory);

  [[nodiscard]] const Plane* primary() const;
  /** Whether some plane takes the layer, as far as properties say. */
  [[nodiscard]] bool fitsAnyPlane(const Layer& layer) const;

  /** Finds the best plan that `test` accepts. `classes` has changeClass() for each layer. */
  void search(std::span<const Layer> layers, std::span<const int8_t> classes, const PlanTest& test,
              unsigned maximumTests, FramePlan& plan);
  /** The plan without any plane, for when planes failed; layers in `failedIds` have PlaneCommitFailed. */
  void composeAll(std::span<const Layer> layers, std::span<const int8_t> classes, std::span<const uint64_t> failedIds,
                  FramePlan& plan);

  /** Whether the last search lacks an answer: a test failed for a transient reason, or no test was left. */
  [[nodiscard]] bool isIncomplete() const { return incomplete_; }
  /** When the first of the refusals that the last search met is forgotten; 0 where it met none. */
  [[nodiscard]] Nanoseconds retryAt() const { return retryAt_; }
  /** Boxes compared, properties looked at and planes tried by the last search. */
  [[nodiscard]] uint64_t steps() const { return problem_.steps() + assigner_.frameSteps(); }

private:
  using AllowedPlanes = std::array<PlaneSet, PlanProblem::maximumCandidates>;

  // The frame.
  void describe(std::span<const Layer> layers, std::span<const int8_t> classes, FramePlan& plan);
  void chooseNone();
  void orderCandidates();

  // Ways to show what is composed: below all, above a layer on the primary, or both with layers between.
  enum class Layout : uint8_t { Bottom, Above, BottomAndAbove };
  bool describeSlots(Layout layout, size_t split, AssignmentTask& task) const;
  template<typename Try>
  bool forEachLayout(unsigned buffers, AssignmentTask& task, Try tryLayout) const;

  // Candidates for the plan, in the order in which they are tried.
  bool tryWithoutComposition();
  bool tryFullest();
  void fill();
  bool addCandidate(size_t candidate);
  void buildUp();
  bool addTested(CandidateSet set, size_t candidate, unsigned buffers);
  bool moveUntilAccepted(AssignmentTask& task, CandidateSet movable, std::optional<size_t> newest);
  AssignmentTask taskFor(CandidateSet set, CandidateSet companions) const;
  CandidateSet withWhatCovers(CandidateSet set, size_t lowest) const;
  CandidateSet withWhatShowsThrough(CandidateSet set) const;
  template<typename Try>
  bool forEachSetWith(size_t candidate, Try tryIt);
  int mandatoryIn(CandidateSet set) const;

  void limitAsks(unsigned most) { asksLeft_ = most, asksEnded_ = false; }
  PlanMemory::Answer ask(const Assignment& assignment);
  void noteRefusal(size_t candidate, const PlanMemory::Answer& answer);

  // The plan and its reasons (plan_reasons.cpp).
  void writePlan(const Assignment& assignment);
  void writeReasons();
  Refusal reasonFor(size_t layer) const;
  Refusal lackingPlace(const Candidate& candidate) const;

  PlanMemory& memory_;
  PlanProblem problem_;
  PlaneAssigner assigner_;

  std::span<const Layer> layers_; ///< these five only during a call
  std::span<const int8_t> classes_;
  FramePlan* plan_ = nullptr;
  const PlanTest* test_ = nullptr;
  unsigned testsLeft_ = 0; ///< in this frame
  unsigned asksLeft_ = 0;  ///< for the layer in hand
  bool asksEnded_ = false; ///< for it, without an answer
  bool incomplete_ = false;
  Nanoseconds retryAt_ = 0;

  AllowedPlanes allowed_;             ///< per candidate: planes that it may have in this frame
  AllowedPlanes ownPlanes_;           ///< per candidate: planes that it is worth by itself
  std::vector<uint8_t> order_;        ///< candidates that are worth a plane, by importance
  std::vector<uint8_t> bestOrder_;    ///< of those tried, the one with most mandatory layers on planes
  std::vector<Refusal> hardwareSaid_; ///< per layer: why the hardware did not take it
  CandidateSet unchanging_ = 0;       ///< candidates that never change
  CandidateSet companions_ = 0;       ///< of the set in hand: those on planes for what lies under them
  Assignment nothingPlaced_;          ///< everything composed
  Assignment chosen_;                 ///< the set in hand and its planes
  Assignment trial_;                  ///< the set being tried
};

} // namespace vitrine
