#include <drm_fourcc.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <random>
#include <stdexcept>

#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

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

/** The same buffers as one multi-planar image each, beside renderer(), which imports LINEAR ones plane by plane. */
class YccImages : public RendererTest {
protected:
  static void SetUpTestSuite() { whole = newRenderer(true, YccImport::OneImage); }
  static void TearDownTestSuite() { whole.reset(); }
  void TearDown() override {
    RendererTest::TearDown();
    if (!IsSkipped()) {
      EXPECT_EQ(whole->counters().validationMessages, 0U) << "the validation layer spoke";
    }
  }

  /** How far the two ways are apart in what `command` draws; its texture is set here. */
  static int difference(TestBuffer& buffer, DrawCommand command) {
    const auto planes = renderer().import(buffer.dmabuf());
    const auto image = whole->import(buffer.dmabuf());
    if (!planes) throw std::runtime_error(planes.error().text());
    if (!image) throw std::runtime_error(image.error().text());
    const Picture background(command.destination.width, command.destination.height);
    command.kind = DrawCommand::Kind::Texture;
    command.texture = planes->get();
    const Picture expected = draw(renderer(), background, {&command, 1});
    command.texture = image->get();
    return largestDifference(draw(*whole, background, {&command, 1}), expected);
  }

  static inline std::unique_ptr<Renderer> whole;
};

SourceRect sourceRect(double x, double y, double width, double height) {
  return {Fixed16_16::fromDouble(x), Fixed16_16::fromDouble(y), Fixed16_16::fromDouble(width),
          Fixed16_16::fromDouble(height)};
}

TEST_F(YccImages, samePixelsInEveryFormat) {
  int worst = 0;
  for (const YccLayout& layout : yccLayouts) {
    if (!samples(*whole, layout.fourcc)) {
      const bool optional = layout.fourcc == DRM_FORMAT_NV24 || layout.fourcc == DRM_FORMAT_NV42;
      EXPECT_TRUE(optional) << fourccName(layout.fourcc) << ": only VK_EXT_ycbcr_2plane_444_formats may be lacking";
      continue;
    }
    for (const Size size : {Size{48, 34}, Size{47, 33}}) {
      auto buffer = TestBuffer::create(size, layout.fourcc);
      fillRandom(*buffer, layout.bits, layout.fourcc + size.width);
      const auto width = static_cast<int32_t>(size.width);
      const auto height = static_cast<int32_t>(size.height);
      const DrawCommand draws[] = {
          {.destination = {0, 0, width, height}, .source = SourceRect::whole(size)},
          {.destination = {0, 0, 17, 11}, .source = sourceRect(7, 5, 17, 11)}, // chroma cells are cut
          {.destination = {0, 0, 101, 77}, .source = SourceRect::whole(size)}, // bilinear
          {.destination = {0, 0, 29, 23}, .source = sourceRect(3.25, 1.5, 41.5, 30.25)},
          {.destination = {0, 0, 40, 52}, .source = sourceRect(5, 3, 31, 27), .transform = Transform::Flipped90}};
      for (const DrawCommand& command : draws) {
        const int found = difference(*buffer, command);
        EXPECT_LE(found, 1) << fourccName(layout.fourcc) << " " << size.width << " to " << command.destination.width;
        worst = std::max(worst, found);
      }
    }
  }
  RecordProperty("largestDifference", worst);
}

TEST_F(YccImages, samePixelsTurned) {
  auto buffer = TestBuffer::create({48, 32}, DRM_FORMAT_NV21);
  fillRandom(*buffer, 8, 6);
  for (unsigned number = 0; number < 8; ++number) {
    const bool upright = number % 2 == 0;
    EXPECT_LE(difference(*buffer, {.destination = {0, 0, upright ? 17 : 11, upright ? 11 : 17},
                                   .source = sourceRect(7, 5, 17, 11),
                                   .transform = static_cast<Transform>(number)}),
              1)
        << number;
  }
}

TEST_F(YccImages, withinOneOfTheDefinition) {
  for (const YccLayout& layout : {yccLayouts[0], yccLayouts[6], yccLayouts[10]}) { // NV12, P010, YVU420
    auto buffer = TestBuffer::create({47, 33}, layout.fourcc);
    fillRandom(*buffer, layout.bits, layout.fourcc);
    const auto source = whole->import(buffer->dmabuf());
    ASSERT_TRUE(source) << source.error().text();
    for (const auto encoding : {ColorEncoding::Bt601, ColorEncoding::Bt709, ColorEncoding::Bt2020}) {
      for (const auto range : {ColorRange::Limited, ColorRange::Full}) {
        DrawCommand command = textureCommand(**source, {0, 0, 47, 33});
        command.encoding = encoding;
        command.range = range;
        const Picture drawn = draw(*whole, Picture(47, 33), {&command, 1});
        EXPECT_LE(largestDifference(drawn, convert(*buffer, layout, encoding, range)), 1)
            << fourccName(layout.fourcc) << " " << colorEncodingName(encoding) << " " << colorRangeName(range);
      }
    }
  }
}

TEST_F(YccImages, anyStrideAndOffset) {
  for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_YUV444}) {
    auto buffer = TestBuffer::create({50, 38}, fourcc, {.strideBytes = 320, .rows = 7, .gapBytes = 4096 + 64});
    fillRandom(*buffer, 8, fourcc);
    EXPECT_LE(difference(*buffer, {.destination = {0, 0, 50, 38}, .source = SourceRect::whole({50, 38})}), 1)
        << fourccName(fourcc);
  }
}

TEST_F(YccImages, oneImportEach) {
  auto buffer = TestBuffer::create({64, 64}, DRM_FORMAT_NV12);
  for (const auto& [by, images] : {std::pair(&renderer(), 2U), std::pair(whole.get(), 1U)}) {
    const uint64_t asked = driverCalls().memoryImports;
    const uint64_t counted = by->counters().imports;
    ASSERT_TRUE(by->import(buffer->dmabuf()));
    EXPECT_EQ(driverCalls().memoryImports, asked + images);
    EXPECT_EQ(by->counters().imports, counted + images);
  }
}

TEST_F(YccImages, planesOfSeveralBuffersGoOneByOne) {
  auto first = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  auto second = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  const Dmabuf apart = withModifier(*first, DRM_FORMAT_MOD_LINEAR, 2, *second);
  EXPECT_TRUE(renderer().import(apart));
  const auto refused = whole->import(apart);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuFormatUnsupported) << refused.error().text();
}

/** A renderer for which the driver seems to know another modifier for `formats`. */
class YccModifiers : public RendererTest {
protected:
  static constexpr uint64_t tiled = DRM_FORMAT_MOD_QCOM_COMPRESSED;
  void TearDown() override {
    offerModifier(DRM_FORMAT_MOD_INVALID, 0, {});
    RendererTest::TearDown();
  }
  static std::unique_ptr<Renderer> offering(unsigned extraPlanes, std::vector<VkFormat> formats) {
    offerModifier(tiled, extraPlanes, std::move(formats));
    return newRenderer(true);
  }
  static bool lists(const Renderer& own, uint32_t fourcc) {
    const auto list = own.sampledFormats();
    return std::ranges::find(list, FormatModifier{fourcc, tiled}) != list.end();
  }
  /** Imports and draws `buffer`, which must look as `from`, plane by plane, does; returns the imports it took. */
  static uint64_t importsFor(Renderer& own, const Dmabuf& buffer, TestBuffer& from) {
    const uint64_t before = own.counters().imports;
    const auto made = own.import(buffer);
    if (!made) throw std::runtime_error(made.error().text());
    const uint64_t imports = own.counters().imports - before;
    const auto reference = texture(from);
    const Rect all{0, 0, 32, 32};
    const DrawCommand command = textureCommand(**made, all);
    const DrawCommand expected = textureCommand(*reference, all);
    EXPECT_LE(largestDifference(draw(own, Picture(32, 32), {&command, 1}), draw(Picture(32, 32), {&expected, 1})), 1);
    EXPECT_EQ(own.counters().validationMessages, 0U);
    return imports;
  }
};

TEST_F(YccModifiers, ofTheMultiPlanarFormatAloneMakesOneImage) {
  auto from = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  fillRandom(*from, 8, 11);
  // As with compression: behind Y and CbCr two planes of the driver's own.
  const auto own = offering(2, {VK_FORMAT_G8_B8R8_2PLANE_420_UNORM});
  EXPECT_TRUE(lists(*own, DRM_FORMAT_NV12));
  EXPECT_TRUE(lists(*own, DRM_FORMAT_NV21));
  EXPECT_FALSE(lists(*own, DRM_FORMAT_NV16));
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 4, *from), *from), 1U);
  const auto tooFew = own->import(withModifier(*from, tiled, 2, *from));
  ASSERT_FALSE(tooFew);
  EXPECT_EQ(refusalOf(tooFew.error(), Refusal::None), Refusal::GpuFormatUnsupported) << tooFew.error().text();
}

TEST_F(YccModifiers, ofBothMakesOneImageWhereItCan) {
  auto from = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  auto other = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  fillRandom(*from, 8, 12);
  fillRandom(*other, 8, 12);
  const auto own = offering(0, {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM});
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 2, *from), *from), 1U);
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 2, *other), *from), 2U) << "planes in two buffers";
  EXPECT_EQ(importsFor(*own, withModifier(*from, DRM_FORMAT_MOD_LINEAR, 2, *from), *from), 2U) << "LINEAR";
}

TEST_F(YccModifiers, ofThePlanesAloneMakesAnImageOfEach) {
  auto from = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  fillRandom(*from, 8, 13);
  const auto own = offering(0, {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM});
  EXPECT_TRUE(lists(*own, DRM_FORMAT_NV12));
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 2, *from), *from), 2U);
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
