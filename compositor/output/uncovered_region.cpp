#include "compositor/output/uncovered_region.h"

namespace vitrine {

UncoveredRegion::UncoveredRegion(std::span<const Rect> boxes) {
  pixman_region32_init(&region_);
  for (const Rect& box : boxes) {
    if (box.empty()) continue;
    pixman_region32_union_rect(&region_, &region_, box.x, box.y, static_cast<unsigned>(box.width),
                               static_cast<unsigned>(box.height));
  }
}

bool UncoveredRegion::meets(const Rect& box) const {
  const pixman_box32_t pixels{box.x, box.y, box.right(), box.bottom()};
  return !box.empty() && pixman_region32_contains_rectangle(&region_, &pixels) != PIXMAN_REGION_OUT;
}

void UncoveredRegion::cover(const Rect& box) {
  if (!meets(box) || pixman_region32_n_rects(&region_) > maximumBoxes) return;
  pixman_region32_t covered;
  pixman_region32_init_rect(&covered, box.x, box.y, static_cast<unsigned>(box.width),
                            static_cast<unsigned>(box.height));
  pixman_region32_subtract(&region_, &region_, &covered);
  pixman_region32_fini(&covered);
}

} // namespace vitrine
