#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protected-path/base/format.h"

/*
 * The picture by which a test knows which frame it sees and what every pixel of it has to be. A function of (x, y,
 * frame) in whole numbers, all divisions rounding down, so that anybody can compute it again.
 *
 * Let W × H be the size (both even, 64 × 96 at least), and by range
 *     limited: lumaLow 16, lumaHigh 235, chromaLow 16, chromaHigh 240;   full: 0, 255, 0, 255.
 * Chroma samples stand for 2 × 2 pixels; their (cx, cy) count from 0 to W/2 - 1 and H/2 - 1; `x` in chroma formulas is
 * 2 cx.
 *
 * The bar, rows 0…31: 32 cells side by side; column x belongs to cell (32 x) / W. A cell is white (1, lumaHigh) or
 * black (0, lumaLow); chroma is 128. cells 0, 1      1 0                                  sync cells 2…21      frame
 * mod 2^20, highest bit first cells 22…29     CRC-8 of those 20 bits, highest bit first: polynomial 0x07, initial value
 * 0xff, no reflection, no final XOR, over the bits in the order of the cells cells 30, 31    0 1 sync
 *
 * The rest is three bands; with R = (H - 32) / 3 rounded down to even: rows 32…32+R-1, then R more, then what is left.
 *     bars       x' = (x + 2 frame) mod W; bar (8 x') / W of the table testPatternBars: eight colours moving to the
 * left gradient   luma lumaLow + ((x + frame) mod W) (lumaHigh - lumaLow) / (W - 1) Cb chromaLow + cx (chromaHigh -
 * chromaLow) / (W/2 - 1) Cr chromaHigh - r (chromaHigh - chromaLow) / (R/2 - 1), r the chroma row within the band box
 * a box on a ground that both change with every frame. The box is B = (W / 8 rounded down to even) columns wide, the
 * band high, begins at column (4 frame) mod (W - B) and is lumaHigh, Cb chromaHigh, Cr chromaLow. The ground is luma
 * lumaLow + (3 frame) mod (lumaHigh - lumaLow + 1), chroma 128. (W - B is even and so is 4 frame mod it: the box begins
 * and ends between chroma samples.)
 */
namespace vitrine {

struct Ycbcr {
  uint8_t y;
  uint8_t cb;
  uint8_t cr;
  bool operator==(const Ycbcr&) const = default;
};

inline constexpr uint32_t frameBarRows = 32;
inline constexpr uint32_t frameBarCells = 32;
inline constexpr uint32_t frameNumberLimit = 1U << 20;
inline constexpr Size testPatternMinimum{64, 96};

/** The eight colours of the first band: 75 % bars of BT.709, limited range, which is what they are whatever the clip
 * says. */
inline constexpr Ycbcr testPatternBars[8] = {{180, 128, 128}, {168, 44, 136}, {145, 147, 44}, {133, 63, 52},
                                             {63, 193, 204},  {51, 109, 212}, {28, 212, 120}, {16, 128, 128}};

/** Where a frame's planes lie in memory. */
struct Nv12Layout {
  Size size;
  uint32_t lumaStrideBytes = 0;
  uint32_t chromaStrideBytes = 0;
  uint64_t chromaOffsetBytes = 0;
};

/** The 32 cells of a frame's bar, cell 0 in the highest bit. */
[[nodiscard]] uint32_t frameBarBits(uint64_t frame);

/** Luma of one pixel and the chroma sample that it shares. The definition; drawTestPattern() is the fast way to the
 * same. */
[[nodiscard]] Ycbcr testPatternPixel(Size size, ColorRange range, uint32_t x, uint32_t y, uint64_t frame);

/** Draws a frame; `target` has to reach to the end of the chroma plane. Bytes between row end and stride become 0. */
void drawTestPattern(const Nv12Layout& layout, ColorRange range, uint64_t frame, std::span<std::byte> target);

/** The number in the bar of a luma plane, or nothing where sync or CRC do not fit. Robust against noise and rescaled
 * levels. */
[[nodiscard]] std::optional<uint32_t> readFrameBar(std::span<const std::byte> luma, Size size, uint32_t strideBytes);

} // namespace vitrine
