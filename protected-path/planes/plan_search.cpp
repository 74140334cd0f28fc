#include "protected-path/planes/plan_search.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vitrine {
namespace {

// Assignments that the hardware is asked about, or its answer recalled, before a layer is left without a plane.
constexpr unsigned asksPerLayer = 8;
constexpr unsigned asksPerMandatoryLayer = 24;
constexpr size_t maximumSplits = 3;
constexpr unsigned maximumReorders = 2;

// To a test EBUSY says that another CRTC has the hardware that this plan needs (komeda), not that a flip is on its way.
bool isNoAnswer(const Result<>& answer) {
  return !answer && isTransient(answer.error()) && answer.error().number != EBUSY;
}

bool hasSameSlots(const Assignment& assignment, const AssignmentTask& task) {
  if (assignment.slotCount != task.slotCount) return false;
  for (size_t k = 0; k < task.slotCount; ++k) {
    const ComposedSlot& a = assignment.slots[k];
    const ComposedSlot& b = task.slots[k];
    if (a.first != b.first || a.end != b.end || a.background != b.background) return false;
  }
  return true;
}

/** Leaves each layer but those in `added`, and each composed buffer, on the plane that it has in `assignment`. */
void pinOthers(AssignmentTask& task, const Assignment& assignment, CandidateSet added) {
  forEach(task.set & ~added, [&](size_t c) { task.allowed[c] &= bit(static_cast<size_t>(assignment.planeOf[c])); });
  for (size_t k = 0; k < task.slotCount; ++k)
    task.slots[k].planes = bit(static_cast<size_t>(assignment.slotPlane[k]));
}

} // namespace

PlanSearch::PlanSearch(PlannerOutput output, std::vector<const Plane*> planes, PlanMemory& memory)
    : memory_(memory), problem_(output, std::move(planes)), assigner_(problem_.planes().size()) {
  order_.reserve(PlanProblem::maximumCandidates);
  bestOrder_.reserve(PlanProblem::maximumCandidates);
  nothingPlaced_.planeOf.fill(Assignment::noPlane);
  nothingPlaced_.slotCount = 1;
  nothingPlaced_.slotPlane[0] = static_cast<int8_t>(problem_.primary());
  if (primary() != nullptr) nothingPlaced_.zpos[problem_.primary()] = primary()->zpos.minimum;
}

const Plane* PlanSearch::primary() const {
  return problem_.planes().empty() ? nullptr : problem_.planes()[problem_.primary()];
}

bool PlanSearch::fitsAnyPlane(const Layer& layer) const {
  const Size size = problem_.output().size;
  const Rect screen{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  return std::ranges::any_of(problem_.planes(), [&](const Plane* plane) {
    if (plane == primary() && !layer.destination.contains(screen)) return false;
    return fitLayer(layer, *plane).refusal == Refusal::None;
  });
}

void PlanSearch::search(std::span<const Layer> layers, std::span<const int8_t> classes, const PlanTest& test,
                        unsigned maximumTests, FramePlan& plan) {
  describe(layers, classes, plan);
  test_ = &test;
  testsLeft_ = maximumTests;
  if (!tryWithoutComposition() && !tryFullest()) buildUp();
  writePlan(chosen_);
  writeReasons();
}

void PlanSearch::composeAll(std::span<const Layer> layers, std::span<const int8_t> classes,
                            std::span<const uint64_t> failedIds, FramePlan& plan) {
  describe(layers, classes, plan);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (std::ranges::contains(failedIds, layers[i].id)) hardwareSaid_[i] = Refusal::PlaneCommitFailed;
  }
  writePlan(chosen_);
  writeReasons();
}

void PlanSearch::describe(std::span<const Layer> layers, std::span<const int8_t> classes, FramePlan& plan) {
  layers_ = layers;
  classes_ = classes;
  plan_ = &plan;
  incomplete_ = false;
  retryAt_ = 0;
  memory_.beginFrame(layers);
  problem_.describe(layers, classes);
  assigner_.beginFrame();
  hardwareSaid_.assign(layers.size(), Refusal::None);
  chooseNone();
  orderCandidates();
}

void PlanSearch::chooseNone() {
  nothingPlaced_.slots[0] = {.end = layers_.size(), .background = true};
  chosen_ = nothingPlaced_;
  companions_ = 0;
}

/** Decides which candidates are worth a plane by themselves, and which planes. */
void PlanSearch::orderCandidates() {
  order_.clear();
  unchanging_ = 0;
  for (const uint8_t c : problem_.byImportance()) {
    const Candidate& candidate = problem_.candidates()[c];
    allowed_[c] = candidate.fits;
    ownPlanes_[c] = candidate.fits;
    if (!candidate.mandatory && !candidate.changes) {
      // It saves nothing, but moves without composition on a plane that nothing else needs.
      ownPlanes_[c] &= candidate.onTop ? problem_.cursorPlanes() : 0;
      unchanging_ |= bit(c);
    }
    if (ownPlanes_[c] != 0) order_.push_back(c);
  }
}

// ---- Layouts of composed content

bool PlanSearch::describeSlots(Layout layout, size_t split, AssignmentTask& task) const {
  const size_t count = layers_.size();
  const FormatInfo* format = formatInfo(problem_.output().composedFourcc);
  const ComposedSlot bottom{.end = layout == Layout::BottomAndAbove ? split : count,
                            .planes = problem_.bottomPlanes(),
                            .background = problem_.backgroundVisible(),
                            .hasAlpha = format != nullptr && format->hasAlpha};
  const ComposedSlot above{.first = layout == Layout::BottomAndAbove ? split : 0,
                           .end = count,
                           .planes = problem_.upperPlanes(),
                           .hasAlpha = true};
  task.needsPrimary = false;
  if (layout == Layout::Bottom) {
    task.slots[0] = bottom;
    task.slotCount = 1;
    return true;
  }
  const CandidateSet composed = problem_.candidatesIn(above.first, above.end) & ~task.set;
  if (above.planes == 0 || (composed == 0 && !above.holds(problem_.fixed()))) return false;
  if (layout == Layout::Above) {
    const auto takesPrimary = [&](size_t c) { return (task.allowed[c] & problem_.bottomPlanes()) != 0; };
    bool possible = false;
    forEach(task.set, [&](size_t c) { possible = possible || takesPrimary(c); });
    task.slots[0] = above;
    task.slotCount = 1;
    task.needsPrimary = true;
    return possible && !problem_.backgroundVisible();
  }
  task.slots = {bottom, above};
  task.slotCount = 2;
  return true;
}

/** Fills in the composed buffers of `task` in every way that may suit its set, until `tryLayout` returns true. */
template<typename Try>
bool PlanSearch::forEachLayout(unsigned buffers, AssignmentTask& task, Try tryLayout) const {
  if (buffers == 1) {
    return (describeSlots(Layout::Bottom, 0, task) && tryLayout()) ||
           (describeSlots(Layout::Above, 0, task) && tryLayout());
  }
  if (problem_.upperPlanes() == 0) return false;
  unsigned splits = 0;
  for (CandidateSet left = task.set; left != 0 && splits < maximumSplits; left &= left - 1) {
    const Candidate& candidate = problem_.candidates()[static_cast<size_t>(std::countr_zero(left))];
    if (!candidate.mandatory) continue;
    ++splits;
    if (describeSlots(Layout::BottomAndAbove, candidate.layer + 1, task) && tryLayout()) return true;
  }
  return false;
}

AssignmentTask PlanSearch::taskFor(CandidateSet set, CandidateSet companions) const {
  AssignmentTask task;
  task.set = set;
  task.cursorFirst = unchanging_;
  forEach(set, [&](size_t c) {
    task.allowed[c] = allowed_[c] & ((companions & bit(c)) != 0 ? ~PlaneSet{0} : ownPlanes_[c]);
  });
  return task;
}

/** The set with all candidates that lie over its members from `lowest` upwards. */
CandidateSet PlanSearch::withWhatCovers(CandidateSet set, size_t lowest) const {
  for (size_t c = lowest; c < problem_.candidates().size(); ++c) {
    if ((set & bit(c)) != 0) set |= problem_.candidates()[c].overlapping & ~below(c);
  }
  return set;
}

/** The set with all candidates that show through its members: so translucent ones can lie below composed content. */
CandidateSet PlanSearch::withWhatShowsThrough(CandidateSet set) const {
  for (size_t c = problem_.candidates().size(); c-- > 0;) {
    const Candidate& candidate = problem_.candidates()[c];
    if ((set & bit(c)) != 0 && !candidate.solid) set |= candidate.overlapping & below(c);
  }
  return set;
}

/**
 * Calls `tryIt` with the sets in which a candidate may find its plane, the smallest first, until it returns true: with one
 * composed buffer, then with two.
 */
template<typename Try>
bool PlanSearch::forEachSetWith(size_t candidate, Try tryIt) {
  const CandidateSet set = chosen_.placed | bit(candidate);
  const std::array<CandidateSet, 4> sets = {set, withWhatCovers(set, candidate), withWhatCovers(set, 0),
                                            withWhatShowsThrough(set)};
  for (const unsigned buffers : {1U, 2U}) {
    CandidateSet last = 0;
    for (const CandidateSet next : sets) {
      const bool fits = static_cast<size_t>(std::popcount(next)) + buffers <= problem_.planes().size();
      if (next != std::exchange(last, next) && fits && tryIt(next, buffers)) return true;
    }
  }
  return false;
}

// ---- Candidates for the plan

bool PlanSearch::tryWithoutComposition() {
  const CandidateSet all = problem_.allCandidates();
  if (all == 0 || problem_.fixed().any() || problem_.backgroundVisible()) return false;
  AssignmentTask task = taskFor(all, all);
  task.slotCount = 0;
  task.needsPrimary = true;
  limitAsks(asksPerLayer);
  if (!moveUntilAccepted(task, all, {})) return false;
  chosen_ = trial_;
  return true;
}

// True also where no layer wants a plane: then there is nothing to ask.
bool PlanSearch::tryFullest() {
  fill();
  // Where a mandatory layer was left out, the others in its way may be worth less than it.
  Assignment best = chosen_;
  CandidateSet bestCompanions = companions_;
  bestOrder_.assign(order_.begin(), order_.end());
  for (unsigned attempt = 0; attempt < maximumReorders; ++attempt) {
    const auto missing = std::ranges::find_if(
        order_, [&](uint8_t c) { return problem_.candidates()[c].mandatory && (chosen_.placed & bit(c)) == 0; });
    if (missing == order_.end()) break;
    std::rotate(order_.begin(), missing, missing + 1);
    chooseNone();
    fill();
    if (mandatoryIn(chosen_.placed) <= mandatoryIn(best.placed)) continue;
    best = chosen_;
    bestCompanions = companions_;
    bestOrder_.assign(order_.begin(), order_.end());
  }
  chosen_ = best;
  companions_ = bestCompanions;
  order_.assign(bestOrder_.begin(), bestOrder_.end());
  limitAsks(1);
  return chosen_.placed == 0 || ask(chosen_).accepted;
}

int PlanSearch::mandatoryIn(CandidateSet set) const {
  int count = 0;
  forEach(set, [&](size_t c) { count += problem_.candidates()[c].mandatory ? 1 : 0; });
  return count;
}

// Adds to the set in hand what has a plane, in the order of importance. A layer that found its plane late may have helped
// an earlier one: it no longer covers it, or it took the primary. Such layers are tried once more.
void PlanSearch::fill() {
  CandidateSet open = ~CandidateSet{0};
  for (int round = 0; round < 2 && open != 0; ++round) {
    CandidateSet helped = 0;
    for (const uint8_t c : order_) {
      if (((chosen_.placed | ~open) & bit(c)) != 0) continue;
      const CandidateSet before = chosen_.placed;
      helped &= ~bit(c);
      if (!addCandidate(c)) continue;
      forEach(chosen_.placed & ~before, [&](size_t added) {
        const Candidate& candidate = problem_.candidates()[added];
        const bool takesPrimary = (candidate.fits & problem_.bottomPlanes()) != 0;
        helped |= takesPrimary ? ~CandidateSet{0} : candidate.overlapping;
      });
    }
    open = helped;
  }
}

bool PlanSearch::addCandidate(size_t candidate) {
  return forEachSetWith(candidate, [&](CandidateSet set, unsigned buffers) {
    const CandidateSet companions = companions_ | (set & ~chosen_.placed & ~bit(candidate));
    AssignmentTask task = taskFor(set, companions);
    if (!forEachLayout(buffers, task, [&] { return assigner_.solve(problem_, task, trial_); })) return false;
    companions_ = companions;
    chosen_ = trial_;
    return true;
  });
}

// What is known after a layer's last test is built on in the next frame: it begins with the same layers.
void PlanSearch::buildUp() {
  chooseNone();
  for (const uint8_t c : order_) {
    if ((chosen_.placed & bit(c)) != 0) continue;
    if (incomplete_ && testsLeft_ == 0) {
      noteRefusal(c, {.refusal = Refusal::PlaneTestRefused});
      continue;
    }
    limitAsks(problem_.candidates()[c].mandatory ? asksPerMandatoryLayer : asksPerLayer);
    const auto add = [&](CandidateSet set, unsigned buffers) { return addTested(set, c, buffers); };
    if (forEachSetWith(c, add)) hardwareSaid_[problem_.candidates()[c].layer] = Refusal::None;
  }
}

// Asks for the set with its new members on one plane after the other: first with all others where they were accepted,
// then with all others free to move. For a mandatory layer the earlier ones are moved as well.
bool PlanSearch::addTested(CandidateSet set, size_t candidate, unsigned buffers) {
  const CandidateSet added = set & ~chosen_.placed;
  const CandidateSet companions = companions_ | (added & ~bit(candidate));
  const CandidateSet movable = problem_.candidates()[candidate].mandatory ? set : added;
  AssignmentTask task = taskFor(set, companions);
  const bool accepted = forEachLayout(buffers, task, [&] {
    if (asksEnded_) return false;
    if (chosen_.placed != 0 && hasSameSlots(chosen_, task)) {
      // If no place was found with every layer free to move, pinning layers finds none.
      if (!assigner_.solve(problem_, task, trial_) && !assigner_.ranOut()) return false;
      AssignmentTask pinned = task;
      pinOthers(pinned, chosen_, added);
      if (moveUntilAccepted(pinned, movable, candidate)) return true;
    }
    const size_t upper = task.slotCount - 1;
    bool done = false;
    const PlaneSet upperPlanes = task.slots[upper].planes;
    forEach(upperPlanes, [&](size_t plane) {
      task.slots[upper].planes = bit(plane);
      done = done || moveUntilAccepted(task, movable, candidate);
    });
    task.slots[upper].planes = upperPlanes;
    return done;
  });
  if (!accepted) return false;
  chosen_ = trial_;
  companions_ = companions;
  return true;
}

/**
 * Asks for the task's first assignment, then with one of the `movable` candidates after the other on its other planes: the
 * `newest` first, then by importance. What the hardware has against it is noted for the newest. The task is left as it was.
 */
bool PlanSearch::moveUntilAccepted(AssignmentTask& task, CandidateSet movable, std::optional<size_t> newest) {
  if (asksEnded_ || !assigner_.solve(problem_, task, trial_)) return false;
  const auto onPrimary = [&](size_t c) { return trial_.planeOf[c] == static_cast<int8_t>(problem_.primary()); };
  const auto answerFor = [&] {
    const PlanMemory::Answer answer = ask(trial_);
    if (!answer.accepted) {
      forEach(trial_.placed, [&](size_t c) {
        if (newest ? c == *newest : onPrimary(c)) noteRefusal(c, answer);
      });
    }
    return answer;
  };
  PlanMemory::Answer answer = answerFor();
  // A failed commit speaks against these layers on other planes too.
  const auto isDone = [&] { return answer.accepted || answer.refusal == Refusal::PlaneCommitFailed || asksEnded_; };
  const auto first = trial_.planeOf;
  // A plane that refuses the layer alone refuses it in every set.
  const bool alone = std::popcount(task.set) == 1 && task.slotCount == 1 && !task.needsPrimary;
  const auto move = [&](size_t c) {
    const PlaneSet saved = task.allowed[c];
    int8_t plane = first[c];
    while (!isDone()) {
      task.allowed[c] &= ~bit(static_cast<size_t>(plane));
      if (alone) allowed_[c] &= ~bit(static_cast<size_t>(plane));
      if (!assigner_.solve(problem_, task, trial_)) break;
      answer = answerFor();
      plane = trial_.planeOf[c];
    }
    task.allowed[c] = saved;
  };
  if (newest) move(*newest);
  for (const uint8_t c : problem_.byImportance()) {
    if ((movable & bit(c)) != 0 && c != newest) move(c);
  }
  return answer.accepted;
}

/** What the hardware says to an assignment, if it is known or a test is left; the part of the search in hand ends otherwise. */
PlanMemory::Answer PlanSearch::ask(const Assignment& assignment) {
  constexpr PlanMemory::Answer none{.refusal = Refusal::PlaneTestRefused};
  asksEnded_ = asksLeft_ == 0;
  if (asksEnded_) return none;
  --asksLeft_;
  writePlan(assignment);
  const uint64_t shape = memory_.shapeOf(*plan_);
  auto answer = memory_.recall(*plan_, shape);
  if (!answer && testsLeft_ > 0) {
    --testsLeft_;
    const auto result = (*test_)(*plan_);
    if (!isNoAnswer(result)) answer = memory_.testAnswered(*plan_, shape, result.has_value());
  }
  if (!answer) {
    incomplete_ = asksEnded_ = true;
    return none;
  }
  if (answer->until != 0 && (retryAt_ == 0 || answer->until < retryAt_)) retryAt_ = answer->until;
  return *answer;
}

void PlanSearch::noteRefusal(size_t candidate, const PlanMemory::Answer& answer) {
  const size_t layer = problem_.candidates()[candidate].layer;
  const bool scaling = answer.refusal == Refusal::PlaneTestRefused && needsScaling(layers_[layer]);
  hardwareSaid_[layer] = scaling ? Refusal::PlaneScaling : answer.refusal;
}

} // namespace vitrine
