/*
 * Goal: every mandatory layer on a plane; then as few composed pixels per second as possible, counted as area × change rate.
 *
 * The stack of one output, seen from the side:
 *
 *     panel  ^   cursor     ......................[C].......   a small layer, nothing above it
 *            |   overlay    ........[====O====].............   nothing composed above O: it lies over the composition
 *            |   primary    ===[  ]==========c==============   composed content; [  ] is a hole, c is composed over O's
 *            |   underlay   ...[U=].........................   place only if O were an underlay
 *
 * Composed content is a buffer as large as the output, and lies on a plane like a layer does:
 *
 *     on the primary, at the bottom        on an overlay, above a layer     twice, with a layer between
 *                                          that covers the output
 *       overlay  ....[==O==]......           overlay  ...c...c........        overlay  ......c..........
 *       primary  ccccccccccccccccc           primary  [======V=======]        overlay  ....[==V==]......
 *                                                                             primary  ccccccccccccccccc
 *
 * Rules of the picture, for each composed buffer and each layer on a plane:
 *   - A layer on a plane above the buffer must not have content of that buffer above it in the display list. What
 *     becomes the placeholder is drawn by composition and counts as composed.
 *   - A layer on a plane below the buffer shows through a hole in it. It must be opaque if content of that buffer, or the
 *     background, lies under it in the list, since the hole hides that.
 *   - Two layers on planes that overlap are stacked as in the list.
 * The order of the planes is part of the plan: values of zpos within each plane's range, fixed where it cannot be written.
 *
 * The search goes over sets of layers; PlaneAssigner says whether a set has planes and an order on which the picture is right:
 *
 *   1. no composition: all visible layers on planes, where one of them hides the background;
 *   2. the fullest set: layers by importance (mandatory first, then saving), each added if the set with it has planes. Where
 *      composed layers lie on top and no underlay is free, the layer is tried together with all that overlap it above;
 *   3. where TEST_ONLY refuses that, a set built up from nothing in the same order, each step tested: first with all earlier
 *      layers on the planes that accepted them, then with all free to move. A layer whose step was refused is thereby known,
 *      and so is its reason.
 *
 * Cost: the number of candidates is bounded by the number of planes, the assigner's step limit bounds the search; tests: one
 * where the first candidate passes, `maximumTests` at worst, none for shapes seen before. A layer is given up after a few
 * assignments that the hardware refused, whether it had to be asked or had answered before. The same list as last frame is
 * recognised in O(L), the same list at other places in O(L²) for up to 64 layers.
 */
#include "protected-path/planes/planner.h"

#include <algorithm>
#include <utility>

#include "protected-path/planes/plan_search.h"
#include "protected-path/planes/shape_hash.h"

namespace vitrine {
namespace {

/** Whether two layers are the same but for what is in their buffers and how often that changes. */
bool isSameShape(const Layer& a, const Layer& b) {
  return a.id == b.id && a.destination == b.destination && a.source == b.source && a.bufferSize == b.bufferSize &&
         a.fourcc == b.fourcc && a.modifier == b.modifier && a.transform == b.transform && a.alpha == b.alpha &&
         a.opaque == b.opaque && a.encoding == b.encoding && a.range == b.range &&
         a.protectedContent == b.protectedContent && a.planeRefusal == b.planeRefusal &&
         a.composeRefusal == b.composeRefusal && a.showRefusal == b.showRefusal;
}

/** The same but for where it lies. */
bool isSameButForPlace(const Layer& a, Layer b) {
  b.destination.x = a.destination.x;
  b.destination.y = a.destination.y;
  b.source.x = a.source.x;
  b.source.y = a.source.y;
  return isSameShape(a, b);
}

/** The planes that an output can use, in their default order: its primary and all that are no primary. */
std::vector<const Plane*> usablePlanes(const PlannerOutput& output, std::span<const Plane> planes) {
  std::vector<const Plane*> usable;
  if (!std::ranges::contains(planes, output.primaryId, &Plane::id)) return usable;
  for (const Plane& plane : planes) {
    if (plane.id == output.primaryId || plane.type != PlaneType::Primary) usable.push_back(&plane);
  }
  std::ranges::sort(usable, {}, [](const Plane* plane) { return plane->stacking; });
  if (usable.size() <= PlanProblem::maximumPlanes) return usable;
  // Too many: the primary stays.
  const auto primary = std::ranges::find(usable, output.primaryId, &Plane::id);
  if (primary - usable.begin() >= static_cast<ptrdiff_t>(PlanProblem::maximumPlanes)) {
    std::iter_swap(primary, usable.begin() + PlanProblem::maximumPlanes - 1);
  }
  usable.resize(PlanProblem::maximumPlanes);
  return usable;
}

/**
 * All that places decide about a list: which boxes overlap, hide each other, fill the screen, and how they are cut.
 * Lists of equal layers with equal relations have the same plan.
 */
uint64_t relationsOf(std::span<const Layer> layers, const Rect& screen) {
  ShapeHash hash;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Rect visible = intersect(layers[i].destination, screen);
    addPlacement(hash, layers[i], screen);
    uint64_t pairs = visible == screen ? 1 : 0;
    for (size_t lower = 0; lower < i; ++lower) {
      const Rect other = intersect(layers[lower].destination, screen);
      pairs = pairs << 2 | (overlaps(visible, other) ? 1U : 0U) | (visible.contains(other) ? 2U : 0U);
      if (lower % 30 == 29) hash.add(pairs);
    }
    hash.add(pairs);
  }
  return hash.value();
}

} // namespace

/** What outlives a frame: the hardware's answers, and the last plan with what it was made for. */
struct Planner::Work {
  Work(const PlannerOutput& output, std::vector<const Plane*> planes)
      : memory(output.size), search(output, std::move(planes), memory),
        screen{0, 0, static_cast<int32_t>(output.size.width), static_cast<int32_t>(output.size.height)} {}
  bool recognise(std::span<const Layer> layers, Nanoseconds time);
  [[nodiscard]] uint64_t relationsNow(std::span<const Layer> layers) const;

  static constexpr size_t maximumRelated = 64; ///< layers of a list whose relations are compared

  PlanMemory memory;
  PlanSearch search;
  std::vector<Layer> lastLayers;
  std::vector<int8_t> lastClasses;
  std::vector<int8_t> classes; ///< of the frame in hand
  Rect screen;
  FramePlan lastPlan;
  uint64_t lastRelations = 0; ///< of lastLayers, or 0 where they are too many
  bool lastIsValid = false;
  bool recovering = false;         ///< the next plan uses no plane
  std::vector<uint64_t> failedIds; ///< while recovering: what was on planes
};

Planner::Planner(PlannerOutput output, std::span<const Plane> planes)
    : work_(std::make_unique<Work>(output, usablePlanes(output, planes))) {}

Planner::Planner(Planner&&) noexcept = default;
Planner& Planner::operator=(Planner&&) noexcept = default;
Planner::~Planner() = default;

const Plane* Planner::primary() const {
  return work_->search.primary();
}

bool Planner::fitsAnyPlane(const Layer& layer) const {
  return work_->search.fitsAnyPlane(layer);
}

void Planner::plan(std::span<const Layer> layers, Nanoseconds time, const PlanTest& test, FramePlan& plan) {
  Work& work = *work_;
  work.memory.setTime(time);
  if (work.recognise(layers, time)) {
    plan = work.lastPlan;
    return;
  }
  if (work.recovering) {
    work.search.composeAll(layers, work.classes, work.failedIds, plan);
  } else {
    work.search.search(layers, work.classes, test, maximumTests, plan);
  }
  work.lastIsValid = !std::exchange(work.recovering, false) && !work.search.isIncomplete();
  work.lastLayers.assign(layers.begin(), layers.end());
  work.lastRelations = work.relationsNow(layers);
  work.lastClasses = work.classes;
  work.lastPlan = plan;
}

void Planner::commitFailed(std::span<const Layer> layers, const FramePlan& plan, bool transient) {
  if (!transient) work_->memory.commitFailed(layers, plan);
  work_->failedIds.clear();
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path == Path::Plane) work_->failedIds.push_back(layers[i].id);
  }
  work_->recovering = true;
  work_->lastIsValid = false;
}

bool Planner::isProvisional() const {
  return !work_->lastIsValid;
}

Nanoseconds Planner::retryAt() const {
  const bool waits = std::ranges::any_of(work_->lastPlan.layers, [](const LayerOutcome& outcome) {
    return outcome.path == Path::Placeholder &&
           (outcome.refusal == Refusal::PlaneTestRefused || outcome.refusal == Refusal::PlaneScaling ||
            outcome.refusal == Refusal::PlaneCommitFailed);
  });
  return waits ? work_->search.retryAt() : 0;
}

uint64_t Planner::steps() const {
  return work_->search.steps();
}

void Planner::forget() {
  work_->memory.forget();
  work_->recovering = false;
  work_->lastIsValid = false;
}

uint64_t Planner::Work::relationsNow(std::span<const Layer> layers) const {
  return layers.size() <= maximumRelated ? relationsOf(layers, screen) : 0;
}

/**
 * Whether last frame's plan is this frame's: the same layers, or the same but for places that change nothing. Fills
 * `classes`, which depend on what was on a plane then.
 */
bool Planner::Work::recognise(std::span<const Layer> layers, Nanoseconds time) {
  classes.resize(layers.size());
  bool comparable = lastIsValid && lastLayers.size() == layers.size();
  bool moved = false;
  for (size_t i = 0; i < layers.size(); ++i) {
    size_t last = i;
    if (i >= lastLayers.size() || lastLayers[i].id != layers[i].id) {
      last = static_cast<size_t>(std::ranges::find(lastLayers, layers[i].id, &Layer::id) - lastLayers.begin());
    }
    const bool wasOnPlane = last < lastLayers.size() && lastPlan.layers[last].path == Path::Plane;
    classes[i] = changeClass(layers[i].changesPerSecond, wasOnPlane);
    comparable = comparable && classes[i] == lastClasses[i];
    if (!comparable || isSameShape(layers[i], lastLayers[i])) continue;
    moved = true;
    comparable = isSameButForPlace(layers[i], lastLayers[i]);
  }
  const Nanoseconds retry = search.retryAt();
  if (!comparable || (retry != 0 && time >= retry)) return false;
  if (!moved) return true;
  const uint64_t relations = relationsNow(layers);
  if (relations == 0 || relations != lastRelations) return false;
  lastLayers.assign(layers.begin(), layers.end());
  return true;
}

} // namespace vitrine
