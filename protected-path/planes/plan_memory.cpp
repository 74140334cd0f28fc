#include "protected-path/planes/plan_memory.h"

#include <algorithm>
#include <array>
#include <utility>

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

void PlanMemory::beginFrame(std::span<const Layer> layers) {
  layers_ = layers;
  layerShapes_.assign(layers.size(), 0);
}

/** Layers without a plane do not count: the kernel sees the composed buffers alone. */
uint64_t PlanMemory::shapeOf(const FramePlan& plan) {
  ShapeHash hash;
  for (const ComposedBuffer& composed : plan.composed())
    hash.add(composed.planeId, composed.zpos, composed.bottom, composed.blends);
  std::array<Rect, 64> boxes; // of the layers on planes, as many as there can be planes
  size_t count = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    if (outcome.path != Path::Plane) continue;
    if (layerShapes_[i] == 0) {
      ShapeHash own;
      addShape(own, layers_[i]);
      addPlacement(own, layers_[i], screen_);
      layerShapes_[i] = own.value();
    }
    const Rect visible = intersect(layers_[i].destination, screen_);
    uint64_t overlapping = 0;
    for (size_t lower = 0; lower < count; ++lower)
      overlapping |= uint64_t{overlaps(visible, boxes[lower])} << lower;
    boxes[count++] = visible;
    const auto plane = uint64_t{outcome.planeId} << 32 | uint64_t{outcome.zpos} << 1 | uint64_t{outcome.opaqueFormat};
    hash.add(layerShapes_[i], plane, overlapping);
  }
  return std::max<uint64_t>(hash.value(), 1);
}

uint64_t PlanMemory::exactShapeOf(const FramePlan& plan, uint64_t shape) const {
  ShapeHash hash;
  hash.add(shape);
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (plan.layers[i].path != Path::Plane) continue;
    const Layer& layer = layers_[i];
    hash.add(layer.destination.x, layer.destination.y, layer.source.x.raw(), layer.source.y.raw());
  }
  return hash.value();
}

/** Where a shape is, or the free place where it belongs. */
size_t PlanMemory::placeOf(uint64_t shape) const {
  const size_t mask = answers_.size() - 1;
  size_t place = shape & mask;
  while (answers_[place].shape != shape && answers_[place].shape != 0)
    place = (place + 1) & mask;
  return place;
}

PlanMemory::Entry& PlanMemory::insert(uint64_t shape) {
  if (answers_[placeOf(shape)].shape == 0 && 2 * ++answerCount_ > answers_.size()) grow();
  Entry& entry = answers_[placeOf(shape)];
  entry.shape = shape;
  return entry;
}

/** Makes place for twice as many answers, or forgets all of them: asking again is cheap. */
void PlanMemory::grow() {
  answerCount_ = 1; // the one that did not fit
  const size_t places = std::min(2 * answers_.size(), 2 * maximumAnswers);
  const std::vector<Entry> old = std::exchange(answers_, std::vector<Entry>(places));
  if (places == old.size()) return;
  for (const Entry& entry : old) {
    if (entry.shape != 0) insert(entry.shape) = entry;
  }
}

std::optional<PlanMemory::Answer> PlanMemory::recall(const FramePlan& plan, uint64_t shape) const {
  for (const Failure& failure : failures_) {
    if (time_ >= failure.until) continue;
    const auto held =
        std::ranges::count_if(failure.surfaces, [&](uint64_t surface) { return holds(layers_, plan, surface); });
    const bool banned = static_cast<size_t>(held) >= std::min<size_t>(2, failure.surfaces.size());
    if (banned) return Answer{false, Refusal::PlaneCommitFailed, failure.until};
  }
  const Entry& known = answers_[placeOf(shape)];
  if (known.accepted) return Answer{.accepted = true};
  if (time_ >= known.until) return std::nullopt; // also where nothing is known
  return Answer{false, Refusal::PlaneTestRefused, known.until};
}

PlanMemory::Answer PlanMemory::testAnswered(const FramePlan& plan, uint64_t shape, bool accepted) {
  Entry& entry = insert(shape);
  entry.accepted = accepted;
  entry.exact = exactShapeOf(plan, shape);
  if (accepted) {
    entry.refusals = 0;
    return {.accepted = true};
  }
  if (entry.refusals < retryAfter.size()) ++entry.refusals;
  entry.until = time_ + ageLimit(entry.refusals);
  return {false, Refusal::PlaneTestRefused, entry.until};
}

void PlanMemory::commitFailed(std::span<const Layer> layers, const FramePlan& plan) {
  beginFrame(layers);
  const uint64_t shape = shapeOf(plan);
  Entry& known = answers_[placeOf(shape)];
  if (known.accepted && known.exact != exactShapeOf(plan, shape)) {
    known = {.shape = shape};
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
  std::ranges::fill(answers_, Entry());
  answerCount_ = 0;
  failures_.clear();
}

} // namespace vitrine
