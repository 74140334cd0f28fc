#include "protected-path/planes/plan_memory.h"

#include <algorithm>

namespace vitrine {
namespace {

/** FNV-1a over 64-bit words, byte by byte. */
class Hash {
public:
  template<typename... T>
  Hash& add(T... values) {
    (addWord(static_cast<uint64_t>(values)), ...);
    return *this;
  }
  [[nodiscard]] uint64_t value() const { return value_; }

private:
  void addWord(uint64_t word) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      value_ = (value_ ^ (word >> shift & 0xff)) * 0x100000001b3U;
    }
  }
  uint64_t value_ = 0xcbf29ce484222325U;
};

/** Layers that are not on planes are the same composed buffer to the kernel, whatever they are. */
uint64_t shapeOf(std::span<const Layer> layers, const FramePlan& plan) {
  Hash hash;
  hash.add(plan.composes);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path != Path::Plane) continue;
    const Layer& layer = layers[i];
    const Rect& to = layer.destination;
    const SourceRect& from = layer.source;
    hash.add(plan.layers[i].planeId, plan.layers[i].opaqueFormat, to.x, to.y, to.width, to.height)
        .add(from.x.raw(), from.y.raw(), from.width.raw(), from.height.raw())
        .add(layer.bufferSize.width, layer.bufferSize.height, layer.fourcc, layer.modifier, layer.transform,
             layer.alpha)
        .add(layer.encoding, layer.range, layer.protectedContent);
  }
  return hash.value();
}

/** A surface as commit failures know it; one scanned out by the primary is another thing than the same one on an
 * overlay. */
uint64_t surfaceOf(const Layer& layer, bool composes) {
  return Hash()
      .add(layer.id, layer.fourcc, layer.modifier, layer.bufferSize.width, layer.bufferSize.height,
           layer.protectedContent, composes)
      .value();
}

bool holds(std::span<const Layer> layers, const FramePlan& plan, uint64_t surface) {
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path == Path::Plane && surfaceOf(layers[i], plan.composes) == surface) return true;
  }
  return false;
}

} // namespace

std::optional<PlanMemory::Verdict> PlanMemory::recall(std::span<const Layer> layers, const FramePlan& plan) const {
  const bool failed = std::ranges::any_of(failures_, [&](const SurfaceSet& set) {
    const auto held = std::ranges::count_if(set, [&](uint64_t surface) { return holds(layers, plan, surface); });
    return static_cast<size_t>(held) >= std::min<size_t>(2, set.size());
  });
  if (failed) return Verdict{false, Refusal::PlaneCommitFailed};
  const auto known = accepted_.find(shapeOf(layers, plan));
  if (known == accepted_.end()) return std::nullopt;
  return Verdict{known->second, known->second ? Refusal::None : Refusal::PlaneTestRefused};
}

void PlanMemory::testAnswered(std::span<const Layer> layers, const FramePlan& plan, bool accepted) {
  if (accepted_.size() >= maximumVerdicts) accepted_.clear(); // a window dragged for minutes; asking again is cheap
  accepted_[shapeOf(layers, plan)] = accepted;
}

void PlanMemory::commitFailed(std::span<const Layer> layers, const FramePlan& plan) {
  SurfaceSet set;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path == Path::Plane) set.push_back(surfaceOf(layers[i], plan.composes));
  }
  if (set.empty()) return; // composition alone failed: nothing that planes could do about it
  if (failures_.size() >= maximumFailures) failures_.erase(failures_.begin());
  failures_.push_back(std::move(set));
}

void PlanMemory::forget() {
  accepted_.clear();
  failures_.clear();
}

} // namespace vitrine
