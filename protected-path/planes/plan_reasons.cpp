// What a decided set of planes becomes in the plan, and why every other layer has no plane.
#include "protected-path/planes/plan_search.h"

#include <algorithm>

namespace vitrine {

void PlanSearch::writePlan(const Assignment& assignment) {
  const auto planes = problem_.planes();
  PlaneSet used = 0;
  for (size_t k = 0; k < assignment.slotCount; ++k)
    used |= planes.empty() ? 0 : bit(static_cast<size_t>(assignment.slotPlane[k]));
  forEach(assignment.placed, [&](size_t c) { used |= bit(static_cast<size_t>(assignment.planeOf[c])); });
  const auto positionOf = [&](size_t plane) {
    const auto key = [&](size_t p) { return std::pair(assignment.zpos[p], planes[p]->id); };
    unsigned position = 0;
    forEach(used, [&](size_t other) { position += key(other) < key(plane) ? 1 : 0; });
    return static_cast<uint8_t>(position);
  };

  plan_->composedCount = assignment.slotCount;
  for (size_t k = 0; k < assignment.slotCount; ++k) {
    const ComposedSlot& slot = assignment.slots[k];
    ComposedBuffer& composed = plan_->composedBuffers[k];
    composed = {.first = slot.first, .end = slot.end};
    if (planes.empty()) continue;
    const auto plane = static_cast<size_t>(assignment.slotPlane[k]);
    composed.planeId = planes[plane]->id;
    composed.zpos = assignment.zpos[plane];
    composed.position = positionOf(plane);
    composed.bottom = problem_.isPrimary(plane);
    composed.blends = composed.position > 0;
  }
  plan_->layers.resize(layers_.size());
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Refusal showRefusal = layers_[i].showRefusal;
    const bool composable = showRefusal == Refusal::None && !isMandatory(layers_[i]);
    plan_->layers[i] = {.path = composable ? Path::Composited : Path::Placeholder,
                        .refusal = showRefusal != Refusal::None ? showRefusal : Refusal::PlaneNone};
  }
  forEach(assignment.placed, [&](size_t c) {
    const Candidate& candidate = problem_.candidates()[c];
    const auto plane = static_cast<size_t>(assignment.planeOf[c]);
    const uint8_t position = positionOf(plane);
    plan_->layers[candidate.layer] = {
        .path = Path::Plane,
        .planeId = planes[plane]->id,
        .zpos = assignment.zpos[plane],
        .position = position,
        .underlay = assignment.slotCount > 0 && position < plan_->composedBuffers[0].position,
        .opaqueFormat = (candidate.opaqueFormat & bit(plane)) != 0,
    };
  });
}

void PlanSearch::writeReasons() {
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (plan_->layers[i].path != Path::Plane) plan_->layers[i].refusal = reasonFor(i);
  }
}

Refusal PlanSearch::reasonFor(size_t layer) const {
  const Layer& of = layers_[layer];
  if (of.showRefusal != Refusal::None) return of.showRefusal;
  if (of.planeRefusal != Refusal::None) return of.planeRefusal;
  if (of.fourcc == 0) return Refusal::PlaneNotDmabuf;
  if (hardwareSaid_[layer] != Refusal::None) return hardwareSaid_[layer];
  const bool visible = !problem_.visible(layer).empty();
  if (!isMandatory(of) && (!visible || classes_[layer] == 0)) return Refusal::PlaneNotWorthIt;
  if (!visible) {
    const Size size = problem_.output().size;
    const Rect screen{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
    return overlaps(of.destination, screen) ? Refusal::PlaneCovered : Refusal::PlaneOffScreen;
  }
  const int candidate = problem_.candidateOf(layer);
  if (candidate < 0) return problem_.lacking(layer);
  return lackingPlace(problem_.candidates()[static_cast<size_t>(candidate)]);
}

/** Why no plane that fits was there for it. */
Refusal PlanSearch::lackingPlace(const Candidate& candidate) const {
  const PlaneSet offPrimary = candidate.fits & ~problem_.bottomPlanes();
  // The primary would take it, were there nothing above it, and nothing under it that shows through.
  if (offPrimary == 0) return candidate.solid ? Refusal::PlaneCovered : Refusal::PlaneBlending;
  PlaneSet used = 0;
  forEach(chosen_.placed, [&](size_t c) { used |= bit(static_cast<size_t>(chosen_.planeOf[c])); });
  const auto index = static_cast<size_t>(&candidate - problem_.candidates().data());
  const bool covered = candidate.fixedAbove.any() || (candidate.overlapping & ~below(index) & ~chosen_.placed) != 0;
  if (!covered) return (offPrimary & ~used) != 0 ? Refusal::PlaneCovered : Refusal::PlaneNone;
  const FormatInfo* composed = formatInfo(problem_.output().composedFourcc);
  if (composed == nullptr || !composed->hasAlpha) return Refusal::PlaneCovered;
  PlaneSet lower = 0;
  forEach(offPrimary, [&](size_t p) {
    if ((problem_.canLieAbove(p) & problem_.bottomPlanes()) != 0) lower |= bit(p);
  });
  if (lower == 0) return Refusal::PlaneCovered;
  if (!candidate.solid) return Refusal::PlaneBlending;
  return (lower & used) != 0 ? Refusal::PlaneNone : Refusal::PlaneCovered;
}

} // namespace vitrine
