#include <gtest/gtest.h>

#include "tests/board/clip/test_pattern.h"

namespace vitrine {
namespace {

struct Drawn {
  Nv12Layout layout;
  std::vector<std::byte> bytes;

  Drawn(Size size, ColorRange range, uint64_t frame) {
    layout = {size, size.width + 24, size.width + 8, uint64_t{size.width + 24} * size.height + 512};
    bytes.resize(layout.chromaOffsetBytes + size_t{layout.chromaStrideBytes} * (size.height / 2), std::byte{0xee});
    drawTestPattern(layout, range, frame, bytes);
  }
  [[nodiscard]] Ycbcr at(uint32_t x, uint32_t y) const {
    const size_t chroma = layout.chromaOffsetBytes + size_t{y / 2} * layout.chromaStrideBytes + (x & ~1U);
    return {std::to_integer<uint8_t>(bytes[size_t{y} * layout.lumaStrideBytes + x]),
            std::to_integer<uint8_t>(bytes[chroma]), std::to_integer<uint8_t>(bytes[chroma + 1])};
  }
  [[nodiscard]] std::span<const std::byte> luma() const { return bytes; }
  [[nodiscard]] std::optional<uint32_t> number() const {
    return readFrameBar(luma(), layout.size, layout.lumaStrideBytes);
  }
};

TEST(TestPattern, EveryDrawnPixelIsTheDefinitions) {
  for (const Size size : {Size{64, 96}, Size{130, 98}, Size{640, 360}})
    for (const ColorRange range : {ColorRange::Limited, ColorRange::Full})
      for (const uint64_t frame : {0U, 1U, 77U, 1048575U}) {
        const Drawn drawn(size, range, frame);
        for (uint32_t y = 0; y < size.height; ++y)
          for (uint32_t x = 0; x < size.width; ++x)
            ASSERT_EQ(drawn.at(x, y), testPatternPixel(size, range, x, y, frame))
                << size.width << "x" << size.height << " frame " << frame << " at " << x << "," << y;
      }
}

TEST(TestPattern, FrameNumberRoundTrip) {
  for (const Size size : {Size{64, 96}, Size{70, 100}, Size{1280, 720}})
    for (const ColorRange range : {ColorRange::Limited, ColorRange::Full})
      for (const uint32_t frame : {0U, 1U, 2U, 599U, 65535U, 699050U, 1048575U})
        EXPECT_EQ(Drawn(size, range, frame).number(), frame) << size.width;
  EXPECT_EQ(Drawn({640, 360}, ColorRange::Limited, frameNumberLimit + 5).number(), 5U);
}

// Values computed by tests/session/frame_bar.py, which was written from the header's definition and shares no code.
TEST(TestPattern, BarBits) {
  struct Case {
    uint64_t frame;
    uint32_t bits;
  };
  for (const Case& one :
       {Case{0, 0x8000014dU}, Case{1, 0x80000551U}, Case{600, 0x800963d9U}, Case{1048575, 0xbffffcc1U}})
    EXPECT_EQ(frameBarBits(one.frame), one.bits) << std::hex << frameBarBits(one.frame);
}

TEST(TestPattern, BrokenBarsAreNotRead) {
  const Size size{640, 360};
  Drawn inverted(size, ColorRange::Limited, 7);
  for (std::byte& value : inverted.bytes)
    value = std::byte{static_cast<uint8_t>(255 - std::to_integer<int>(value))};
  EXPECT_EQ(inverted.number(), std::nullopt) << "sync";

  Drawn flipped(size, ColorRange::Limited, 7);
  for (uint32_t y = 0; y < frameBarRows; ++y)
    for (uint32_t x = 5 * 20; x < 6 * 20; ++x)
      flipped.bytes[size_t{y} * flipped.layout.lumaStrideBytes + x] = std::byte{235};
  EXPECT_EQ(flipped.number(), std::nullopt) << "CRC";

  const std::vector<std::byte> grey(size_t{size.width} * size.height, std::byte{128});
  EXPECT_EQ(readFrameBar(grey, size, size.width), std::nullopt) << "contrast";
  EXPECT_EQ(readFrameBar(std::span(grey).first(640), size, size.width), std::nullopt) << "too little of it";
}

// The purpose of the pattern: it contains the whole range of luma and chroma, and all frames differ.
TEST(TestPattern, CoversTheRange) {
  const Size size{1024, 768};
  for (const ColorRange range : {ColorRange::Limited, ColorRange::Full}) {
    const Drawn drawn(size, range, 3);
    std::array<std::array<bool, 256>, 3> seen{};
    for (uint32_t y = 0; y < size.height; ++y)
      for (uint32_t x = 0; x < size.width; ++x) {
        const Ycbcr pixel = drawn.at(x, y);
        seen[0][pixel.y] = seen[1][pixel.cb] = seen[2][pixel.cr] = true;
      }
    const bool full = range == ColorRange::Full;
    for (unsigned channel = 0; channel < 3; ++channel)
      for (unsigned value = full ? 0 : 16; value <= (full ? 255U : channel == 0 ? 235U : 240U); ++value) {
        // The band has fewer rows of chroma than there are values of Cr, so only the ends are checked.
        const bool everyValue = channel != 2 || value == (full ? 0U : 16U) || value == (full ? 255U : 240U);
        EXPECT_TRUE(seen[channel][value] || !everyValue) << "channel " << channel << " value " << value;
      }
    EXPECT_FALSE(!full && (seen[0][15] || seen[0][236] || seen[1][15] || seen[2][241]));
  }
}

} // namespace
} // namespace vitrine
