#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protected-path/base/format.h"

/*
 * A test pattern: a test can read the frame's number from it, and knows the value of every pixel. It is a function of
 * (x, y, frame) in integers, with all divisions rounding down, so that it is easy to compute again.
 *
 * Let W × H be the size (both even, at least 64 × 96). By range:
 *     limited: lumaLow 16, lumaHigh 235, chromaLow 16, chromaHigh 240
 *     full:    lumaLow 0,  lumaHigh 255, chromaLow 0,  chromaHigh 255
 * A chroma sample covers 2 × 2 pixels. Its coordinates (cx, cy) go from 0 to W/2 - 1 and H/2 - 1. `x` in a chroma formula
 * is 2 cx.
 *
 * Rows 0…31 are the bar: 32 cells side by side. Column x is in cell (32 x) / W. A cell is white (1, lumaHigh) or black
 * (0, lumaLow); its chroma is 128.
 *     cells 0, 1     sync: 1 0
 *     cells 2…21     frame mod 2^20, highest bit first
 *     cells 22…29    CRC-8 of those 20 bits in the order of the cells, highest bit first: polynomial 0x07, initial value
 *                    0xff, no reflection, no final XOR
 *     cells 30, 31   sync: 0 1
 *
 * Below are three bands. With R = (H - 32) / 3 rounded down to even, the first has rows 32…32+R-1, the second the next R
 * rows, and the third the rest.
 *     bars        eight colours that move to the left: with x' = (x + 2 frame) mod W, colour (8 x') / W of testPatternBars
 *     gradient    luma  lumaLow + ((x + frame) mod W) (lumaHigh - lumaLow) / (W - 1)
 *                 Cb    chromaLow + cx (chromaHigh - chromaLow) / (W/2 - 1)
 *                 Cr    chromaHigh - r (chromaHigh - chromaLow) / (R/2 - 1), where r is the chroma row within the band
 *     box         a box on a background; both change with every frame. The box is B = (W / 8 rounded down to even) columns
 *                 wide and as high as the band. It begins at column (4 frame) mod (W - B), and is lumaHigh, Cb chromaHigh,
 *                 Cr chromaLow. The background is luma lumaLow + (3 frame) mod (lumaHigh - lumaLow + 1), chroma 128. (W - B
 *                 and (4 frame) mod (W - B) are even, so the box begins and ends between chroma samples.)
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

/** The eight colours of the first band: 75 % bars of BT.709, limited range, regardless of the clip's range. */
inline constexpr Ycbcr testPatternBars[8] = {{180, 128, 128}, {168, 44, 136}, {145, 147, 44}, {133, 63, 52},
                                             {63, 193, 204},  {51, 109, 212}, {28, 212, 120}, {16, 128, 128}};

/** The positions of a frame's planes in memory. */
struct Nv12Layout {
  Size size;
  uint32_t lumaStrideBytes = 0;
  uint32_t chromaStrideBytes = 0;
  uint64_t chromaOffsetBytes = 0;
};

/** The 32 cells of a frame's bar, cell 0 in the highest bit. */
[[nodiscard]] uint32_t frameBarBits(uint64_t frame);

/** Luma of one pixel, and its chroma sample. This is the definition; drawTestPattern() gives the same, faster. */
[[nodiscard]] Ycbcr testPatternPixel(Size size, ColorRange range, uint32_t x, uint32_t y, uint64_t frame);

/** Draws a frame. `target` must reach to the end of the chroma plane. Bytes between row end and stride become 0. */
void drawTestPattern(const Nv12Layout& layout, ColorRange range, uint64_t frame, std::span<std::byte> target);

/** The number in the bar of a luma plane; empty if sync or CRC are wrong. Robust against noise and rescaled levels. */
[[nodiscard]] std::optional<uint32_t> readFrameBar(std::span<const std::byte> luma, Size size, uint32_t strideBytes);

} // namespace vitrine
