/*
 * Goal: every mandatory layer on a plane; then as few composed pixels per second as possible, counted as area × change rate.
 *
 * The stack of one output, seen from the side:
 *
 *     panel  ^   cursor     ......................[C].......   a small layer, nothing above it
 *            |   overlay    ........[====O====].............   nothing composed above O: it may lie over the composition
 *            |   primary    ===[  ]==========c==============   everything composed; [  ] is a hole, c is composed over O's
 *            |   underlay   ...[U=].........................   place only if O were an underlay
 *
 *   - A layer on a plane above the primary must not have composed content above it in the display list. What becomes the
 *     placeholder is drawn by composition and counts as composed.
 *   - A layer below the primary must be opaque, since the hole shows it and nothing of what lies under it.
 *   - Two layers on planes that overlap must be stacked as in the list, also an overlay and an underlay.
 *   - Where one opaque layer covers the output and all above it find planes, the primary scans that layer out: no composition.
 *
 * The search goes over sets of layers; PlaneAssigner says whether a set has planes on which the picture is right:
 *
 *   1. the set that needs no composition, where there is one;
 *   2. the fullest set: layers by importance (mandatory first, then saving), each taken in if a set with it has planes. Where
 *      composed layers lie on top and no underlay is free, the layer is tried together with all that overlap it above;
 *   3. where TEST_ONLY refuses that, a set built up from nothing in the same order, each step tested, other planes tried for the
 *      layer that was refused. A layer whose step was refused is thereby known, and so is its reason.
 *
 * Cost: pure work for L layers and P planes O(L²·P) in practice, the assigner's step limit bounds it; tests: one where the first
 * candidate passes, `maximumTests` at worst, none for shapes seen before. The same list as last frame is recognised in O(L) and
 * costs nothing else.
 */
#include "protected-path/planes/planner.h"

#include <algorithm>
#include <utility>

#include "protected-path/planes/plan_search.h"

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

const Plane* choosePrimary(const PlannerOutput& output, std::span<const Plane> planes) {
  const auto primary = std::ranges::find(planes, output.primaryId, &Plane::id);
  return primary != planes.end() ? &*primary : nullptr;
}

/** The planes that an output can use, from the lowest: its primary, all above it, and all below where holes can be
 * punched. */
std::vector<const Plane*> usablePlanes(const PlannerOutput& output, std::span<const Plane> planes) {
  const Plane* primary = choosePrimary(output, planes);
  std::vector<const Plane*> usable;
  if (primary == nullptr) return usable;
  const FormatInfo* composed = formatInfo(output.composedFourcc);
  const bool canHaveHoles = composed != nullptr && composed->hasAlpha;
  for (const Plane& plane : planes) {
    const bool ours = plane.type != PlaneType::Primary && (plane.possibleCrtcs >> output.crtcIndex & 1) != 0;
    if (&plane == primary || (ours && (canHaveHoles || plane.stacking > primary->stacking))) usable.push_back(&plane);
  }
  std::ranges::sort(usable, {}, [](const Plane* plane) { return plane->stacking; });
  if (usable.size() > PlaneAssigner::maximumPlanes) usable.resize(PlaneAssigner::maximumPlanes);
  return usable;
}

} // namespace

/** What outlives a frame: the hardware's answers, and the last plan with what it was made for. */
struct Planner::Work {
  Work(PlannerOutput output, std::vector<const Plane*> planes) : search(output, std::move(planes), memory) {}
  bool recognise(std::span<const Layer> layers);

  PlanMemory memory;
  PlanSearch search;
  std::vector<Layer> lastLayers;
  std::vector<int8_t> lastClasses;
  std::vector<int8_t> classes; ///< of the frame in hand
  FramePlan lastPlan;
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

void Planner::plan(std::span<const Layer> layers, const PlanTest& test, FramePlan& plan) {
  Work& work = *work_;
  if (work.recognise(layers)) {
    plan = work.lastPlan;
    return;
  }
  if (work.recovering) {
    work.search.composeAll(layers, work.classes, work.failedIds, plan);
  } else {
    work.search.search(layers, work.classes, test, maximumTests, plan);
  }
  work.lastIsValid = !std::exchange(work.recovering, false) && !work.search.lacksAnswers();
  work.lastLayers.assign(layers.begin(), layers.end());
  work.lastClasses = work.classes;
  work.lastPlan = plan;
}

void Planner::commitFailed(std::span<const Layer> layers, const FramePlan& plan, bool passing) {
  if (!passing) work_->memory.commitFailed(layers, plan);
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

void Planner::forget() {
  work_->memory.forget();
  work_->recovering = false;
  work_->lastIsValid = false;
}

/** Whether these are last frame's layers. Fills `classes`, which depend on what was on a plane then. */
bool Planner::Work::recognise(std::span<const Layer> layers) {
  classes.resize(layers.size());
  bool same = lastIsValid && lastLayers.size() == layers.size();
  for (size_t i = 0; i < layers.size(); ++i) {
    size_t last = i;
    if (i >= lastLayers.size() || lastLayers[i].id != layers[i].id) {
      last = static_cast<size_t>(std::ranges::find(lastLayers, layers[i].id, &Layer::id) - lastLayers.begin());
    }
    const bool wasOnPlane = last < lastLayers.size() && lastPlan.layers[last].path == Path::Plane;
    classes[i] = changeClass(layers[i].changesPerSecond, wasOnPlane);
    same = same && classes[i] == lastClasses[i] && isSameShape(layers[i], lastLayers[i]);
  }
  return same;
}

} // namespace vitrine
