#include <drm_fourcc.h>

#include <algorithm>
#include <format>

#include "protected-path/render/vulkan/vulkan_format.h"
#include "tests/unit/format_samples.h"
#include "tests/unit/protected_twin.h"
#include "tests/unit/vulkan_interposer.h"

// Every format out of real protected memory, filled by the secure world, into real protected memory.

namespace vitrine::test {
namespace {

constexpr Size size{47, 33}; // the last chroma sample covers less than a cell
constexpr Rect all{0, 0, 47, 33};

/** Imports plane by plane by renderer(), as one image by another. */
class ProtectedImports : public RendererTest {
protected:
  static void SetUpTestSuite() { whole = newRenderer(true, YccImport::OneImage); }
  static void TearDownTestSuite() { whole.reset(); }
  void SetUp() override {
    RendererTest::SetUp();
    if (!IsSkipped() && !hasProtectedHeap()) GTEST_SKIP() << "no protected heap";
  }
  void TearDown() override {
    RendererTest::TearDown();
    if (!IsSkipped()) {
      EXPECT_EQ(whole->counters().validationMessages, 0U) << "the validation layer spoke";
    }
  }
  static TestBuffer randomBuffer(uint32_t fourcc) {
    TestBuffer buffer = *TestBuffer::create(size, fourcc);
    fillRandom(buffer, fourcc);
    return buffer;
  }
  /** What `command` makes of protected memory that held nothing. */
  static Picture drawProtected(Renderer& by, const DrawCommand& command) {
    TestBuffer model = TestBuffer::from(Picture(all.width, all.height), DRM_FORMAT_ARGB8888);
    const Dmabuf twin = protectedTwin(model);
    const auto target = by.importTarget(twin);
    EXPECT_TRUE(target) << target.error().text();
    if (!target) return model.picture();
    EXPECT_TRUE((*target)->isProtected());
    const auto fence = by.compose(**target, {&command, 1}, {&all, 1}, {});
    EXPECT_TRUE(fence) << fence.error().text();
    by.waitIdle();
    copyBack(twin, model);
    return model.picture();
  }
  /** `secret` is `content`'s twin, which `by` takes as so many images. */
  static void expectShownInProtectedMemoryAlone(Renderer& by, const Dmabuf& secret, TestBuffer& content,
                                                unsigned images) {
    const DriverCalls before = driverCalls();
    const auto source = by.import(secret);
    ASSERT_TRUE(source) << source.error().text();
    EXPECT_TRUE((*source)->protectedContent());
    EXPECT_EQ((*source)->refusal(), Refusal::None);
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports + images);
    EXPECT_EQ(driverCalls().protectedImports, before.protectedImports + images);
    EXPECT_EQ(driverCalls().dedicatedImports, before.dedicatedImports + images);
    for (const auto& [encoding, range] : {std::pair{ColorEncoding::Bt709, ColorRange::Limited},
                                          {ColorEncoding::Bt601, ColorRange::Full},
                                          {ColorEncoding::Bt2020, ColorRange::Limited}}) {
      DrawCommand command = textureCommand(**source, all);
      command.blend = false;
      command.encoding = encoding;
      command.range = range;
      EXPECT_LE(largestDifference(drawProtected(by, command), pictureOf(content, encoding, range)), 1)
          << colorEncodingName(encoding) << " " << colorRangeName(range);
      expectPlaceholder(draw(by, Picture(all.width, all.height), {&command, 1}), all);
      if (!content.dmabuf().format().isYuv) break; // which have neither
    }
  }
  /** On a board whose GPU has no protected memory. */
  static void expectNotShownToTheDriver(Renderer& by, const Dmabuf& secret) {
    const DriverCalls before = driverCalls();
    const auto source = by.import(secret);
    ASSERT_TRUE(source) << source.error().text();
    EXPECT_EQ((*source)->refusal(), Refusal::GpuNoProtectedMemory);
    EXPECT_EQ(driverCalls().imageCreations, before.imageCreations);
    EXPECT_EQ(driverCalls().fdQueries, before.fdQueries);
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports);
  }

  static inline std::unique_ptr<Renderer> whole;
};

class ProtectedFormats : public ProtectedImports, public testing::WithParamInterface<uint32_t> {};

TEST_P(ProtectedFormats, areShownInProtectedMemoryAlone) {
  TestBuffer content = randomBuffer(GetParam());
  const Dmabuf secret = protectedTwin(content);
  ASSERT_TRUE(samplesLinear(renderer(), GetParam()));
  const bool isYuv = secret.format().isYuv;
  // Only VK_EXT_ycbcr_2plane_444_formats may be lacking.
  const bool optional = GetParam() == DRM_FORMAT_NV24 || GetParam() == DRM_FORMAT_NV42;
  EXPECT_TRUE(samplesLinear(*whole, GetParam()) || optional);
  if (!renderer().device().gpu.protectedMemory) {
    expectNotShownToTheDriver(renderer(), secret);
    expectNotShownToTheDriver(*whole, secret);
    return;
  }
  expectShownInProtectedMemoryAlone(renderer(), secret, content, secret.planeCount());
  if (isYuv && samplesLinear(*whole, GetParam())) expectShownInProtectedMemoryAlone(*whole, secret, content, 1);
}

/** Every format that production knows for Vulkan; one that format_samples.cpp does not know fails. */
std::vector<uint32_t> knownFormats() {
  std::vector<uint32_t> formats;
  for (const FormatInfo& info : allFormats()) {
    if (vulkan::vulkanFormat(info.fourcc) != nullptr) formats.push_back(info.fourcc);
  }
  return formats;
}

INSTANTIATE_TEST_SUITE_P(Every, ProtectedFormats, testing::ValuesIn(knownFormats()),
                         [](const auto& fourcc) { return fourccName(fourcc.param); });

TEST_F(ProtectedImports, planesMayLieInSeveralBuffers) {
  for (const uint32_t fourcc : {DRM_FORMAT_NV12, DRM_FORMAT_P010, DRM_FORMAT_YUV420, DRM_FORMAT_YVU444}) {
    TestBuffer content = randomBuffer(fourcc);
    const Dmabuf apart = protectedTwin(content, TwinPlanes::Apart);
    if (!renderer().device().gpu.protectedMemory) {
      expectNotShownToTheDriver(renderer(), apart);
      continue;
    }
    expectShownInProtectedMemoryAlone(renderer(), apart, content, apart.planeCount());
    const auto refused = whole->import(apart);
    ASSERT_FALSE(refused) << fourccName(fourcc);
    EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuFormatUnsupported) << refused.error().text();
  }
}

TEST_F(ProtectedImports, aPlaneInOrdinaryMemoryIsRefused) {
  for (const unsigned ordinary : {0U, 1U}) {
    TestBuffer content = randomBuffer(DRM_FORMAT_NV12);
    const Dmabuf secret = protectedTwin(content);
    DmabufAttributes attributes{
        .size = size, .fourcc = DRM_FORMAT_NV12, .modifier = DRM_FORMAT_MOD_LINEAR, .planeCount = 2};
    for (unsigned i = 0; i < 2; ++i) {
      const DmabufPlane& plane = secret.plane(i);
      const int fd = i == ordinary ? content.dmabuf().plane(i).fd.get() : plane.fd.get();
      attributes.planes[i] = {*duplicateFd(fd), plane.offsetBytes, plane.strideBytes};
    }
    auto mixed = Dmabuf::create(std::move(attributes));
    ASSERT_TRUE(mixed) << mixed.error().text();
    mixed->raiseEvidence(Evidence::KernelProtected); // as by its other plane
    if (!renderer().device().gpu.protectedMemory) {
      expectNotShownToTheDriver(renderer(), *mixed);
      continue;
    }
    const DriverCalls before = driverCalls();
    const auto refused = renderer().import(*mixed);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuImportFailed);
    EXPECT_TRUE(refused.error().text().contains(std::format("plane {}: no protected memory type takes it", ordinary)))
        << refused.error().text();
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports + ordinary) << "the ordinary plane is not imported";
    EXPECT_EQ(driverCalls().liveObjects, before.liveObjects);
  }
}

} // namespace
} // namespace vitrine::test
