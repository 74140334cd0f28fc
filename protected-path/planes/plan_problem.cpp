#include "protected-path/planes/plan_problem.h"

#include <algorithm>

namespace vitrine {
namespace {

bool mayUsePlane(const Layer& layer) {
  return layer.showRefusal == Refusal::None && layer.planeRefusal == Refusal::None && layer.fourcc != 0;
}

bool isSolid(const Layer& layer) {
  return layer.opaque && layer.alpha == 0xffff;
}

int64_t areaOf(const Rect& box) {
  return int64_t{box.width} * box.height;
}

/** Whether `above` can lie above `lower`: by zpos, and where that is equal by object id (kernel: "zpos"). */
bool canLieOver(const Plane& lower, const Plane& above) {
  return lower.zpos.minimum < above.zpos.maximum || (lower.zpos.minimum == above.zpos.maximum && lower.id < above.id);
}

} // namespace

PlanProblem::PlanProblem(PlannerOutput output, std::vector<const Plane*> planes)
    : output_(output), planes_(std::move(planes)) {
  if (planes_.empty()) return;
  const auto primary = std::ranges::find(planes_, PlaneType::Primary, [](const Plane* plane) { return plane->type; });
  primary_ = static_cast<size_t>(primary - planes_.begin());
  canLieAbove_.resize(planes_.size());
  canLieBelow_.resize(planes_.size());
  for (size_t p = 0; p < planes_.size(); ++p) {
    const Plane& plane = *planes_[p];
    hasMutableZpos_ = hasMutableZpos_ || plane.zpos.isMutable();
    if (plane.type == PlaneType::Cursor) cursorPlanes_ |= bit(p);
    const bool takesUpper = output_.upperFourcc != 0 && plane.type == PlaneType::Overlay &&
                            blendsPremultiplied(plane) && plane.hasFormat(output_.upperFourcc, output_.upperModifier);
    if (takesUpper) upperPlanes_ |= bit(p);
    for (size_t other = 0; other < planes_.size(); ++other) {
      if (other != p && canLieOver(plane, *planes_[other])) canLieAbove_[p] |= bit(other);
      if (other != p && canLieOver(*planes_[other], plane)) canLieBelow_[p] |= bit(other);
    }
  }
  orderPlanes();
}

void PlanProblem::orderPlanes() {
  const auto add = [this](std::vector<uint8_t>& order, auto&& suits) {
    for (size_t p = 0; p < planes_.size(); ++p) {
      if (p != primary_ && suits(p)) order.push_back(static_cast<uint8_t>(p));
    }
  };
  const auto isCursor = [this](size_t p) { return (cursorPlanes_ & bit(p)) != 0; };
  const auto isHigh = [&](size_t p) { return p > primary_ && !isCursor(p); };
  const auto isLow = [&](size_t p) { return p < primary_ && !isCursor(p); };
  orderAbove_ = {static_cast<uint8_t>(primary_)};
  add(orderAbove_, isHigh);
  add(orderAbove_, isCursor);
  add(orderAbove_, isLow);
  orderBelow_ = {static_cast<uint8_t>(primary_)};
  add(orderBelow_, isLow);
  add(orderBelow_, isHigh);
  add(orderBelow_, isCursor);
  add(orderCursorFirst_, isCursor);
  orderCursorFirst_.push_back(static_cast<uint8_t>(primary_));
  add(orderCursorFirst_, isHigh);
  add(orderCursorFirst_, isLow);
}

CandidateSet PlanProblem::candidatesIn(size_t first, size_t end) const {
  if (first == 0 && end == visible_.size()) return allCandidates();
  const auto firstIn = std::ranges::lower_bound(candidates_, first, {}, &Candidate::layer);
  const auto endOf = std::ranges::lower_bound(candidates_, end, {}, &Candidate::layer);
  return below(static_cast<size_t>(endOf - candidates_.begin())) &
         ~below(static_cast<size_t>(firstIn - candidates_.begin()));
}

void PlanProblem::describe(std::span<const Layer> layers, std::span<const int8_t> classes) {
  steps_ = 0;
  findVisible(layers);
  chooseCandidates(layers, classes);
  relate();
}

void PlanProblem::findVisible(std::span<const Layer> layers) {
  const Rect screen{0, 0, static_cast<int32_t>(output_.size.width), static_cast<int32_t>(output_.size.height)};
  std::array<Rect, maximumCovers> covers;
  size_t coverCount = 0;
  backgroundVisible_ = true;
  visible_.resize(layers.size());
  for (size_t i = layers.size(); i-- > 0;) {
    Rect& visible = visible_[i];
    visible = layers[i].alpha == 0 ? Rect{} : intersect(layers[i].destination, screen);
    steps_ += coverCount + 1;
    const auto hides = [&visible](const Rect& cover) { return cover.contains(visible); };
    if (visible.empty() || std::any_of(covers.begin(), covers.begin() + coverCount, hides)) {
      visible = {};
      continue;
    }
    if (!isSolid(layers[i])) continue;
    if (visible == screen) backgroundVisible_ = false;
    if (coverCount < covers.size()) {
      covers[coverCount++] = visible;
    } else if (auto least = std::ranges::min_element(covers, {}, areaOf); areaOf(*least) < areaOf(visible)) {
      *least = visible;
    }
  }
}

void PlanProblem::chooseCandidates(std::span<const Layer> layers, std::span<const int8_t> classes) {
  ranked_.clear();
  candidates_.clear();
  lacking_.assign(layers.size(), Refusal::PlaneNone);
  candidateOf_.assign(layers.size(), -1);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (visible_[i].empty() || !mayUsePlane(layers[i])) continue;
    const double saving = static_cast<double>(areaOf(visible_[i])) * classRate(classes[i]);
    ranked_.push_back({i, isMandatory(layers[i]), classes[i] > 0, saving});
  }
  const size_t examined = std::min(ranked_.size(), maximumExamined);
  const auto moreImportant = [](const Ranked& a, const Ranked& b) {
    if (a.mandatory != b.mandatory) return a.mandatory;
    if (a.changes != b.changes) return a.changes;
    return a.saving != b.saving ? a.saving > b.saving : a.layer > b.layer;
  };
  std::partial_sort(ranked_.begin(), ranked_.begin() + static_cast<ptrdiff_t>(examined), ranked_.end(), moreImportant);
  const size_t most = std::min(maximumCandidates, candidatesPerPlane * planes_.size());
  for (size_t i = 0; i < examined && candidates_.size() < most; ++i) {
    const Ranked& ranked = ranked_[i];
    Candidate candidate{
        .layer = ranked.layer, .mandatory = ranked.mandatory, .changes = ranked.changes, .saving = ranked.saving};
    if (examine(layers[ranked.layer], ranked.layer, candidate)) candidates_.push_back(candidate);
  }
  byImportance_.resize(candidates_.size());
  // Candidates are kept in the order of the display list; their rank is the order in which they were found.
  for (size_t rank = 0; rank < candidates_.size(); ++rank) {
    const auto lower = std::ranges::count_if(
        candidates_, [&](const Candidate& other) { return other.layer < candidates_[rank].layer; });
    byImportance_[rank] = static_cast<uint8_t>(lower);
  }
  std::ranges::sort(candidates_, {}, &Candidate::layer);
  for (size_t c = 0; c < candidates_.size(); ++c)
    candidateOf_[candidates_[c].layer] = static_cast<int8_t>(c);
}

/** Fills in which planes take the layer; false and the reason in lacking_ where none does. */
bool PlanProblem::examine(const Layer& layer, size_t index, Candidate& candidate) {
  const Rect screen{0, 0, static_cast<int32_t>(output_.size.width), static_cast<int32_t>(output_.size.height)};
  candidate.solid = isSolid(layer);
  Refusal nearest = Refusal::PlaneNone;
  for (size_t p = 0; p < planes_.size(); ++p) {
    if (p == primary_ && visible_[index] != screen) continue;
    ++steps_;
    const LayerFit fit = fitLayer(layer, *planes_[p]);
    if (fit.refusal == Refusal::None) {
      candidate.fits |= bit(p);
      if (fit.opaqueFormat) candidate.opaqueFormat |= bit(p);
    } else if (fitProgress(fit.refusal) > fitProgress(nearest)) {
      nearest = fit.refusal;
    }
  }
  lacking_[index] = candidate.fits != 0 ? Refusal::None : nearest;
  return candidate.fits != 0;
}

void PlanProblem::relate() {
  fixed_ = {};
  for (Candidate& candidate : candidates_)
    candidate.onTop = true;
  for (size_t i = 0; i < visible_.size(); ++i) {
    if (visible_[i].empty()) continue;
    const bool isFixed = candidateOf_[i] < 0;
    if (isFixed) fixed_.add(i);
    for (Candidate& candidate : candidates_) {
      ++steps_;
      if (candidate.layer == i || !overlaps(visible_[i], visible_[candidate.layer])) continue;
      if (i > candidate.layer) candidate.onTop = false;
      if (!isFixed) {
        const auto other = static_cast<size_t>(candidateOf_[i]);
        candidate.overlapping |= bit(other);
        const bool shields = i < candidate.layer && candidates_[other].solid;
        if (shields && visible_[i].contains(visible_[candidate.layer])) candidate.shields |= bit(other);
      } else if (i > candidate.layer) {
        candidate.fixedAbove.add(i);
      } else {
        candidate.fixedBelow.add(i);
      }
    }
  }
}

} // namespace vitrine
