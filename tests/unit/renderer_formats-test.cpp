#include <drm_fourcc.h>

#include <algorithm>
#include <stdexcept>

#include "tests/unit/format_samples.h"
#include "tests/unit/vulkan_interposer.h"

// Every format that can be sampled, against its definition.

namespace vitrine::test {
namespace {

using Formats = RendererTest;

/** A GPU's linear filter may round its weights to 1/256. Filtering by hand is more exact. */
int mostAway(const Renderer& by) {
  return by.device().gpu.present ? 2 : 1;
}

TEST_F(Formats, ycbcrAsDefined) {
  int checked = 0;
  for (const uint32_t fourcc : yccFormats()) {
    if (!samplesLinear(renderer(), fourcc)) continue;
    // With odd extents, the last chroma sample covers less than a cell.
    auto buffer = TestBuffer::create({47, 33}, fourcc);
    ASSERT_TRUE(buffer);
    fillRandom(*buffer, fourcc);
    const auto source = texture(*buffer);
    ASSERT_TRUE(source);
    for (const auto encoding : {ColorEncoding::Bt601, ColorEncoding::Bt709, ColorEncoding::Bt2020}) {
      for (const auto range : {ColorRange::Limited, ColorRange::Full}) {
        DrawCommand command = textureCommand(*source, {0, 0, 47, 33});
        command.encoding = encoding;
        command.range = range;
        EXPECT_LE(largestDifference(draw(Picture(47, 33), {&command, 1}), pictureOf(*buffer, encoding, range)),
                  mostAway(renderer()))
            << fourccName(fourcc) << " " << colorEncodingName(encoding) << " " << colorRangeName(range);
        checked += 1;
      }
    }
  }
  EXPECT_EQ(checked, 15 * 6) << "a format of the list cannot be sampled here";
}

TEST_F(Formats, ycbcrIsTurnedAndCroppedLikeRgb) {
  auto buffer = TestBuffer::create({48, 32}, DRM_FORMAT_NV12);
  fillRandom(*buffer, 5);
  const auto source = texture(*buffer);
  const Picture whole =
      pictureOf(*buffer, ColorEncoding::Bt709, ColorRange::Limited, ChromaLocation::Left, {7, 5, 17, 11});
  Picture part(17, 11);
  for (int y = 0; y < 11; ++y) {
    for (int x = 0; x < 17; ++x)
      part.at(x, y) = whole.at(x + 7, y + 5); // odd corner: chroma cells are cropped
  }
  for (unsigned number = 0; number < 8; ++number) {
    const Picture expected = turned(part, static_cast<Transform>(number));
    DrawCommand command = textureCommand(*source, {0, 0, expected.width, expected.height});
    command.source = {Fixed16_16::fromInt(7), Fixed16_16::fromInt(5), Fixed16_16::fromInt(17), Fixed16_16::fromInt(11)};
    command.transform = static_cast<Transform>(number);
    EXPECT_LE(largestDifference(draw(Picture(expected.width, expected.height), {&command, 1}), expected),
              mostAway(renderer()))
        << number;
  }
}

TEST_F(Formats, chromaIsInterpolatedBetweenTheClientsPlaces) {
  for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_NV16, DRM_FORMAT_P010}) {
    auto buffer = TestBuffer::create({47, 33}, fourcc);
    fillRandom(*buffer, fourcc + 1);
    const auto source = texture(*buffer);
    for (const auto location : {ChromaLocation::Left, ChromaLocation::Center, ChromaLocation::TopLeft,
                                ChromaLocation::Top, ChromaLocation::BottomLeft, ChromaLocation::Bottom}) {
      DrawCommand command = textureCommand(*source, {0, 0, 47, 33});
      command.chroma = location;
      const Picture expected = pictureOf(*buffer, command.encoding, command.range, location);
      EXPECT_LE(largestDifference(draw(Picture(47, 33), {&command, 1}), expected), mostAway(renderer()))
          << fourccName(fourcc) << " location " << static_cast<int>(location);
    }
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

  /** The largest difference between the two ways when `command` is drawn. Sets its texture. */
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
  for (const uint32_t fourcc : yccFormats()) {
    if (!samplesLinear(*whole, fourcc)) {
      const bool optional = fourcc == DRM_FORMAT_NV24 || fourcc == DRM_FORMAT_NV42;
      EXPECT_TRUE(optional) << fourccName(fourcc) << ": only VK_EXT_ycbcr_2plane_444_formats may be lacking";
      continue;
    }
    for (const Size size : {Size{48, 34}, Size{47, 33}}) {
      auto buffer = TestBuffer::create(size, fourcc);
      fillRandom(*buffer, fourcc + size.width);
      const auto width = static_cast<int32_t>(size.width);
      const auto height = static_cast<int32_t>(size.height);
      const DrawCommand draws[] = {
          {.destination = {0, 0, width, height}, .source = SourceRect::whole(size)},
          {.destination = {0, 0, 17, 11}, .source = sourceRect(7, 5, 17, 11)}, // chroma cells are cropped
          {.destination = {0, 0, 101, 77}, .source = SourceRect::whole(size)}, // bilinear
          {.destination = {0, 0, 29, 23}, .source = sourceRect(3.25, 1.5, 41.5, 30.25)},
          {.destination = {0, 0, 40, 52}, .source = sourceRect(5, 3, 31, 27), .transform = Transform::Flipped90}};
      for (const DrawCommand& command : draws) {
        const int found = difference(*buffer, command);
        EXPECT_LE(found, 1) << fourccName(fourcc) << " " << size.width << " to " << command.destination.width;
        worst = std::max(worst, found);
      }
    }
  }
  RecordProperty("largestDifference", worst);
}

TEST_F(YccImages, chromaIsInterpolatedBetweenTheClientsPlaces) {
  for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_NV16}) {
    auto buffer = TestBuffer::create({47, 33}, fourcc);
    fillRandom(*buffer, fourcc + 2);
    const auto source = whole->import(buffer->dmabuf());
    ASSERT_TRUE(source) << source.error().text();
    for (const auto location : {ChromaLocation::Center, ChromaLocation::TopLeft, ChromaLocation::Bottom}) {
      DrawCommand command = textureCommand(**source, {0, 0, 47, 33});
      command.chroma = location;
      const Picture expected = pictureOf(*buffer, command.encoding, command.range, location);
      EXPECT_LE(largestDifference(draw(*whole, Picture(47, 33), {&command, 1}), expected), 2)
          << fourccName(fourcc) << " location " << static_cast<int>(location);
    }
  }
}

/** The GPU's linear filter beside the shader's, which a device without one uses. */
class Filters : public RendererTest {
protected:
  void TearDown() override {
    pretence() = {};
    RendererTest::TearDown();
  }
  static std::unique_ptr<Renderer> rendererWith(VkFormatFeatureFlags lacking, VkFormatFeatureFlags granted,
                                                YccImport import) {
    pretence().lackingFeatures = lacking;
    pretence().grantedFeatures = granted;
    auto made = newRenderer(granted == 0, import);
    pretence() = {};
    return made;
  }
  static Picture drawn(Renderer& by, TestBuffer& buffer, DrawCommand command) {
    const auto source = by.import(buffer.dmabuf());
    if (!source) throw std::runtime_error(source.error().text());
    command.texture = source->get();
    const Picture result = draw(by, Picture(command.destination.width, command.destination.height), {&command, 1});
    EXPECT_EQ(by.counters().validationMessages, 0U);
    return result;
  }
};

TEST_F(Filters, theGpusIsUsedAndWithinTwoOfTheShaders) {
  constexpr VkFormatFeatureFlags linear = VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT;
  constexpr VkFormatFeatureFlags conversion = VK_FORMAT_FEATURE_SAMPLED_IMAGE_YCBCR_CONVERSION_LINEAR_FILTER_BIT;
  constexpr VkFormatFeatureFlags cosited = VK_FORMAT_FEATURE_COSITED_CHROMA_SAMPLES_BIT;
  constexpr VkFormatFeatureFlags midpoint = VK_FORMAT_FEATURE_MIDPOINT_CHROMA_SAMPLES_BIT;
  const struct {
    const char* name;
    VkFormatFeatureFlags lacking;
    VkFormatFeatureFlags granted;
    YccImport import;
    uint32_t fourcc;
    uint64_t samplers; ///< that filter linearly, made for one texture beside the one for all
  } cases[] = {{"RGB", 0, 0, YccImport::PlaneByPlane, DRM_FORMAT_XRGB8888, 0},
               {"deep RGB", 0, 0, YccImport::PlaneByPlane, DRM_FORMAT_XRGB2101010, 0},
               {"two planes", 0, 0, YccImport::PlaneByPlane, DRM_FORMAT_NV12, 0},
               {"three planes", 0, 0, YccImport::PlaneByPlane, DRM_FORMAT_YUV420, 0},
               // lavapipe offers this location alone, and samples the other one too.
               {"one image, chroma at the left and top", 0, 0, YccImport::OneImage, DRM_FORMAT_NV12, 1},
               {"one image, chroma at the left", 0, midpoint, YccImport::OneImage, DRM_FORMAT_NV12, 1},
               {"one image, chroma in the middle", cosited, midpoint, YccImport::OneImage, DRM_FORMAT_NV12, 1},
               {"one image, without the filter for it", conversion, 0, YccImport::OneImage, DRM_FORMAT_NV12, 0}};
  const auto byHand = rendererWith(linear, 0, YccImport::PlaneByPlane);
  int differing = 0;
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    auto buffer = TestBuffer::create({47, 33}, one.fourcc);
    fillRandom(*buffer, one.fourcc);
    const auto by = rendererWith(one.lacking, one.granted, one.import);
    const uint64_t before = driverCalls().linearSamplers;
    const DrawCommand commands[] = {
        {.kind = DrawCommand::Kind::Texture, .destination = {0, 0, 101, 77}, .source = SourceRect::whole({47, 33})},
        {.kind = DrawCommand::Kind::Texture,
         .destination = {0, 0, 29, 23},
         .source = sourceRect(3.25, 1.5, 41.5, 30.25)},
        {.kind = DrawCommand::Kind::Texture,
         .destination = {0, 0, 40, 52},
         .source = sourceRect(5, 3, 31, 27),
         .transform = Transform::Flipped90}};
    for (const DrawCommand& command : commands) {
      const int away = largestDifference(drawn(*by, *buffer, command), drawn(*byHand, *buffer, command));
      EXPECT_LE(away, 2) << "to " << command.destination.width;
      differing += away > 0 ? 1 : 0;
    }
    EXPECT_EQ(driverCalls().linearSamplers - before, one.samplers);
  }
  EXPECT_GT(differing, 0) << "both filter in the same way, so the GPU's linear filter is not used";
}

TEST_F(YccImages, samePixelsTurned) {
  auto buffer = TestBuffer::create({48, 32}, DRM_FORMAT_NV21);
  fillRandom(*buffer, 6);
  for (unsigned number = 0; number < 8; ++number) {
    const bool upright = number % 2 == 0;
    EXPECT_LE(difference(*buffer, {.destination = {0, 0, upright ? 17 : 11, upright ? 11 : 17},
                                   .source = sourceRect(7, 5, 17, 11),
                                   .transform = static_cast<Transform>(number)}),
              1)
        << number;
  }
}

TEST_F(YccImages, withinTwoOfTheDefinition) {
  for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_P010, DRM_FORMAT_YVU420}) {
    auto buffer = TestBuffer::create({47, 33}, fourcc);
    fillRandom(*buffer, fourcc);
    const auto source = whole->import(buffer->dmabuf());
    ASSERT_TRUE(source) << source.error().text();
    for (const auto encoding : {ColorEncoding::Bt601, ColorEncoding::Bt709, ColorEncoding::Bt2020}) {
      for (const auto range : {ColorRange::Limited, ColorRange::Full}) {
        DrawCommand command = textureCommand(**source, {0, 0, 47, 33});
        command.encoding = encoding;
        command.range = range;
        const Picture drawn = draw(*whole, Picture(47, 33), {&command, 1});
        EXPECT_LE(largestDifference(drawn, pictureOf(*buffer, encoding, range)), 2)
            << fourccName(fourcc) << " " << colorEncodingName(encoding) << " " << colorRangeName(range);
      }
    }
  }
}

TEST_F(YccImages, anyStrideAndOffset) {
  for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_YUV420, DRM_FORMAT_YUV444}) {
    auto buffer = TestBuffer::create({50, 38}, fourcc, {.strideBytes = 320, .rows = 7, .gapBytes = 4096 + 64});
    fillRandom(*buffer, fourcc);
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

/** A renderer whose driver seems to have another modifier for `formats`. */
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
  /**
   * Imports and draws `buffer`; the picture must equal that of `from` plane by plane. Returns the number of imports.
   */
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
  fillRandom(*from, 11);
  // As with compression: Y and CbCr, followed by two planes that only the driver knows.
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
  fillRandom(*from, 12);
  fillRandom(*other, 12);
  const auto own = offering(0, {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM});
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 2, *from), *from), 1U);
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 2, *other), *from), 2U) << "planes in two buffers";
  EXPECT_EQ(importsFor(*own, withModifier(*from, DRM_FORMAT_MOD_LINEAR, 2, *from), *from), 2U) << "LINEAR";
}

TEST_F(YccModifiers, ofThePlanesAloneMakesAnImageOfEach) {
  auto from = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  fillRandom(*from, 13);
  const auto own = offering(0, {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM});
  EXPECT_TRUE(lists(*own, DRM_FORMAT_NV12));
  EXPECT_EQ(importsFor(*own, withModifier(*from, tiled, 2, *from), *from), 2U);
}

TEST_F(Formats, rgbWithinOneOfTheDefinition) {
  for (const uint32_t fourcc : rgbFormats()) {
    const bool wide = formatInfo(fourcc)->bytesPerSample[0] == 8;
    ASSERT_EQ(samplesLinear(renderer(), fourcc), renderer().device().gpu.present || !wide) << fourccName(fourcc);
    if (!samplesLinear(renderer(), fourcc)) continue;
    auto buffer = TestBuffer::create({31, 17}, fourcc);
    fillRandom(*buffer, fourcc);
    const auto source = texture(*buffer);
    DrawCommand command = textureCommand(*source, {0, 0, 31, 17});
    command.blend = false;
    const Picture expected = pictureOf(*buffer, command.encoding, command.range);
    EXPECT_LE(largestDifference(draw(Picture(31, 17), {&command, 1}), expected), 1) << fourccName(fourcc);
  }
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
  // Rows are whole pages, so that the memory behind the last row does not belong to the buffer. A driver that rounds
  // rows up must not read or write it.
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
