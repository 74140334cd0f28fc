#include "tests/board/clip/test_pattern.h"

#include <algorithm>
#include <cstring>

namespace vitrine {
namespace {

struct Levels {
  uint32_t lumaLow, lumaHigh, chromaLow, chromaHigh;
};

constexpr Levels levelsOf(ColorRange range) {
  return range == ColorRange::Full ? Levels{0, 255, 0, 255} : Levels{16, 235, 16, 240};
}

uint32_t crc8(uint32_t value, int bits) {
  uint32_t crc = 0xff;
  for (int bit = bits - 1; bit >= 0; --bit) {
    const bool carry = (((crc >> 7) ^ (value >> bit)) & 1U) != 0;
    crc = (crc << 1) & 0xffU;
    if (carry) crc ^= 0x07U;
  }
  return crc;
}

enum class Band { Bar, Bars, Gradient, Box };

struct Bands {
  explicit Bands(Size size) : rows((size.height - frameBarRows) / 3 & ~1U) {}
  [[nodiscard]] Band at(uint32_t y) const {
    if (y < frameBarRows) return Band::Bar;
    if (y < frameBarRows + rows) return Band::Bars;
    return y < frameBarRows + 2 * rows ? Band::Gradient : Band::Box;
  }
  uint32_t rows;
};

uint8_t narrow(uint64_t value) {
  return static_cast<uint8_t>(value);
}

Ycbcr barPixel(Size size, const Levels& levels, uint32_t x, uint64_t frame) {
  const uint32_t cell = x * frameBarCells / size.width;
  const bool white = (frameBarBits(frame) >> (frameBarCells - 1 - cell) & 1U) != 0;
  return {narrow(white ? levels.lumaHigh : levels.lumaLow), 128, 128};
}

Ycbcr barsPixel(Size size, uint32_t x, uint64_t frame) {
  auto bar = [&](uint64_t column) { return testPatternBars[(column + 2 * frame) % size.width * 8 / size.width]; };
  const Ycbcr chroma = bar(x & ~1U);
  return {bar(x).y, chroma.cb, chroma.cr};
}

Ycbcr gradientPixel(Size size, const Levels& levels, uint32_t x, uint32_t bandY, uint32_t bandRows, uint64_t frame) {
  const uint32_t chromaSpan = levels.chromaHigh - levels.chromaLow;
  return {narrow(levels.lumaLow + (x + frame) % size.width * (levels.lumaHigh - levels.lumaLow) / (size.width - 1)),
          narrow(levels.chromaLow + x / 2 * chromaSpan / (size.width / 2 - 1)),
          narrow(levels.chromaHigh - bandY / 2 * chromaSpan / (bandRows / 2 - 1))};
}

Ycbcr boxPixel(Size size, const Levels& levels, uint32_t x, uint64_t frame) {
  const uint32_t boxWidth = size.width / 8 & ~1U;
  const uint64_t begin = 4 * frame % (size.width - boxWidth);
  if (x >= begin && x < begin + boxWidth)
    return {narrow(levels.lumaHigh), narrow(levels.chromaHigh), narrow(levels.chromaLow)};
  return {narrow(levels.lumaLow + 3 * frame % (levels.lumaHigh - levels.lumaLow + 1)), 128, 128};
}

/** Mean luma of the middle of a cell, since scaling may blur its edges. */
double cellLevel(std::span<const std::byte> luma, Size size, uint32_t strideBytes, uint32_t cell) {
  // The first column of a cell is the first one whose cell number, rounded down, is this cell.
  const uint32_t left = (cell * size.width + frameBarCells - 1) / frameBarCells;
  const uint32_t right = ((cell + 1) * size.width + frameBarCells - 1) / frameBarCells;
  const uint32_t rim = (right - left) / 4;
  double sum = 0;
  uint32_t count = 0;
  for (uint32_t y = frameBarRows / 4; y < frameBarRows * 3 / 4; ++y)
    for (uint32_t x = left + rim; x < right - rim; ++x, ++count)
      sum += std::to_integer<int>(luma[size_t{y} * strideBytes + x]);
  return count == 0 ? 0 : sum / count;
}

} // namespace

uint32_t frameBarBits(uint64_t frame) {
  const auto number = static_cast<uint32_t>(frame % frameNumberLimit);
  return 0b10U << 30 | number << 10 | crc8(number, 20) << 2 | 0b01U;
}

Ycbcr testPatternPixel(Size size, ColorRange range, uint32_t x, uint32_t y, uint64_t frame) {
  const Levels levels = levelsOf(range);
  const Bands bands(size);
  switch (bands.at(y)) {
  case Band::Bar:
    return barPixel(size, levels, x, frame);
  case Band::Bars:
    return barsPixel(size, x, frame);
  case Band::Gradient:
    return gradientPixel(size, levels, x, y - frameBarRows - bands.rows, bands.rows, frame);
  case Band::Box:
    break;
  }
  return boxPixel(size, levels, x, frame);
}

void drawTestPattern(const Nv12Layout& layout, ColorRange range, uint64_t frame, std::span<std::byte> target) {
  const Size size = layout.size;
  const Bands bands(size);
  // All luma rows of a band are equal. So are its chroma rows, except in the gradient.
  for (uint32_t y = 0; y < size.height; ++y) {
    std::byte* row = target.data() + size_t{y} * layout.lumaStrideBytes;
    if (y > 0 && bands.at(y) == bands.at(y - 1)) {
      std::memcpy(row, row - layout.lumaStrideBytes, layout.lumaStrideBytes);
      continue;
    }
    for (uint32_t x = 0; x < size.width; ++x)
      row[x] = std::byte{testPatternPixel(size, range, x, y, frame).y};
    std::memset(row + size.width, 0, layout.lumaStrideBytes - size.width);
  }
  for (uint32_t y = 0; y < size.height; y += 2) {
    std::byte* row = target.data() + layout.chromaOffsetBytes + size_t{y / 2} * layout.chromaStrideBytes;
    if (y > 0 && bands.at(y) == bands.at(y - 2) && bands.at(y) != Band::Gradient) {
      std::memcpy(row, row - layout.chromaStrideBytes, layout.chromaStrideBytes);
      continue;
    }
    for (uint32_t x = 0; x < size.width; x += 2) {
      const Ycbcr pixel = testPatternPixel(size, range, x, y, frame);
      row[x] = std::byte{pixel.cb};
      row[x + 1] = std::byte{pixel.cr};
    }
    std::memset(row + size.width, 0, layout.chromaStrideBytes - size.width);
  }
}

std::optional<uint32_t> readFrameBar(std::span<const std::byte> luma, Size size, uint32_t strideBytes) {
  if (size.width < 2 * frameBarCells || size.height < frameBarRows) return std::nullopt;
  if (luma.size() < size_t{strideBytes} * (frameBarRows - 1) + size.width) return std::nullopt;
  const double white = cellLevel(luma, size, strideBytes, 0);
  const double black = cellLevel(luma, size, strideBytes, 1);
  if (white - black < 64) return std::nullopt;
  uint32_t bits = 0;
  for (uint32_t cell = 0; cell < frameBarCells; ++cell) {
    const bool one = cellLevel(luma, size, strideBytes, cell) > (white + black) / 2;
    bits = bits << 1 | (one ? 1U : 0U);
  }
  const uint32_t number = bits >> 10 & (frameNumberLimit - 1);
  if (bits != frameBarBits(number)) return std::nullopt;
  return number;
}

} // namespace vitrine
