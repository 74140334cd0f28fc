#pragma once

#include <span>

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/format.h"

namespace vitrine {

/**
 * What opaque content leaves uncovered, while a list of layers is walked from the highest to the lowest.
 *
 * The region keeps at most `maximumBoxes` boxes: a cover that arrives later is left out, so that a walk costs time in
 * proportion to the number of layers. meets() may therefore be true for a box that is covered, and is never false for
 * one that is not.
 */
class UncoveredRegion {
public:
  static constexpr int maximumBoxes = 64;

  /** The whole of these boxes, in pixels. */
  explicit UncoveredRegion(std::span<const Rect> boxes);
  UncoveredRegion(const UncoveredRegion&) = delete;
  ~UncoveredRegion() { pixman_region32_fini(&region_); }

  [[nodiscard]] bool empty() const { return pixman_region32_not_empty(&region_) == 0; }
  /** Whether a part of `box` is uncovered. */
  [[nodiscard]] bool meets(const Rect& box) const;
  /** Takes `box` away. */
  void cover(const Rect& box);

private:
  pixman_region32_t region_;
};

} // namespace vitrine
