#include "protected-path/planes/plan_search.h"

#include <algorithm>
#include <cerrno>

namespace vitrine {
namespace {

bool mayUsePlane(const Layer& layer) {
  return layer.showRefusal == Refusal::None && layer.planeRefusal == Refusal::None && layer.fourcc != 0;
}

bool isSolid(const Layer& layer) {
  return layer.opaque && layer.alpha == 0xffff;
}

// To a test EBUSY says that another CRTC has the hardware that this plan needs (komeda), not that a flip is on its way.
bool isNoAnswer(const Result<>& answer) {
  return !answer && isTransient(answer.error()) && answer.error().number != EBUSY;
}

} // namespace

PlanSearch::PlanSearch(PlannerOutput output, std::vector<const Plane*> planes, PlanMemory& memory)
    : output_(output), planes_(std::move(planes)), memory_(memory) {
  problem_.planes = planes_;
  const auto primary = std::ranges::find(planes_, PlaneType::Primary, [](const Plane* plane) { return plane->type; });
  problem_.primary = static_cast<size_t>(primary - planes_.begin());
}

const Plane* PlanSearch::primary() const {
  return planes_.empty() ? nullptr : planes_[problem_.primary];
}

void PlanSearch::search(std::span<const Layer> layers, std::span<const int8_t> classes, const PlanTest& test,
                        unsigned maximumTests, FramePlan& plan) {
  describe(layers, classes, plan);
  test_ = &test;
  testsLeft_ = maximumTests;
  orderLayers();
  if (tryDirect() || tryFullest()) return;
  buildUp();
  writePlan(assignment_, true);
}

void PlanSearch::composeAll(std::span<const Layer> layers, std::span<const int8_t> classes,
                            std::span<const uint64_t> failedIds, FramePlan& plan) {
  describe(layers, classes, plan);
  orderLayers();
  for (size_t i = 0; i < layers.size(); ++i) {
    if (std::ranges::contains(failedIds, layers[i].id)) blame_[i] = Refusal::PlaneCommitFailed;
  }
  writePlan(assignment_, true);
}

void PlanSearch::describe(std::span<const Layer> layers, std::span<const int8_t> classes, FramePlan& plan) {
  layers_ = layers;
  classes_ = classes;
  plan_ = &plan;
  lacksAnswers_ = false;
  const size_t count = layers.size();
  const Rect screen{0, 0, static_cast<int32_t>(output_.size.width), static_cast<int32_t>(output_.size.height)};
  problem_.visible.resize(count);
  problem_.fits.resize(count * planes_.size());
  assigner_.beginFrame();
  blame_.assign(count, Refusal::None);
  wishes_.assign(count, Wish::None);
  assignment_.assign(count, PlaneAssigner::noPlane);
  for (size_t i = count; i-- > 0;) {
    Rect& visible = problem_.visible[i];
    visible = intersect(layers[i].destination, screen);
    for (size_t above = i + 1; above < count; ++above) {
      if (isSolid(layers[above]) && problem_.visible[above].contains(visible)) visible = {};
    }
    for (size_t p = 0; p < planes_.size(); ++p) {
      const bool possible = mayUsePlane(layers[i]) && (p != problem_.primary || visible == screen);
      problem_.fits[i * planes_.size() + p] =
          possible ? fitLayer(layers[i], *planes_[p], problem_.place(p)) : LayerFit{Refusal::PlaneNone};
    }
  }
}

bool PlanSearch::fitsOffPrimary(size_t layer) const {
  for (size_t p = 0; p < planes_.size(); ++p) {
    if (p != problem_.primary && problem_.fit(layer, p).refusal == Refusal::None) return true;
  }
  return false;
}

bool PlanSearch::isOnTop(size_t layer) const {
  for (size_t above = layer + 1; above < layers_.size(); ++above) {
    if (overlaps(problem_.visible[above], problem_.visible[layer])) return false;
  }
  return true;
}

double PlanSearch::saving(size_t layer) const {
  const Rect& box = problem_.visible[layer];
  return static_cast<double>(box.width) * box.height * classRate(classes_[layer]);
}

void PlanSearch::orderLayers() {
  ownWishes_.assign(layers_.size(), Wish::None);
  order_.clear();
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (problem_.visible[i].empty() || !fitsOffPrimary(i)) continue;
    if (isMandatory(layers_[i]) || classes_[i] > 0) {
      ownWishes_[i] = Wish::AnyPlane;
    } else if (isOnTop(i)) {
      ownWishes_[i] = Wish::CursorPlane;
    } else {
      continue;
    }
    order_.push_back(i);
  }
  std::ranges::sort(order_, [this](size_t a, size_t b) {
    if (isMandatory(layers_[a]) != isMandatory(layers_[b])) return isMandatory(layers_[a]);
    const double savedByA = saving(a);
    const double savedByB = saving(b);
    return savedByA != savedByB ? savedByA > savedByB : a > b;
  });
}

// One layer that covers the output goes to the primary, everything above it to planes above.
bool PlanSearch::tryDirect() {
  const size_t count = layers_.size();
  size_t base = count;
  trial_.assign(count, Wish::None);
  while (base-- > 0) {
    if (problem_.visible[base].empty()) continue;
    trial_[base] = Wish::AnyPlane;
    if (!planes_.empty() && problem_.fit(base, problem_.primary).refusal == Refusal::None) break;
    if (!fitsOffPrimary(base)) return false;
  }
  if (base >= count || !assigner_.solve(problem_, trial_, base, trialAssignment_)) return false;
  const PlanMemory::Verdict verdict = ask(trialAssignment_, false);
  if (!verdict.accepted)
    blame_[base] = needsScaling(layers_[base]) && verdict.refusal == Refusal::PlaneTestRefused ? Refusal::PlaneScaling
                                                                                               : verdict.refusal;
  return verdict.accepted;
}

// True also where no layer wants a plane: then there is nothing to ask. On success the plan is written.
bool PlanSearch::tryFullest() {
  // Another round where one took in what it could, since a layer that found its plane late may have uncovered an
  // earlier one.
  for (int round = 0, taken = 1; round < 2 && taken > 0; ++round) {
    taken = 0;
    for (const size_t layer : order_) {
      if (wishes_[layer] != Wish::None || !takeIn(layer)) continue;
      wishes_.swap(trial_);
      assignment_.swap(trialAssignment_);
      ++taken;
    }
  }
  if (std::ranges::all_of(wishes_, [](Wish wish) { return wish == Wish::None; })) {
    writePlan(assignment_, true);
    return true;
  }
  return ask(assignment_, true).accepted;
}

// Tries the set in hand with one layer more, then with all that covers that layer too, then with all that covers any of
// the set (which frees an underlay for this layer). The result is in the trial.
bool PlanSearch::takeIn(size_t layer) {
  trial_ = wishes_;
  trial_[layer] = ownWishes_[layer];
  const auto solve = [this] { return assigner_.solve(problem_, trial_, PlaneAssigner::noLayer, trialAssignment_); };
  return solve() || (addAbove(layer, trial_) && solve()) || (addAbove(0, trial_) && solve());
}

// Adds to the set whatever overlaps its layers from `lowest` upwards. False where there is nothing, or nothing for a
// plane.
bool PlanSearch::addAbove(size_t lowest, std::vector<Wish>& set) const {
  bool added = false;
  for (size_t above = lowest + 1; above < layers_.size(); ++above) {
    if (set[above] != Wish::None) continue;
    for (size_t below = lowest; below < above; ++below) {
      if (set[below] == Wish::None || !overlaps(problem_.visible[below], problem_.visible[above])) continue;
      if (!fitsOffPrimary(above)) return false;
      set[above] = Wish::AnyPlane;
      added = true;
      break;
    }
  }
  return added;
}

void PlanSearch::buildUp() {
  wishes_.assign(layers_.size(), Wish::None);
  assignment_.assign(layers_.size(), PlaneAssigner::noPlane);
  for (const size_t layer : order_) {
    if (wishes_[layer] != Wish::None) continue;
    trial_ = wishes_;
    trial_[layer] = ownWishes_[layer];
    if (extendTested(layer) || (addAbove(layer, trial_) && extendTested(layer))) {
      wishes_.swap(trial_);
      assignment_.swap(trialAssignment_);
      blame_[layer] = Refusal::None;
    }
  }
}

// Asks for the trial's set, moving `layer` from plane to plane until one is accepted.
bool PlanSearch::extendTested(size_t layer) {
  uint64_t banned = 0;
  while (assigner_.solve(problem_, trial_, PlaneAssigner::noLayer, trialAssignment_, layer, banned)) {
    const PlanMemory::Verdict verdict = ask(trialAssignment_, true);
    if (verdict.accepted) return true;
    const bool scaling = verdict.refusal == Refusal::PlaneTestRefused && needsScaling(layers_[layer]);
    blame_[layer] = scaling ? Refusal::PlaneScaling : verdict.refusal;
    if (verdict.refusal == Refusal::PlaneCommitFailed) return false; // on other planes too
    banned |= uint64_t{1} << trialAssignment_[layer];
  }
  return false;
}

PlanMemory::Verdict PlanSearch::ask(const Assignment& planeOf, bool composes) {
  writePlan(planeOf, composes);
  if (const auto known = memory_.recall(layers_, *plan_)) return *known;
  if (testsLeft_ == 0) return {false, Refusal::PlaneTestRefused};
  --testsLeft_;
  const auto answer = (*test_)(*plan_);
  if (isNoAnswer(answer)) {
    lacksAnswers_ = true;
  } else {
    memory_.testAnswered(layers_, *plan_, answer.has_value());
  }
  return {answer.has_value(), answer ? Refusal::None : Refusal::PlaneTestRefused};
}

} // namespace vitrine
