// What a decided set of planes becomes in the plan, and why every other layer has no plane.
#include "protected-path/planes/plan_search.h"

#include <algorithm>

namespace vitrine {

void PlanSearch::writePlan(const Assignment& planeOf, bool composes) {
  plan_->composes = composes;
  plan_->layers.resize(layers_.size());
  unplaced_.assign(layers_.size(), Wish::None);
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (planeOf[i] != PlaneAssigner::noPlane) unplaced_[i] = Wish::AnyPlane;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    LayerOutcome& outcome = plan_->layers[i];
    outcome = {};
    if (planeOf[i] == PlaneAssigner::noPlane) {
      const bool composable = layers_[i].showRefusal == Refusal::None && !isMandatory(layers_[i]);
      outcome.path = composable ? Path::Composited : Path::Placeholder;
      outcome.refusal = reasonFor(i, planeOf);
      continue;
    }
    const auto plane = static_cast<size_t>(planeOf[i]);
    outcome.path = Path::Plane;
    outcome.planeId = planes_[plane]->id;
    outcome.underlay = composes && problem_.place(plane) == Place::Below;
    outcome.opaqueFormat = problem_.fit(i, plane).opaqueFormat;
  }
}

Refusal PlanSearch::reasonFor(size_t layer, const Assignment& planeOf) const {
  const Layer& of = layers_[layer];
  if (of.showRefusal != Refusal::None) return of.showRefusal;
  if (of.planeRefusal != Refusal::None) return of.planeRefusal;
  if (of.fourcc == 0) return Refusal::PlaneNotDmabuf;
  if (blame_[layer] != Refusal::None) return blame_[layer];
  const bool visible = !problem_.visible[layer].empty();
  if (!isMandatory(of) && (!visible || (ownWishes_[layer] == Wish::None && classes_[layer] == 0))) {
    return Refusal::PlaneNotWorthIt;
  }
  if (!visible) {
    const Rect screen{0, 0, static_cast<int32_t>(output_.size.width), static_cast<int32_t>(output_.size.height)};
    return overlaps(of.destination, screen) ? Refusal::PlaneCovered : Refusal::PlaneOffScreen;
  }
  const Refusal lacking = lackingProperty(layer);
  if (lacking != Refusal::None) return lacking;
  return ownWishes_[layer] == Wish::CursorPlane ? Refusal::PlaneNotWorthIt : lackingPlace(layer, planeOf);
}

/** The refusal of the plane that came nearest, or None where one fits. */
Refusal PlanSearch::lackingProperty(size_t layer) const {
  if (fitsOffPrimary(layer)) return Refusal::None;
  Refusal nearest = Refusal::PlaneNone;
  for (size_t p = 0; p < planes_.size(); ++p) {
    const Refusal refusal = problem_.fit(layer, p).refusal;
    if (refusal == Refusal::None) return Refusal::PlaneCovered; // the primary would, were there nothing above
    if (fitProgress(refusal) > fitProgress(nearest)) nearest = refusal;
  }
  return nearest;
}

/** Why no plane that fits was there for it. */
Refusal PlanSearch::lackingPlace(size_t layer, const Assignment& planeOf) const {
  const bool covered = PlaneAssigner::isCovered(problem_, unplaced_, layer);
  Refusal below = Refusal::PlaneCovered;
  bool freePlane = false;
  for (size_t p = 0; p < planes_.size(); ++p) {
    if (p == problem_.primary) continue;
    const Refusal refusal = problem_.fit(layer, p).refusal;
    const bool taken = std::ranges::contains(planeOf, static_cast<int8_t>(p));
    if (problem_.place(p) == Place::Below && (refusal == Refusal::PlaneBlending || refusal == Refusal::PlaneAlpha)) {
      below = refusal;
    }
    freePlane = freePlane || (refusal == Refusal::None && !taken);
    if (covered && refusal == Refusal::None && taken && problem_.place(p) == Place::Below) below = Refusal::PlaneNone;
  }
  if (covered) return below;
  return freePlane ? Refusal::PlaneCovered : Refusal::PlaneNone;
}

} // namespace vitrine
