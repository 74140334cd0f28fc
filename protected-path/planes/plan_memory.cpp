#include "protected-path/planes/plan_memory.h"

#include <algorithm>
#include <array>

#include "protected-path/planes/shape_hash.h"

namespace vitrine {
namespace {

constexpr Nanoseconds second = 1'000'000'000;
constexpr std::array<Nanoseconds, 3> retryAfter = {2 * second, 10 * second, 60 * second};

Nanoseconds ageLimit(uint8_t times) {
  return retryAfter.at(std::min<size_t>(times, retryAfter.size()) - 1);
}

/** A surface as commit failures know it: without composed content it is another thing than with it. */
uint64_t surfaceOf(const Layer& layer, bool composes) {
  return ShapeHash()
      .add(layer.id, layer.fourcc, layer.modifier, layer.bufferSize.width, layer.bufferSize.height,
           layer.protectedContent, composes)
      .value();
}

bool holds(std::span<const Layer> layers, const FramePlan& plan, uint64_t surface) {
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path == Path::Plane && surfaceOf(layers[i], plan.composes()) == surface) return true;
  }
  return false;
}

} // namespace

/** Layers without a plane do not count: the kernel sees the composed buffers alone. */
uint64_t PlanMemory::shapeOf(std::span<const Layer> layers, const FramePlan& plan) const {
  ShapeHash hash;
  for (const ComposedBuffer& composed : plan.composed())
    hash.add(composed.planeId, composed.zpos, composed.bottom, composed.blends);
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    if (outcome.path != Path::Plane) continue;
    hash.add(outcome.planeId, outcome.zpos, outcome.opaqueFormat);
    addShape(hash, layers[i]);
    addPlacement(hash, layers[i], screen_);
    const Rect visible = intersect(layers[i].destination, screen_);
    for (size_t lower = 0; lower < i; ++lower) {
      if (plan.layers[lower].path != Path::Plane) continue;
      hash.add(overlaps(visible, layers[lower].destination));
    }
  }
  return hash.value();
}

uint64_t PlanMemory::exactShapeOf(std::span<const Layer> layers, const FramePlan& plan) const {
  ShapeHash hash;
  hash.add(shapeOf(layers, plan));
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path != Path::Plane) continue;
    const Layer& layer = layers[i];
    hash.add(layer.destination.x, layer.destination.y, layer.source.x.raw(), layer.source.y.raw());
  }
  return hash.value();
}

std::optional<PlanMemory::Answer> PlanMemory::recall(std::span<const Layer> layers, const FramePlan& plan) const {
  for (const Failure& failure : failures_) {
    if (time_ >= failure.until) continue;
    const auto held =
        std::ranges::count_if(failure.surfaces, [&](uint64_t surface) { return holds(layers, plan, surface); });
    const bool banned = static_cast<size_t>(held) >= std::min<size_t>(2, failure.surfaces.size());
    if (banned) return Answer{false, Refusal::PlaneCommitFailed, failure.until};
  }
  const auto known = answers_.find(shapeOf(layers, plan));
  if (known == answers_.end()) return std::nullopt;
  const Entry& entry = known->second;
  if (entry.accepted) return Answer{.accepted = true};
  if (time_ >= entry.until) return std::nullopt;
  return Answer{false, Refusal::PlaneTestRefused, entry.until};
}

PlanMemory::Answer PlanMemory::testAnswered(std::span<const Layer> layers, const FramePlan& plan, bool accepted) {
  if (answers_.size() >= maximumAnswers) answers_.clear(); // asking again is cheap
  Entry& entry = answers_[shapeOf(layers, plan)];
  entry.accepted = accepted;
  entry.exact = exactShapeOf(layers, plan);
  if (accepted) {
    entry.refusals = 0;
    return {.accepted = true};
  }
  if (entry.refusals < retryAfter.size()) ++entry.refusals;
  entry.until = time_ + ageLimit(entry.refusals);
  return {false, Refusal::PlaneTestRefused, entry.until};
}

void PlanMemory::commitFailed(std::span<const Layer> layers, const FramePlan& plan) {
  const auto known = answers_.find(shapeOf(layers, plan));
  if (known != answers_.end() && known->second.accepted && known->second.exact != exactShapeOf(layers, plan)) {
    answers_.erase(known);
    return;
  }
  SurfaceSet surfaces;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path == Path::Plane) surfaces.push_back(surfaceOf(layers[i], plan.composes()));
  }
  if (surfaces.empty()) return; // composition alone failed: nothing that planes could do about it
  auto failure = std::ranges::find(failures_, surfaces, &Failure::surfaces);
  if (failure == failures_.end()) {
    if (failures_.size() >= maximumFailures) failures_.erase(failures_.begin());
    failure = failures_.insert(failures_.end(), {.surfaces = std::move(surfaces)});
  }
  if (failure->count < retryAfter.size()) ++failure->count;
  failure->until = time_ + ageLimit(failure->count);
}

void PlanMemory::forget() {
  answers_.clear();
  failures_.clear();
}

} // namespace vitrine
