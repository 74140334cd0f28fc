#include "protected-path/planes/plane_assigner.h"

#include <algorithm>

namespace vitrine {

bool PlaneAssigner::solve(const PlanProblem& problem, const AssignmentTask& task, Assignment& result) {
  problem_ = &problem;
  task_ = &task;
  steps_ = 0;
  used_ = 0;
  const size_t needed = static_cast<size_t>(std::popcount(task.set)) + task.slotCount;
  if (needed > problem.planes().size() || !findSides()) return false;
  memberCount_ = 0;
  forEach(task.set, [this](size_t c) { members_[memberCount_++] = static_cast<uint8_t>(c); });
  found_.placed = task.set;
  found_.slotCount = task.slotCount;
  found_.slots = task.slots;
  found_.planeOf.fill(Assignment::noPlane);
  if (!placeSlot(0)) return false;
  result = found_;
  return true;
}

/** Finds out on which side of each composed buffer a candidate may lie; false where one may lie on neither. */
bool PlaneAssigner::findSides() {
  std::array<CandidateSet, Assignment::maximumSlots> composed{};
  for (size_t k = 0; k < task_->slotCount; ++k)
    composed[k] = problem_->candidatesIn(task_->slots[k].first, task_->slots[k].end) & ~task_->set;
  bool possible = true;
  forEach(task_->set, [&](size_t c) {
    const Candidate& candidate = problem_->candidates()[c];
    mayLieAbove_[c] = mayLieBelow_[c] = 0;
    // Below the highest shield that has a plane, too, nothing is seen of what lies under this candidate.
    const CandidateSet shields = candidate.shields & task_->set;
    const size_t shield = shields != 0 ? static_cast<size_t>(std::bit_width(shields)) - 1 : 0;
    const size_t lowest = shields != 0 ? problem_->candidates()[shield].layer + 1 : 0;
    for (size_t k = 0; k < task_->slotCount; ++k) {
      const ComposedSlot& slot = task_->slots[k];
      const CandidateSet lower = composed[k] & candidate.overlapping & below(c) & ~below(shield);
      const CandidateSet upper = composed[k] & candidate.overlapping & ~below(c);
      const bool composedAbove = upper != 0 || slot.holds(candidate.fixedAbove);
      const bool fixedBelow = slot.holds({std::max(lowest, candidate.fixedBelow.lowest), candidate.fixedBelow.highest});
      const bool composedBelow = lower != 0 || (slot.background && shields == 0) || fixedBelow;
      if (!composedAbove) mayLieAbove_[c] |= static_cast<uint8_t>(1U << k);
      // Below the buffer it shows through a hole, which hides what is composed beneath the layer.
      if (slot.hasAlpha && (candidate.solid || !composedBelow)) mayLieBelow_[c] |= static_cast<uint8_t>(1U << k);
    }
    const unsigned all = (1U << task_->slotCount) - 1;
    possible = possible && task_->allowed[c] != 0 && ((mayLieAbove_[c] | mayLieBelow_[c]) & all) == all;
  });
  return possible;
}

bool PlaneAssigner::countStep() {
  return ++steps_ <= maximumSteps && ++frameSteps_ <= maximumFrameSteps;
}

bool PlaneAssigner::placeSlot(size_t slot) {
  if (slot == task_->slotCount) return findOptions() && placeFrom(0);
  for (const uint8_t plane : problem_->orderAbove()) {
    if ((task_->slots[slot].planes & bit(plane)) == 0 || (used_ & bit(plane)) != 0) continue;
    if (slot > 0) {
      const auto lower = static_cast<size_t>(found_.slotPlane[slot - 1]);
      if ((problem_->canLieAbove(lower) & bit(plane)) == 0) continue;
    }
    if (!countStep()) return false;
    used_ |= bit(plane);
    found_.slotPlane[slot] = static_cast<int8_t>(plane);
    if (placeSlot(slot + 1)) return true;
    used_ &= ~bit(plane);
  }
  return false;
}

/** With the composed buffers on their planes: the planes of each candidate; false where they are too few. */
bool PlaneAssigner::findOptions() {
  Options& options = options_[0];
  for (size_t level = 0; level <= task_->slotCount; ++level) {
    PlaneSet reachable = ~used_;
    for (size_t k = 0; k < task_->slotCount; ++k) {
      const auto slotPlane = static_cast<size_t>(found_.slotPlane[k]);
      const bool liesAbove = k < task_->slotCount - level;
      reachable &= liesAbove ? problem_->canLieAbove(slotPlane) : problem_->canLieBelow(slotPlane);
    }
    const auto above = static_cast<uint8_t>((1U << (task_->slotCount - level)) - 1);
    const auto below = static_cast<uint8_t>(((1U << task_->slotCount) - 1) & ~above);
    for (size_t m = 0; m < memberCount_; ++m) {
      const size_t c = members_[m];
      const bool mayLie = (mayLieAbove_[c] & above) == above && (mayLieBelow_[c] & below) == below;
      options[m][level] = mayLie ? task_->allowed[c] & reachable : 0;
    }
  }
  PlaneSet any = 0;
  for (size_t m = 0; m < memberCount_; ++m) {
    const PlaneSet own = planesOf(options[m]);
    if (own == 0) return false;
    any |= own;
  }
  return mayHavePlanes(0, any);
}

/** The planes of a member, on any level. */
PlaneSet PlaneAssigner::planesOf(const Levels& options) const {
  PlaneSet own = 0;
  for (size_t level = 0; level <= task_->slotCount; ++level)
    own |= options[level];
  return own;
}

/** Whether these planes are enough for the members from this one upwards, as far as their number says. */
bool PlaneAssigner::mayHavePlanes(size_t member, PlaneSet planes) const {
  if (task_->needsPrimary && ((used_ | planes) & bit(problem_->primary())) == 0) return false;
  return static_cast<size_t>(std::popcount(planes)) >= memberCount_ - member;
}

bool PlaneAssigner::placeFrom(size_t member) {
  if (member == memberCount_) return isComplete();
  for (size_t level = 0; level <= task_->slotCount; ++level) {
    if (options_[member][member][level] == 0) continue;
    const auto order = level > 0                                           ? problem_->orderBelow()
                       : (task_->cursorFirst & bit(members_[member])) != 0 ? problem_->orderCursorFirst()
                                                                           : problem_->orderAbove();
    for (const uint8_t plane : order) {
      if ((options_[member][member][level] & bit(plane)) == 0) continue;
      if (tryPlane(member, plane, level)) return true;
      if (ranOut()) return false;
    }
  }
  return false;
}

bool PlaneAssigner::tryPlane(size_t member, size_t plane, size_t level) {
  if (!countStep()) return false;
  const size_t candidate = members_[member];
  used_ |= bit(plane);
  found_.planeOf[candidate] = static_cast<int8_t>(plane);
  level_[candidate] = static_cast<uint8_t>(level);
  if (leavePlanes(member, plane, level) && placeFrom(member + 1)) return true;
  used_ &= ~bit(plane);
  found_.planeOf[candidate] = Assignment::noPlane;
  return false;
}

/** What the members above keep after this one got its plane: what overlaps it must lie above it. */
bool PlaneAssigner::leavePlanes(size_t member, size_t plane, size_t level) {
  const CandidateSet overlapping = problem_->candidates()[members_[member]].overlapping;
  const PlaneSet others = ~bit(plane);
  const PlaneSet higher = problem_->canLieAbove(plane) & others;
  const Options& before = options_[member];
  Options& after = options_[member + 1];
  PlaneSet any = 0;
  for (size_t m = member + 1; m < memberCount_; ++m) {
    const bool overlaps = (overlapping & bit(members_[m])) != 0;
    for (size_t at = 0; at <= task_->slotCount; ++at)
      after[m][at] = before[m][at] & (!overlaps ? others : at <= level ? higher : 0);
    const PlaneSet own = planesOf(after[m]);
    if (own == 0) return false;
    any |= own;
  }
  return mayHavePlanes(member + 1, any);
}

bool PlaneAssigner::isComplete() {
  if (task_->needsPrimary && (used_ & bit(problem_->primary())) == 0) return false;
  if (problem_->hasMutableZpos()) return chooseZpos();
  forEach(used_, [this](size_t plane) { found_.zpos[plane] = problem_->planes()[plane]->zpos.minimum; });
  return true;
}

/** Chooses zpos values within the planes' ranges: in the order of the display list, or of overlapping pairs alone. */
bool PlaneAssigner::chooseZpos() {
  itemCount_ = 0;
  for (size_t level = task_->slotCount + 1; level-- > 0;) {
    forEach(task_->set, [&](size_t c) {
      if (level_[c] != level) return;
      items_[itemCount_++] = {static_cast<uint8_t>(found_.planeOf[c]), static_cast<int8_t>(c)};
    });
    if (level == 0) break;
    const size_t slot = task_->slotCount - level; // the lowest of those that lie above what was just added
    items_[itemCount_++] = {static_cast<uint8_t>(found_.slotPlane[slot]), -1};
  }
  return chooseZpos(true) || chooseZpos(false);
}

bool PlaneAssigner::chooseZpos(bool everyPair) {
  for (size_t upper = 0; upper < itemCount_; ++upper) {
    const Plane& plane = *problem_->planes()[items_[upper].plane];
    uint32_t value = plane.zpos.minimum;
    for (size_t lower = 0; lower < upper; ++lower) {
      if (!everyPair && !mustLieBelow(lower, upper)) continue;
      const uint8_t lowerPlane = items_[lower].plane;
      // Equal values are ordered by object id; different ones are clearer to drivers, so they are the first choice.
      const bool mayBeEqual = !everyPair && problem_->planes()[lowerPlane]->id < plane.id;
      value = std::max(value, found_.zpos[lowerPlane] + (mayBeEqual ? 0 : 1));
    }
    if (value > plane.zpos.maximum) return false;
    found_.zpos[items_[upper].plane] = value;
  }
  return true;
}

bool PlaneAssigner::mustLieBelow(size_t lower, size_t upper) const {
  const Item& a = items_[lower];
  const Item& b = items_[upper];
  if (a.candidate < 0 || b.candidate < 0) return true; // a composed buffer is as large as the output
  return (problem_->candidates()[static_cast<size_t>(a.candidate)].overlapping &
          bit(static_cast<size_t>(b.candidate))) != 0;
}

} // namespace vitrine
