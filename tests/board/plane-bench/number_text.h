#pragma once

#include <cmath>
#include <format>
#include <string>

namespace vitrine::bench {

/** A number with about three digits that matter and no exponent: `0.42`, `3.1`, `48`, `16670`. */
[[nodiscard]] inline std::string numberText(double value) {
  const double size = std::abs(value);
  if (size != 0 && size < 0.995) return std::format("{:.2f}", value);
  if (size < 99.95 && std::abs(value - std::round(value)) > 0.05) return std::format("{:.1f}", value);
  return std::format("{:.0f}", value + 0.0); // -0 becomes 0
}

} // namespace vitrine::bench
