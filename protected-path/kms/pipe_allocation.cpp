/*
 * Connectors and CRTCs are the two sides of a bipartite graph, and so are CRTCs and primaries. A matching grows by augmenting
 * paths (Kuhn): a seeker takes a free target, or one whose holder finds another. A seeker that has a target never loses it
 * altogether, so the first in the list have precedence, and the matching is as large as any.
 *
 *     connectors   A ----- 0   CRTCs        B comes, and can use 0 alone: A moves to 1, B gets 0.
 *                    \   /
 *                      X
 *                    /   \
 *                  B       1
 *
 * Cost: O(seekers x targets x seekers) for at most 32 of each.
 */
#include "protected-path/kms/pipe_allocation.h"

#include <algorithm>
#include <bit>

namespace vitrine {
namespace {

class Matching {
public:
  /** `possible[i]`: the targets that seeker i can have, a bit each. */
  explicit Matching(std::vector<uint32_t> possible)
      : possible_(std::move(possible)), holder_(32), target_(possible_.size()) {}

  void give(size_t seeker, uint32_t target) {
    holder_[target] = seeker;
    target_[seeker] = target;
  }
  [[nodiscard]] bool canHave(size_t seeker, uint32_t target) const {
    return target < 32 && (possible_[seeker] >> target & 1) != 0 && !holder_[target];
  }
  void completeInOrder() {
    for (size_t seeker = 0; seeker < possible_.size(); ++seeker) {
      uint32_t visited = 0;
      if (!target_[seeker]) find(seeker, visited);
    }
  }
  [[nodiscard]] const std::vector<std::optional<uint32_t>>& targets() const { return target_; }

private:
  bool find(size_t seeker, uint32_t& visited) {
    for (uint32_t target = 0; target < 32; ++target) {
      if (!canHave(seeker, target)) continue;
      give(seeker, target);
      return true;
    }
    for (uint32_t target = 0; target < 32; ++target) {
      if ((possible_[seeker] >> target & 1) == 0 || (visited >> target & 1) != 0) continue;
      visited |= 1U << target;
      if (!find(*holder_[target], visited)) continue;
      give(seeker, target);
      return true;
    }
    return false;
  }

  std::vector<uint32_t> possible_;
  std::vector<std::optional<size_t>> holder_;   ///< per target
  std::vector<std::optional<uint32_t>> target_; ///< per seeker
};

/** Hands out overlays, one at a time. */
class OverlayShare {
public:
  OverlayShare(std::span<const Plane> planes, std::span<const std::optional<uint32_t>> current)
      : planes_(planes), current_(current), owner_(planes.size()) {}

  [[nodiscard]] unsigned count(uint32_t crtc) const {
    return static_cast<unsigned>(std::ranges::count(owner_, std::optional(crtc)));
  }
  /** The plane that moves least: the CRTC's own, else one that fewest others can use. */
  bool giveOne(uint32_t crtc) {
    std::optional<size_t> best;
    const auto rank = [&](size_t i) {
      const bool held = i < current_.size() && current_[i] == crtc;
      const bool heldByOther = i < current_.size() && current_[i].has_value() && !held;
      return std::pair(held ? 0 : heldByOther ? 2 : 1, std::popcount(planes_[i].possibleCrtcs));
    };
    for (size_t i = 0; i < planes_.size(); ++i) {
      const bool possible = planes_[i].type == PlaneType::Overlay && (planes_[i].possibleCrtcs >> crtc & 1) != 0;
      if (!possible || owner_[i]) continue;
      if (!best || rank(i) < rank(*best)) best = i;
    }
    if (best) owner_[*best] = crtc;
    return best.has_value();
  }
  [[nodiscard]] std::vector<std::optional<uint32_t>> owners() { return std::move(owner_); }

private:
  std::span<const Plane> planes_;
  std::span<const std::optional<uint32_t>> current_;
  std::vector<std::optional<uint32_t>> owner_;
};

} // namespace

std::vector<std::optional<uint32_t>> allocateCrtcs(std::span<const ConnectorWish> wishes, uint32_t usable) {
  std::vector<uint32_t> possible;
  for (const ConnectorWish& wish : wishes)
    possible.push_back(wish.possibleCrtcs & usable);
  Matching matching(std::move(possible));
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (wishes[i].current && matching.canHave(i, *wishes[i].current)) matching.give(i, *wishes[i].current);
  }
  matching.completeInOrder();
  return matching.targets();
}

std::vector<const Plane*> allocateFixedPlanes(std::span<const Plane> planes, PlaneType type, uint32_t crtcCount) {
  std::vector<const Plane*> ofType;
  for (const Plane& plane : planes) {
    if (plane.type == type && ofType.size() < 32) ofType.push_back(&plane);
  }
  std::vector<uint32_t> possible(crtcCount);
  for (uint32_t crtc = 0; crtc < crtcCount; ++crtc) {
    for (size_t i = 0; i < ofType.size(); ++i)
      possible[crtc] |= (ofType[i]->possibleCrtcs >> crtc & 1) << i;
  }
  Matching matching(std::move(possible));
  matching.completeInOrder();
  std::vector<const Plane*> chosen;
  for (const auto& index : matching.targets())
    chosen.push_back(index ? ofType[*index] : nullptr);
  return chosen;
}

std::vector<std::optional<uint32_t>> allocateOverlays(std::span<const Plane> planes,
                                                      std::span<const OverlayDemand> demands,
                                                      std::span<const std::optional<uint32_t>> current) {
  OverlayShare share(planes, current);
  // Each turn gives every CRTC that is below its claim one plane; the last claim is that to an even share of what is left.
  const auto giveUpTo = [&](auto claimOf) {
    for (bool gave = true; gave;) {
      gave = false;
      for (const OverlayDemand& demand : demands) {
        if (share.count(demand.crtcIndex) < claimOf(demand)) gave = share.giveOne(demand.crtcIndex) || gave;
      }
    }
  };
  giveUpTo([](const OverlayDemand& demand) { return demand.mandatory; });
  giveUpTo([](const OverlayDemand& demand) { return demand.wanted; });
  giveUpTo([&](const OverlayDemand&) { return static_cast<unsigned>(planes.size()); });
  return share.owners();
}

} // namespace vitrine
