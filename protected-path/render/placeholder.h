#pragma once

#include <array>
#include <cstdint>

namespace vitrine {

/**
 * The pattern that replaces content which may not be shown: diagonal stripes of two dark greys, fixed to the target's
 * pixels. Tests compare pictures with placeholderPixel().
 */
struct PlaceholderPattern {
  static constexpr std::array<uint8_t, 3> base = {0x26, 0x26, 0x2b};   ///< red, green, blue
  static constexpr std::array<uint8_t, 3> stripe = {0x34, 0x34, 0x3c}; ///< red, green, blue
  static constexpr int32_t stripeWidth = 16;                           ///< pixels along a row
};

/** Red, green and blue of the placeholder at a pixel of the target (`x`, `y` ≥ 0). */
[[nodiscard]] constexpr const std::array<uint8_t, 3>& placeholderPixel(int32_t x, int32_t y) {
  const bool onStripe = ((x + y) / PlaceholderPattern::stripeWidth) % 2 != 0;
  return onStripe ? PlaceholderPattern::stripe : PlaceholderPattern::base;
}

} // namespace vitrine
