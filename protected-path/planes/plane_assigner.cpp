#include "protected-path/planes/plane_assigner.h"

namespace vitrine {

bool PlaneAssigner::isCovered(const AssignmentProblem& problem, std::span<const Wish> wishes, size_t layer) {
  for (size_t above = layer + 1; above < problem.layerCount(); ++above) {
    if (wishes[above] == Wish::None && overlaps(problem.visible[above], problem.visible[layer])) return true;
  }
  return false;
}

bool PlaneAssigner::solve(const AssignmentProblem& problem, std::span<const Wish> wishes, size_t base,
                          std::vector<int8_t>& planeOf, size_t bannedLayer, uint64_t bannedPlanes) {
  problem_ = &problem;
  wishes_ = wishes;
  base_ = base;
  bannedLayer_ = bannedLayer;
  bannedPlanes_ = bannedPlanes;
  steps_ = 0;
  used_ = 0;
  planeOf_.assign(problem.layerCount(), noPlane);
  covered_.assign(problem.layerCount(), 0);
  size_t wished = 0;
  for (size_t layer = 0; layer < problem.layerCount(); ++layer) {
    if (wishes[layer] == Wish::None) continue;
    ++wished;
    covered_[layer] = isCovered(problem, wishes, layer) ? 1 : 0;
  }
  const size_t usable = problem.planes.size() - (base == noLayer ? 1 : 0); // the primary shows composed content
  if (wished > usable || !placeFrom(0)) return false;
  planeOf.assign(planeOf_.begin(), planeOf_.end());
  return true;
}

bool PlaneAssigner::placeFrom(size_t layer) {
  while (layer < wishes_.size() && wishes_[layer] == Wish::None)
    ++layer;
  if (layer == wishes_.size()) return true;
  if (layer == base_) return tryPlane(layer, problem_->primary);

  const auto tryWhere = [&](auto&& suits) {
    for (size_t plane = 0; plane < problem_->planes.size(); ++plane) {
      if (suits(plane) && tryPlane(layer, plane)) return true;
    }
    return false;
  };
  const auto isCursor = [&](size_t plane) { return problem_->planes[plane]->type == PlaneType::Cursor; };
  if (tryWhere(isCursor)) return true;
  if (wishes_[layer] == Wish::CursorPlane) return false;
  const auto isIn = [&](Place place) {
    return [&, place](size_t plane) { return problem_->place(plane) == place && !isCursor(plane); };
  };
  return tryWhere(isIn(Place::Above)) || tryWhere(isIn(Place::Below));
}

bool PlaneAssigner::tryPlane(size_t layer, size_t plane) {
  const uint64_t bit = uint64_t{1} << plane;
  if ((used_ & bit) != 0 || (layer == bannedLayer_ && (bannedPlanes_ & bit) != 0)) return false;
  if (problem_->fit(layer, plane).refusal != Refusal::None || !stacksRight(layer, plane)) return false;
  if (++steps_ > maximumSteps || ++frameSteps_ > maximumFrameSteps) return false;
  used_ |= bit;
  planeOf_[layer] = static_cast<int8_t>(plane);
  if (placeFrom(layer + 1)) return true;
  used_ &= ~bit;
  planeOf_[layer] = noPlane;
  return false;
}

bool PlaneAssigner::stacksRight(size_t layer, size_t plane) const {
  if (problem_->place(plane) == Place::Above && covered_[layer] != 0) return false;
  for (size_t below = 0; below < layer; ++below) {
    if (planeOf_[below] != noPlane && static_cast<size_t>(planeOf_[below]) > plane &&
        overlaps(problem_->visible[below], problem_->visible[layer])) {
      return false;
    }
  }
  return true;
}

} // namespace vitrine
