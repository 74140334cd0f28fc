#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "protected-path/planes/layer_fit.h"
#include "protected-path/planes/planner.h"

namespace vitrine {

/** Sets of candidates and of planes, one bit each by their index. */
using CandidateSet = uint64_t;
using PlaneSet = uint64_t;

/** The members of a set, as indices from the lowest. */
template<typename Visit>
void forEach(uint64_t set, Visit visit) {
  for (; set != 0; set &= set - 1)
    visit(static_cast<size_t>(std::countr_zero(set)));
}
[[nodiscard]] constexpr uint64_t bit(size_t index) {
  return uint64_t{1} << index;
}
/** The members below `index`. */
[[nodiscard]] constexpr uint64_t below(size_t index) {
  return index >= 64 ? ~uint64_t{0} : bit(index) - 1;
}

/** The lowest and the highest of some layers of the display list; `lowest` > `highest` where there are none. */
struct LayerRange {
  size_t lowest = SIZE_MAX;
  size_t highest = 0;
  void add(size_t layer) {
    lowest = layer < lowest ? layer : lowest;
    highest = layer > highest ? layer : highest;
  }
  [[nodiscard]] bool any() const { return lowest <= highest; }
};

/** A layer that a plane may show. */
struct Candidate {
  size_t layer = 0;             ///< index in the display list
  PlaneSet fits = 0;            ///< planes that take it, as far as properties say
  PlaneSet opaqueFormat = 0;    ///< of these, planes that take its format's variant without alpha
  CandidateSet overlapping = 0; ///< candidates whose visible boxes overlap its own
  CandidateSet shields = 0;     ///< solid candidates below it that hide all that lies under them from it
  LayerRange fixedAbove;        ///< overlapping layers above it that are composed in any plan
  LayerRange fixedBelow;        ///< the same, below it
  bool solid = false;           ///< hides everything that lies under it
  bool mandatory = false;
  bool changes = false; ///< often enough to be worth a plane
  bool onTop = false;   ///< nothing lies over it
  double saving = 0;    ///< composed pixels per second that a plane saves
};

/** A group of neighbouring layers that are composed into one buffer. */
struct ComposedSlot {
  size_t first = 0; ///< layers of the display list: [first, end)
  size_t end = 0;
  PlaneSet planes = 0;     ///< planes that may show the buffer
  bool background = false; ///< the background is part of it
  bool hasAlpha = false;   ///< layers may lie below it
  [[nodiscard]] bool holds(const LayerRange& range) const {
    return range.any() && range.lowest < end && range.highest >= first;
  }
};

/**
 * One frame as the search sees it: which layers may go on which planes, and which of them overlap. Keeps its memory
 * from frame to frame.
 *
 * Only the most important layers become candidates, `candidatesPerPlane` times the number of planes, so that the cost of
 * a search does not depend on how many surfaces clients create. All others are composed.
 */
class PlanProblem {
public:
  static constexpr size_t maximumPlanes = 64;
  static constexpr size_t maximumCandidates = 64;
  static constexpr size_t candidatesPerPlane = 4;
  static constexpr size_t maximumExamined = 256; ///< layers whose fit is looked at, by importance
  static constexpr size_t maximumCovers = 16;    ///< opaque boxes that are known to hide others, by area

  /** `planes` in their default order from the lowest, with the primary among them, or empty. */
  PlanProblem(PlannerOutput output, std::vector<const Plane*> planes);

  void describe(std::span<const Layer> layers, std::span<const int8_t> classes);

  [[nodiscard]] const PlannerOutput& output() const { return output_; }
  [[nodiscard]] std::span<const Plane* const> planes() const { return planes_; }
  [[nodiscard]] size_t primary() const { return primary_; }
  [[nodiscard]] bool isPrimary(size_t plane) const { return plane == primary_; }
  /** Planes of type cursor. */
  [[nodiscard]] PlaneSet cursorPlanes() const { return cursorPlanes_; }
  /** Planes that show the composed buffer that lies at the bottom: the primary. */
  [[nodiscard]] PlaneSet bottomPlanes() const { return planes_.empty() ? 0 : bit(primary_); }
  /** Planes that can show a composed buffer above others. */
  [[nodiscard]] PlaneSet upperPlanes() const { return upperPlanes_; }
  /** Planes that can lie above this one. */
  [[nodiscard]] PlaneSet canLieAbove(size_t plane) const { return canLieAbove_[plane]; }
  /** Planes that can lie below this one. */
  [[nodiscard]] PlaneSet canLieBelow(size_t plane) const { return canLieBelow_[plane]; }
  [[nodiscard]] bool hasMutableZpos() const { return hasMutableZpos_; }
  /** Planes in the order in which they are tried: for a layer above all composed content, and below some of it. */
  [[nodiscard]] std::span<const uint8_t> orderAbove() const { return orderAbove_; }
  [[nodiscard]] std::span<const uint8_t> orderBelow() const { return orderBelow_; }
  [[nodiscard]] std::span<const uint8_t> orderCursorFirst() const { return orderCursorFirst_; }

  [[nodiscard]] std::span<const Candidate> candidates() const { return candidates_; }
  /** Candidates by importance: mandatory ones first, then those that change, then by saving. */
  [[nodiscard]] std::span<const uint8_t> byImportance() const { return byImportance_; }
  [[nodiscard]] CandidateSet allCandidates() const { return below(candidates_.size()); }
  /** Candidates that lie in this range of the display list. */
  [[nodiscard]] CandidateSet candidatesIn(size_t first, size_t end) const;
  /** Layers that are to be seen and that no plane can show. */
  [[nodiscard]] const LayerRange& fixed() const { return fixed_; }
  [[nodiscard]] bool backgroundVisible() const { return backgroundVisible_; }

  [[nodiscard]] const Rect& visible(size_t layer) const { return visible_[layer]; }
  /** Why properties rule out every plane for this layer, by the plane that came nearest; None for a candidate. */
  [[nodiscard]] Refusal lacking(size_t layer) const { return lacking_[layer]; }
  /** The candidate of this layer, or -1. */
  [[nodiscard]] int candidateOf(size_t layer) const { return candidateOf_[layer]; }
  [[nodiscard]] uint64_t steps() const { return steps_; }

private:
  void orderPlanes();
  void findVisible(std::span<const Layer> layers);
  void chooseCandidates(std::span<const Layer> layers, std::span<const int8_t> classes);
  bool examine(const Layer& layer, size_t index, Candidate& candidate);
  void relate();

  PlannerOutput output_;
  std::vector<const Plane*> planes_;
  size_t primary_ = 0;
  PlaneSet cursorPlanes_ = 0;
  PlaneSet upperPlanes_ = 0;
  std::vector<PlaneSet> canLieAbove_;
  std::vector<PlaneSet> canLieBelow_;
  bool hasMutableZpos_ = false;
  std::vector<uint8_t> orderAbove_;
  std::vector<uint8_t> orderBelow_;
  std::vector<uint8_t> orderCursorFirst_;

  std::vector<Rect> visible_; ///< per layer: what is to be seen of its box; empty where nothing is
  std::vector<Refusal> lacking_;
  std::vector<int8_t> candidateOf_;
  std::vector<Candidate> candidates_;
  std::vector<uint8_t> byImportance_;
  struct Ranked {
    size_t layer;
    bool mandatory;
    bool changes;
    double saving;
  };
  std::vector<Ranked> ranked_;
  LayerRange fixed_;
  bool backgroundVisible_ = true;
  uint64_t steps_ = 0;
};

} // namespace vitrine
