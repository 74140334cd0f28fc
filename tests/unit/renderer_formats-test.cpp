#include <drm_fourcc.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <random>

#include "tests/unit/renderer_fixture.h"

// Every format that can be sampled, against unpacking in double precision.

namespace vitrine::test {
namespace {

using Formats = RendererTest;

struct Rgb {
  double red, green, blue;
};

bool samples(Renderer& renderer, uint32_t fourcc) {
  const auto list = renderer.sampledFormats();
  return std::ranges::find(list, FormatModifier{fourcc, DRM_FORMAT_MOD_LINEAR}) != list.end();
}

uint8_t byteOf(double value) {
  return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255));
}

/** The definitions of ITU-R BT.601-7, BT.709-6 and BT.2020-2, from code values of `bits` bits. */
Rgb rgbOf(ColorEncoding encoding, ColorRange range, unsigned bits, double y, double cb, double cr) {
  const double kr = encoding == ColorEncoding::Bt601 ? 0.299 : encoding == ColorEncoding::Bt709 ? 0.2126 : 0.2627;
  const double kb = encoding == ColorEncoding::Bt601 ? 0.114 : encoding == ColorEncoding::Bt709 ? 0.0722 : 0.0593;
  const double step = std::pow(2.0, bits - 8);
  const double top = std::pow(2.0, bits) - 1;
  const bool limited = range == ColorRange::Limited;
  const double luma = limited ? (y - 16 * step) / (219 * step) : y / top;
  const double blueDifference = (cb - 128 * step) / (limited ? 224 * step : top);
  const double redDifference = (cr - 128 * step) / (limited ? 224 * step : top);
  const double red = luma + 2 * (1 - kr) * redDifference;
  const double blue = luma + 2 * (1 - kb) * blueDifference;
  return {red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue};
}

/** How samples of a YCbCr format lie in memory. */
struct YccLayout {
  uint32_t fourcc;
  unsigned bits;
  bool crFirst;
};
constexpr YccLayout yccLayouts[] = {
    {DRM_FORMAT_NV12, 8, false},   {DRM_FORMAT_NV21, 8, true},    {DRM_FORMAT_NV16, 8, false},
    {DRM_FORMAT_NV61, 8, true},    {DRM_FORMAT_NV24, 8, false},   {DRM_FORMAT_NV42, 8, true},
    {DRM_FORMAT_P010, 10, false},  {DRM_FORMAT_P012, 12, false},  {DRM_FORMAT_P016, 16, false},
    {DRM_FORMAT_YUV420, 8, false}, {DRM_FORMAT_YVU420, 8, true},  {DRM_FORMAT_YUV422, 8, false},
    {DRM_FORMAT_YVU422, 8, true},  {DRM_FORMAT_YUV444, 8, false}, {DRM_FORMAT_YVU444, 8, true}};

/** One sample: the code value of `bits` bits at the high end of its container. */
uint32_t sample(TestBuffer& buffer, unsigned plane, uint32_t index, uint32_t y, unsigned bits) {
  const auto row = buffer.row(plane, y);
  if (bits == 8) return row[index];
  uint16_t word = 0;
  std::memcpy(&word, &row[index * 2], 2);
  return word >> (16 - bits);
}

/** Random code values, with the ends of the range among them. */
void fillRandom(TestBuffer& buffer, unsigned bits, unsigned seed) {
  std::mt19937 random(seed);
  const FormatInfo& format = buffer.dmabuf().format();
  for (unsigned plane = 0; plane < format.planes; ++plane) {
    const Size size = planeSize(format, buffer.dmabuf().size(), plane);
    for (uint32_t y = 0; y < size.height; ++y) {
      const auto row = buffer.row(plane, y);
      const uint32_t samples = size.width * format.bytesPerSample[plane] / (bits == 8 ? 1 : 2);
      for (uint32_t i = 0; i < samples; ++i) {
        const auto choice = random() % 10;
        const uint32_t top = (1U << bits) - 1;
        const uint32_t value = choice == 0 ? 0 : choice == 1 ? top : static_cast<uint32_t>(random() & top);
        const auto word = static_cast<uint16_t>(value << (16 - bits));
        if (bits == 8) {
          row[i] = static_cast<uint8_t>(value);
        } else {
          std::memcpy(&row[i * 2], &word, 2);
        }
      }
    }
  }
}

Picture convert(TestBuffer& buffer, const YccLayout& layout, ColorEncoding encoding, ColorRange range) {
  const FormatInfo& format = buffer.dmabuf().format();
  Picture result(static_cast<int>(buffer.dmabuf().size().width), static_cast<int>(buffer.dmabuf().size().height));
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const uint32_t chromaX = static_cast<uint32_t>(x) / format.hsub;
      const uint32_t chromaY = static_cast<uint32_t>(y) / format.vsub;
      const bool planar = format.planes == 3;
      const auto chroma = [&](unsigned which) {
        return planar ? sample(buffer, 1 + which, chromaX, chromaY, layout.bits)
                      : sample(buffer, 1, chromaX * 2 + which, chromaY, layout.bits);
      };
      const Rgb rgb = rgbOf(encoding, range, layout.bits,
                            sample(buffer, 0, static_cast<uint32_t>(x), static_cast<uint32_t>(y), layout.bits),
                            chroma(layout.crFirst ? 1 : 0), chroma(layout.crFirst ? 0 : 1));
      result.at(x, y) = {byteOf(rgb.blue), byteOf(rgb.green), byteOf(rgb.red), 255};
    }
  }
  return result;
}

TEST_F(Formats, ycbcrWithinOneOfTheDefinition) {
  int checked = 0;
  for (const YccLayout& layout : yccLayouts) {
    if (!samples(renderer(), layout.fourcc)) continue;
    // Odd extents: the last chroma sample covers less than a cell.
    auto buffer = TestBuffer::create({47, 33}, layout.fourcc);
    ASSERT_TRUE(buffer);
    fillRandom(*buffer, layout.bits, layout.fourcc);
    const auto source = texture(*buffer);
    ASSERT_TRUE(source);
    for (const auto encoding : {ColorEncoding::Bt601, ColorEncoding::Bt709, ColorEncoding::Bt2020}) {
      for (const auto range : {ColorRange::Limited, ColorRange::Full}) {
        DrawCommand command = textureCommand(*source, {0, 0, 47, 33});
        command.encoding = encoding;
        command.range = range;
        EXPECT_LE(largestDifference(draw(Picture(47, 33), {&command, 1}), convert(*buffer, layout, encoding, range)), 1)
            << fourccName(layout.fourcc) << " " << colorEncodingName(encoding) << " " << colorRangeName(range);
        checked += 1;
      }
    }
  }
  EXPECT_EQ(checked, 15 * 6) << "a format of the list cannot be sampled here";
}

TEST_F(Formats, ycbcrIsTurnedAndCroppedLikeRgb) {
  auto buffer = TestBuffer::create({48, 32}, DRM_FORMAT_NV12);
  fillRandom(*buffer, 8, 5);
  const auto source = texture(*buffer);
  const Picture whole = convert(*buffer, yccLayouts[0], ColorEncoding::Bt709, ColorRange::Limited);
  Picture part(17, 11);
  for (int y = 0; y < 11; ++y) {
    for (int x = 0; x < 17; ++x)
      part.at(x, y) = whole.at(x + 7, y + 5); // odd corner: chroma cells are cut
  }
  for (unsigned number = 0; number < 8; ++number) {
    const Picture expected = turned(part, static_cast<Transform>(number));
    DrawCommand command = textureCommand(*source, {0, 0, expected.width, expected.height});
    command.source = {Fixed16_16::fromInt(7), Fixed16_16::fromInt(5), Fixed16_16::fromInt(17), Fixed16_16::fromInt(11)};
    command.transform = static_cast<Transform>(number);
    EXPECT_LE(largestDifference(draw(Picture(expected.width, expected.height), {&command, 1}), expected), 1) << number;
  }
}

/** Where the components of a packed RGB format lie, in bits from the least significant. */
struct RgbLayout {
  uint32_t fourcc;
  unsigned red, redBits, green, greenBits, blue, blueBits;
};
constexpr RgbLayout rgbLayouts[] = {
    {DRM_FORMAT_XRGB8888, 16, 8, 8, 8, 0, 8},         {DRM_FORMAT_XBGR8888, 0, 8, 8, 8, 16, 8},
    {DRM_FORMAT_RGBX8888, 24, 8, 16, 8, 8, 8},        {DRM_FORMAT_BGRX8888, 8, 8, 16, 8, 24, 8},
    {DRM_FORMAT_RGB565, 11, 5, 5, 6, 0, 5},           {DRM_FORMAT_BGR565, 0, 5, 5, 6, 11, 5},
    {DRM_FORMAT_XRGB2101010, 20, 10, 10, 10, 0, 10},  {DRM_FORMAT_XBGR2101010, 0, 10, 10, 10, 20, 10},
    {DRM_FORMAT_XRGB16161616, 32, 16, 16, 16, 0, 16}, {DRM_FORMAT_XBGR16161616, 0, 16, 16, 16, 32, 16}};

TEST_F(Formats, packedRgbWithinOneOfTheDefinition) {
  std::mt19937_64 random(9);
  for (const RgbLayout& layout : rgbLayouts) {
    ASSERT_TRUE(samples(renderer(), layout.fourcc)) << fourccName(layout.fourcc);
    auto buffer = TestBuffer::create({31, 17}, layout.fourcc);
    Picture expected(31, 17);
    const size_t bytes = buffer->dmabuf().format().bytesPerSample[0];
    for (int y = 0; y < 17; ++y) {
      for (int x = 0; x < 31; ++x) {
        const uint64_t word = random();
        std::memcpy(&buffer->row(0, static_cast<uint32_t>(y))[static_cast<size_t>(x) * bytes], &word, bytes);
        const auto component = [&](unsigned shift, unsigned bits) {
          const uint64_t top = (uint64_t{1} << bits) - 1;
          return byteOf(static_cast<double>(word >> shift & top) / static_cast<double>(top));
        };
        expected.at(x, y) = {component(layout.blue, layout.blueBits), component(layout.green, layout.greenBits),
                             component(layout.red, layout.redBits), 255};
      }
    }
    const auto source = texture(*buffer);
    const DrawCommand command = textureCommand(*source, {0, 0, 31, 17});
    EXPECT_LE(largestDifference(draw(Picture(31, 17), {&command, 1}), expected), 1) << fourccName(layout.fourcc);
  }
}

TEST_F(Formats, halfFloatIsSampled) {
  if (!samples(renderer(), DRM_FORMAT_XBGR16161616F)) GTEST_SKIP() << "no half-float sampling on this device";
  auto buffer = TestBuffer::create({4, 4}, DRM_FORMAT_XBGR16161616F);
  for (uint32_t y = 0; y < 4; ++y) {
    const std::array<uint16_t, 4> pixel{0x3c00, 0x3800, 0x0000, 0x0000}; // 1, ½, 0
    for (size_t x = 0; x < 4; ++x)
      std::memcpy(&buffer->row(0, y)[x * 8], pixel.data(), 8);
  }
  const auto source = texture(*buffer);
  const DrawCommand command = textureCommand(*source, {0, 0, 4, 4});
  EXPECT_EQ(draw(Picture(4, 4), {&command, 1}).at(1, 1), (Picture::Pixel{0, 128, 255, 255}));
}

TEST_F(Formats, anyStrideOrItsRefusal) {
  const Picture picture = testPicture(67, 43, 10, true);
  auto buffer = TestBuffer::create(picture.size(), DRM_FORMAT_XRGB8888, {.strideBytes = 1024});
  buffer->fill(picture);
  const auto source = renderer().import(buffer->dmabuf());
  if (source) {
    const DrawCommand command = textureCommand(**source, {0, 0, 67, 43});
    EXPECT_EQ(draw(Picture(67, 43), {&command, 1}), picture);
  } else { // no VK_EXT_image_drm_format_modifier: the driver's own stride only
    EXPECT_EQ(refusalOf(source.error(), Refusal::None), Refusal::GpuFormatUnsupported) << source.error().text();
  }
}

TEST_F(Formats, bufferWithoutAByteToSpare) {
  // Rows of whole pages, so that what lies behind the last one is not the buffer's: a driver that rounds rows up must
  // not get to it, neither by reading nor by writing.
  for (const uint32_t fourcc : {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12, DRM_FORMAT_YUV420}) {
    auto from = TestBuffer::create({8192, 2}, fourcc, {.rows = 1});
    const auto source = renderer().import(from->dmabuf());
    if (!source) { // the fallback without VK_EXT_image_drm_format_modifier
      EXPECT_EQ(refusalOf(source.error(), Refusal::None), Refusal::GpuImportFailed) << source.error().text();
      continue;
    }
    const DrawCommand command = textureCommand(**source, {0, 0, 8192, 2});
    const Picture result = draw(Picture(8192, 2), {&command, 1});
    EXPECT_EQ(result.at(8191, 1), result.at(0, 0)) << fourccName(fourcc);
  }
  auto to = TestBuffer::create({1024, 17}, DRM_FORMAT_XRGB8888, {.rows = 1});
  ASSERT_EQ(to->dmabuf().sizeBytes(), 1024U * 17 * 4);
  const auto drawn = renderer().importTarget(to->dmabuf());
  if (renderer().device().targetRowMultiple == 1) {
    ASSERT_TRUE(drawn) << drawn.error().text();
    const DrawCommand command{.destination = {0, 0, 1024, 17}, .color = {1, 1, 1, 1}};
    compose(**drawn, {&command, 1}, {&command.destination, 1});
    EXPECT_EQ(to->picture(), Picture(1024, 17, {255, 255, 255, 255}));
  } else {
    ASSERT_FALSE(drawn);
    EXPECT_EQ(refusalOf(drawn.error(), Refusal::None), Refusal::LayoutOutOfBounds) << drawn.error().text();
  }
}

TEST_F(Formats, unknownModifierIsRefused) {
  const Picture picture(16, 16);
  TestBuffer buffer = TestBuffer::from(picture, DRM_FORMAT_XRGB8888);
  DmabufAttributes attributes{.size = {16, 16}, .fourcc = DRM_FORMAT_XRGB8888, .modifier = 0x0abcdef, .planeCount = 1};
  attributes.planes[0] = {*duplicateFd(buffer.dmabuf().plane(0).fd.get()), 0, 256};
  const auto strange = Dmabuf::create(std::move(attributes));
  ASSERT_TRUE(strange) << strange.error().text();
  const auto result = renderer().import(*strange);
  ASSERT_FALSE(result);
  EXPECT_EQ(refusalOf(result.error(), Refusal::None), Refusal::GpuFormatUnsupported);
  const auto asTarget = renderer().importTarget(*strange);
  ASSERT_FALSE(asTarget);
  EXPECT_EQ(refusalOf(asTarget.error(), Refusal::None), Refusal::GpuFormatUnsupported);
}

} // namespace
} // namespace vitrine::test
