#include <drm_fourcc.h>

#include <algorithm>

#include "tests/unit/protected_pretender.h"
#include "tests/unit/renderer_fixture.h"

// R1 and protected submits on a device that claims protected memory.

namespace vitrine::test {
namespace {

constexpr Picture::Pixel grey{0x80, 0x80, 0x80, 0xff};
constexpr Picture::Pixel secret{0x12, 0x34, 0x56, 0xff};
constexpr Rect everything{0, 0, 40, 40};

class ProtectedDevice : public RendererTest {
protected:
  void TearDown() override {
    pretendDevices({PretendedDevice{}});
    RendererTest::TearDown();
  }
  static TestBuffer protectedBuffer(const Picture& picture) {
    TestBuffer buffer = TestBuffer::from(picture, DRM_FORMAT_XRGB8888);
    buffer.dmabuf().raiseEvidence(Evidence::KernelProtected);
    return buffer;
  }
};

TEST_F(ProtectedDevice, isChosenAndReported) {
  EXPECT_TRUE(renderer().device().gpu.protectedMemory);
  EXPECT_EQ(renderer().device().refusal, Refusal::None);
}

TEST_F(ProtectedDevice, isPreferredWhateverTheOrder) {
  const PretendedDevice glass{.name = "glass"};
  const PretendedDevice fast{.name = "fast",
                             .type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
                             .feature = false,
                             .queue = false,
                             .memoryType = false};
  for (const auto& devices : {std::vector{glass, fast}, std::vector{fast, glass}}) {
    pretendDevices(devices);
    const auto own = newRenderer(true);
    ASSERT_TRUE(own);
    EXPECT_EQ(own->device().name, "glass") << "before " << devices[1].name;
    EXPECT_TRUE(own->device().gpu.protectedMemory);
    TestBuffer from = protectedBuffer(Picture(40, 40, secret));
    TestBuffer to = protectedBuffer(Picture(40, 40, grey));
    const auto source = own->import(from.dmabuf());
    const auto drawn = own->importTarget(to.dmabuf());
    ASSERT_TRUE(source && drawn);
    const DrawCommand command = textureCommand(**source, everything);
    ASSERT_TRUE(own->compose(**drawn, {&command, 1}, {&everything, 1}, {}));
    own->waitIdle();
    EXPECT_EQ(to.picture(), Picture(40, 40, secret));
  }
}

TEST_F(ProtectedDevice, takesFeatureQueueAndMemoryType) {
  for (unsigned has = 0; has < 8; ++has) {
    pretendDevices({PretendedDevice{.feature = (has & 1) != 0, .queue = (has & 2) != 0, .memoryType = (has & 4) != 0}});
    const auto reports = listVulkanDevices();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_TRUE(reports[0].missingExtensions.empty()) << "composes ordinary content";
    EXPECT_EQ(reports[0].gpu.protectedMemory, has == 7) << has;
    EXPECT_EQ(reports[0].refusal, has == 7 ? Refusal::None : Refusal::GpuNoProtectedMemory) << has;
  }
}

TEST_F(ProtectedDevice, isUsedByItsProtectedQueueWhereverThatIs) {
  pretendDevices({PretendedDevice{.plainFamilyFirst = true}});
  const ProtectedCalls before = protectedCalls();
  const auto own = newRenderer(false); // the layer sees the driver's one family
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->device().gpu.protectedMemory);
  TestBuffer from = protectedBuffer(Picture(40, 40, secret));
  TestBuffer to = protectedBuffer(Picture(40, 40, grey));
  const auto source = own->import(from.dmabuf());
  const auto drawn = own->importTarget(to.dmabuf());
  ASSERT_TRUE(source && drawn);
  const DrawCommand command = textureCommand(**source, everything);
  ASSERT_TRUE(own->compose(**drawn, {&command, 1}, {&everything, 1}, {}));
  own->waitIdle();
  EXPECT_EQ(to.picture(), Picture(40, 40, secret));
  EXPECT_EQ(protectedCalls().protectedSubmits, before.protectedSubmits + 1);
  EXPECT_EQ(protectedCalls().wrongFamily, before.wrongFamily);
}

TEST_F(ProtectedDevice, isNoChoiceWithoutWhatCompositionNeeds) {
  const std::pair<PretendedDevice, const char*> cases[] = {
      {{.lacks = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME}, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME},
      {{.lacks = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME}, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME},
      {{.lacks = VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME}, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME},
      {{.lacks = VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME}, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME},
      {{.syncFiles = false}, "semaphores as sync files"},
      {{.graphics = false}, "a graphics queue"},
      {{.apiVersion = VK_API_VERSION_1_1}, "Vulkan 1.2"}};
  for (const auto& [device, lack] : cases) {
    pretendDevices({device});
    const auto reports = listVulkanDevices();
    ASSERT_EQ(reports.size(), 1U) << lack;
    EXPECT_EQ(reports[0].missingExtensions, std::vector<std::string>{lack});
    const auto none = Renderer::create({});
    ASSERT_FALSE(none) << lack;
    EXPECT_EQ(refusalOf(none.error(), Refusal::None), Refusal::GpuAbsent) << lack;
    EXPECT_TRUE(none.error().text().contains(std::string("pretender lacks ") + lack)) << none.error().text();
  }
}

TEST_F(ProtectedDevice, protectedTextureIntoOrdinaryTargetIsThePlaceholder) {
  TestBuffer from = protectedBuffer(Picture(40, 40, secret));
  const ProtectedCalls before = protectedCalls();
  const auto source = texture(from);
  EXPECT_FALSE(source->isPlaceholder());
  EXPECT_TRUE(source->protectedContent());
  EXPECT_EQ(protectedCalls().imports, before.imports + 1);
  const DrawCommand command = textureCommand(*source, everything);
  expectPlaceholder(draw(Picture(40, 40, grey), {&command, 1}), everything);
  EXPECT_EQ(protectedCalls().protectedSubmits, before.protectedSubmits);
  EXPECT_EQ(protectedCalls().imports, before.imports + 1) << "the ordinary target is in ordinary memory";
  EXPECT_EQ(protectedCalls().mixedUp, 0U);
}

TEST_F(ProtectedDevice, protectedTextureIntoProtectedTargetIsShown) {
  const Picture overlay = testPicture(10, 10, 21, true);
  const auto uploaded = renderer().upload(overlay.size(), DRM_FORMAT_XRGB8888, overlay.strideBytes(), overlay.bytes());
  ASSERT_TRUE(uploaded);
  TestBuffer from = protectedBuffer(Picture(40, 40, secret));
  TestBuffer to = protectedBuffer(Picture(40, 40, grey));
  const auto source = texture(from);
  const auto drawn = target(to);
  EXPECT_TRUE(drawn->isProtected());
  const ProtectedCalls before = protectedCalls();
  const DrawCommand commands[] = {textureCommand(*source, everything), textureCommand(**uploaded, {0, 0, 10, 10})};
  compose(*drawn, commands, {&everything, 1});
  const Picture result = to.picture();
  EXPECT_EQ(result.at(20, 20), secret);
  EXPECT_EQ(result.at(5, 5), overlay.at(5, 5));
  EXPECT_EQ(protectedCalls().protectedSubmits, before.protectedSubmits + 1);
  EXPECT_EQ(protectedCalls().ordinarySubmits, before.ordinarySubmits + 1) << "the upload, before";
  EXPECT_EQ(protectedCalls().mixedUp, 0U);
}

TEST_F(ProtectedDevice, oneImageOfAllPlanesIsInProtectedMemoryToo) {
  TestBuffer from = *TestBuffer::create({40, 40}, DRM_FORMAT_NV12);
  for (uint32_t y = 0; y < 40; ++y)
    std::ranges::fill(from.row(0, y), uint8_t{0x51}); // a grey: Cb and Cr are in their middle
  for (uint32_t y = 0; y < 20; ++y)
    std::ranges::fill(from.row(1, y), uint8_t{0x80});
  from.dmabuf().raiseEvidence(Evidence::KernelProtected);
  TestBuffer to = protectedBuffer(Picture(40, 40, grey));
  const auto own = newRenderer(true, YccImport::OneImage);
  const ProtectedCalls before = protectedCalls();
  const auto source = own->import(from.dmabuf());
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ(protectedCalls().imports, before.imports + 1);
  DrawCommand command = textureCommand(**source, everything);
  command.range = ColorRange::Full;
  expectPlaceholder(draw(*own, Picture(40, 40, grey), {&command, 1}), everything);
  const auto drawn = own->importTarget(to.dmabuf());
  ASSERT_TRUE(drawn) << drawn.error().text();
  ASSERT_TRUE(own->compose(**drawn, {&command, 1}, {&everything, 1}, {}));
  own->waitIdle();
  EXPECT_EQ(to.picture().at(20, 20)[1], 0x51);
  EXPECT_EQ(protectedCalls().mixedUp, 0U);
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

TEST_F(ProtectedDevice, claimAloneIsStillNotImported) {
  TestBuffer buffer = TestBuffer::from(Picture(40, 40, secret), DRM_FORMAT_XRGB8888);
  buffer.dmabuf().raiseEvidence(Evidence::Claimed);
  const uint64_t imports = renderer().counters().imports;
  EXPECT_EQ(texture(buffer)->refusal(), Refusal::ClaimWithoutEvidence);
  EXPECT_EQ(renderer().counters().imports, imports);
}

TEST_F(ProtectedDevice, nothingProtectedIsReadBack) {
  TestBuffer buffer = protectedBuffer(Picture(40, 40, secret));
  const auto source = texture(buffer);
  const auto drawn = target(buffer);
  std::vector<std::byte> pixels(40 * 40 * 4);
  const uint64_t submits = renderer().counters().submits;
  const auto fromTexture = renderer().readPixels(*source, everything, DRM_FORMAT_XRGB8888, 160, pixels);
  const auto fromTarget = renderer().readPixels(*drawn, everything, DRM_FORMAT_XRGB8888, 160, pixels);
  ASSERT_FALSE(fromTexture);
  ASSERT_FALSE(fromTarget);
  EXPECT_EQ(refusalOf(fromTexture.error(), Refusal::None), Refusal::ViewPublic);
  EXPECT_EQ(refusalOf(fromTarget.error(), Refusal::None), Refusal::ViewPublic);
  EXPECT_EQ(renderer().counters().submits, submits);
}

} // namespace
} // namespace vitrine::test
