#pragma once

#include <algorithm>
#include <cstdint>

#include "protected-path/planes/display_list.h"

namespace vitrine {

/** A hash over 64-bit words (the finisher of MurmurHash3 after each). */
class ShapeHash {
public:
  template<typename... T>
  ShapeHash& add(T... values) {
    (addWord(static_cast<uint64_t>(values)), ...);
    return *this;
  }
  [[nodiscard]] uint64_t value() const { return value_; }

private:
  void addWord(uint64_t word) {
    value_ = (value_ ^ word) * 0xff51afd7ed558ccdU;
    value_ ^= value_ >> 33;
  }
  uint64_t value_ = 0xcbf29ce484222325U;
};

/** What the kernel sees of a layer, its position excepted. */
inline void addShape(ShapeHash& hash, const Layer& layer) {
  hash.add(layer.destination.width, layer.destination.height)
      .add(layer.source.width.raw(), layer.source.height.raw())
      .add(layer.bufferSize.width, layer.bufferSize.height, layer.fourcc, layer.modifier)
      .add(static_cast<uint64_t>(layer.transform) | static_cast<uint64_t>(layer.alpha) << 8 |
           static_cast<uint64_t>(layer.encoding) << 24 | static_cast<uint64_t>(layer.range) << 32 |
           static_cast<uint64_t>(layer.protectedContent) << 40);
}

/**
 * What hardware cares about in a position: at which edges of the output the box is cut, and how narrow that leaves it;
 * the fraction of the source's corner; for subsampled formats whether corners are odd.
 */
inline void addPlacement(ShapeHash& hash, const Layer& layer, const Rect& screen) {
  constexpr int32_t narrow = 16; // pixels; the least that planes take lies between 2 and 16
  constexpr uint32_t fraction = 0xffff;
  const Rect& box = layer.destination;
  const Rect visible = intersect(box, screen);
  const bool cut = visible != box;
  uint64_t word = 0;
  if (cut) {
    word = 1 | (box.x < screen.x ? 2U : 0U) | (box.y < screen.y ? 4U : 0U) | (box.right() > screen.right() ? 8U : 0U) |
           (box.bottom() > screen.bottom() ? 16U : 0U) | static_cast<uint64_t>(std::min(visible.width, narrow)) << 8 |
           static_cast<uint64_t>(std::min(visible.height, narrow)) << 16;
  }
  const FormatInfo* format = formatInfo(layer.fourcc);
  if (format != nullptr && format->isYuv) {
    word |= static_cast<uint64_t>(visible.x & 1) << 24 | static_cast<uint64_t>(visible.y & 1) << 25 |
            static_cast<uint64_t>(layer.source.x.whole() & 1) << 26 |
            static_cast<uint64_t>(layer.source.y.whole() & 1) << 27;
    if (cut) word |= static_cast<uint64_t>(visible.width & 1) << 28 | static_cast<uint64_t>(visible.height & 1) << 29;
  }
  hash.add(word, layer.source.x.raw() & fraction, layer.source.y.raw() & fraction);
}

} // namespace vitrine
