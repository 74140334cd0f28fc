#pragma once

#include <algorithm>
#include <cstdint>

namespace vitrine {

/** Width × height in pixels. */
struct Size {
  uint32_t width = 0;
  uint32_t height = 0;
  bool operator==(const Size&) const = default;
};

/** A box in whole pixels: `x`, `y` of its top-left corner, half open to the right and below. */
struct Rect {
  int32_t x = 0;
  int32_t y = 0;
  int32_t width = 0;
  int32_t height = 0;
  bool operator==(const Rect&) const = default;

  [[nodiscard]] bool empty() const { return width <= 0 || height <= 0; }
  [[nodiscard]] int32_t right() const { return x + width; }
  [[nodiscard]] int32_t bottom() const { return y + height; }
  [[nodiscard]] bool contains(const Rect& inner) const {
    return inner.x >= x && inner.y >= y && inner.right() <= right() && inner.bottom() <= bottom();
  }
};

[[nodiscard]] inline Rect intersect(const Rect& a, const Rect& b) {
  const int32_t x = std::max(a.x, b.x);
  const int32_t y = std::max(a.y, b.y);
  return {x, y, std::max(0, std::min(a.right(), b.right()) - x), std::max(0, std::min(a.bottom(), b.bottom()) - y)};
}

[[nodiscard]] inline bool overlaps(const Rect& a, const Rect& b) {
  return !intersect(a, b).empty();
}

/** The smallest box around both. An empty box is ignored. */
[[nodiscard]] inline Rect unite(const Rect& a, const Rect& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  const int32_t x = std::min(a.x, b.x);
  const int32_t y = std::min(a.y, b.y);
  return {x, y, std::max(a.right(), b.right()) - x, std::max(a.bottom(), b.bottom()) - y};
}

/**
 * KMS's 16.16 fixed point, as in a plane's SRC_* properties (kernel: "drm_plane_state.src_x"). Unsigned: a source
 * coordinate is never negative.
 */
class Fixed16_16 {
public:
  constexpr Fixed16_16() = default;
  static constexpr Fixed16_16 fromInt(uint32_t value) { return Fixed16_16(value << 16); }
  /** The nearest value; `value` must be from 0 to 65535. */
  static constexpr Fixed16_16 fromDouble(double value) {
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): constexpr, which std::lround is not; `value` is not negative
    return Fixed16_16(static_cast<uint32_t>(value * 65536.0 + 0.5));
  }
  static constexpr Fixed16_16 fromRaw(uint32_t raw) { return Fixed16_16(raw); }
  [[nodiscard]] constexpr uint32_t raw() const { return raw_; }
  [[nodiscard]] constexpr double toDouble() const { return raw_ / 65536.0; }
  [[nodiscard]] constexpr bool isWhole() const { return (raw_ & 0xffff) == 0; }
  [[nodiscard]] constexpr uint32_t whole() const { return raw_ >> 16; }
  bool operator==(const Fixed16_16&) const = default;

private:
  constexpr explicit Fixed16_16(uint32_t raw) : raw_(raw) {}
  uint32_t raw_ = 0;
};

/** The part of a buffer that is shown, in buffer pixels (before the transform). */
struct SourceRect {
  Fixed16_16 x;
  Fixed16_16 y;
  Fixed16_16 width;
  Fixed16_16 height;
  bool operator==(const SourceRect&) const = default;

  static SourceRect whole(Size size) {
    return {{}, {}, Fixed16_16::fromInt(size.width), Fixed16_16::fromInt(size.height)};
  }
};

/** How a buffer's content is rotated or mirrored to be shown. The values are those of `wl_output.transform`. */
enum class Transform : uint8_t { Normal = 0, R90, R180, R270, Flipped, Flipped90, Flipped180, Flipped270 };

/** Whether a transform swaps width and height. */
[[nodiscard]] inline bool swapsAxes(Transform transform) {
  return (static_cast<unsigned>(transform) & 1U) != 0;
}

} // namespace vitrine
