#include <drm_fourcc.h>

#include <format>
#include <optional>
#include <string_view>

#include "tests/unit/renderer_fixture.h"
#include "tests/unit/settles.h"
#include "tests/unit/vulkan_interposer.h"

// What happens when the driver refuses NV12 one way (as one image, or plane by plane) and may take it the other way.

namespace vitrine::test {
namespace {

/** NV12 that can be imported either way; the parameter is the better one. */
class OtherWay : public RendererTest, public testing::WithParamInterface<YccImport> {
protected:
  static constexpr uint64_t tiled = DRM_FORMAT_MOD_QCOM_COMPRESSED;
  static constexpr Rect all{0, 0, 32, 32};

  void SetUp() override {
    RendererTest::SetUp();
    if (IsSkipped()) return;
    from_ = TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
    for (unsigned plane = 0; plane < 2; ++plane) {
      for (uint32_t y = 0; y < 32U >> plane; ++y) {
        for (unsigned x = 0; x < 32; ++x)
          from_->row(plane, y)[x] = static_cast<uint8_t>(0x40 + (7 * x + 5 * y) % 0x80);
      }
    }
    if (GetParam() == YccImport::OneImage) {
      offerModifier(tiled, 0, {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM});
    }
    own_ = newRenderer(true);
    buffer_ = withModifier(*from_, GetParam() == YccImport::OneImage ? tiled : DRM_FORMAT_MOD_LINEAR, 2, *from_);
    // What the first import of a way makes for all that follow is made here.
    for (const bool refuse : {false, true}) {
      if (refuse) failCall("vkCreateImage", VK_ERROR_INVALID_EXTERNAL_HANDLE);
      expectRightPixels(own_->import(*buffer_));
    }
  }
  void TearDown() override {
    if (own_ != nullptr) {
      EXPECT_EQ(own_->counters().validationMessages, 0U);
    }
    own_.reset();
    offerModifier(DRM_FORMAT_MOD_INVALID, 0, {});
    RendererTest::TearDown();
  }
  static unsigned imagesOf(YccImport way) { return way == YccImport::OneImage ? 1 : 2; }
  static YccImport other() { return GetParam() == YccImport::OneImage ? YccImport::PlaneByPlane : YccImport::OneImage; }
  void expectRightPixels(const Result<std::unique_ptr<Texture>>& made) {
    ASSERT_TRUE(made) << made.error().text();
    const auto reference = texture(*from_);
    const DrawCommand command = textureCommand(**made, all);
    const DrawCommand expected = textureCommand(*reference, all);
    EXPECT_LE(largestDifference(draw(*own_, Picture(32, 32), {&command, 1}), draw(Picture(32, 32), {&expected, 1})), 1);
  }

  std::optional<TestBuffer> from_;
  std::optional<Dmabuf> buffer_;
  std::unique_ptr<Renderer> own_;
};

TEST_P(OtherWay, isNotAskedWhereTheFirstTakesTheBuffer) {
  const DriverCalls before = driverCalls();
  expectRightPixels(own_->import(*buffer_));
  const unsigned images = imagesOf(GetParam());
  // The reference is two images, and the two targets are one each.
  EXPECT_EQ(driverCalls().imageCreations, before.imageCreations + images + 4);
  EXPECT_EQ(driverCalls().fdQueries, before.fdQueries + images + 4);
  EXPECT_EQ(driverCalls().memoryImports, before.memoryImports + images + 4);
}

TEST_P(OtherWay, isTakenWhereTheDriverRefusesTheBuffer) {
  struct Case {
    const char* function;
    VkResult result; ///< VK_SUCCESS: no memory type
  };
  constexpr Case cases[] = {{"vkGetPhysicalDeviceImageFormatProperties2", VK_ERROR_FORMAT_NOT_SUPPORTED},
                            {"vkCreateImage", VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT},
                            {"vkGetMemoryFdPropertiesKHR", VK_ERROR_INVALID_EXTERNAL_HANDLE},
                            {"vkGetMemoryFdPropertiesKHR", VK_SUCCESS},
                            {"vkAllocateMemory", VK_ERROR_INVALID_EXTERNAL_HANDLE}};
  for (const auto& [function, result] : cases) {
    const unsigned places = result == VK_SUCCESS ? 1 : imagesOf(GetParam()); // any of its images may be refused
    for (unsigned skip = 0; skip < places; ++skip) {
      const std::string call = std::format("{} {} {}", function, static_cast<int>(result), skip);
      const auto round = [&] {
        if (result == VK_SUCCESS) {
          answerFdTypes(FdTypes::None, 1);
        } else {
          failCall(function, result, skip);
        }
        const uint64_t images = driverCalls().imageCreations;
        const auto made = own_->import(*buffer_);
        EXPECT_TRUE(result == VK_SUCCESS || failureHappened()) << call;
        const unsigned asked = std::string_view(function).contains("Properties2") ? skip : skip + 1;
        EXPECT_EQ(driverCalls().imageCreations, images + asked + imagesOf(other())) << call;
        expectRightPixels(made);
      };
      expectSettles(round, call);
    }
  }
}

TEST_P(OtherWay, isNotTakenWhereTheFailureSaysNothingOfTheBuffer) {
  for (const char* function : {"vkCreateImage", "vkGetMemoryFdPropertiesKHR", "vkAllocateMemory", "vkBindImageMemory",
                               "vkCreateImageView", "vkAllocateDescriptorSets"}) {
    for (const VkResult result : {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_TOO_MANY_OBJECTS,
                                  VK_ERROR_DEVICE_LOST}) {
      const std::string call = std::format("{} {}", function, static_cast<int>(result));
      const bool atTheEnd = std::string_view(function) == "vkAllocateDescriptorSets";
      const auto round = [&] {
        failCall(function, result);
        const uint64_t images = driverCalls().imageCreations;
        const auto made = own_->import(*buffer_);
        EXPECT_TRUE(failureHappened()) << call;
        EXPECT_EQ(driverCalls().imageCreations, images + (atTheEnd ? imagesOf(GetParam()) : 1)) << call;
        ASSERT_FALSE(made) << call;
        EXPECT_EQ(made.error().kind, ErrorKind::Vulkan) << made.error().text();
        EXPECT_EQ(made.error().number, result) << made.error().text();
        EXPECT_EQ(made.error().operation, function);
      };
      expectSettles(round, call);
    }
  }
}

TEST_P(OtherWay, refusedTooItIsToldAsTheFirstWas) {
  const auto round = [&] {
    const uint64_t images = driverCalls().imageCreations;
    failCalls("vkCreateImage",
              {VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT, VK_ERROR_INVALID_EXTERNAL_HANDLE});
    const auto refused = own_->import(*buffer_);
    EXPECT_TRUE(failureHappened());
    EXPECT_EQ(driverCalls().imageCreations, images + 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuImportFailed);
    EXPECT_TRUE(refused.error().text().contains("VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT"))
        << refused.error().text();
    // A lost device is more than a refused buffer.
    failCalls("vkCreateImage", {VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT, VK_ERROR_DEVICE_LOST});
    const auto lost = own_->import(*buffer_);
    EXPECT_TRUE(failureHappened());
    ASSERT_FALSE(lost);
    EXPECT_TRUE(isDeviceLost(lost.error())) << lost.error().text();
  };
  expectSettles(round, "refused both ways");
}

INSTANTIATE_TEST_SUITE_P(Ways, OtherWay, testing::Values(YccImport::PlaneByPlane, YccImport::OneImage),
                         [](const auto& way) {
                           return way.param == YccImport::OneImage ? "AfterOneImage" : "AfterPlaneByPlane";
                         });

} // namespace
} // namespace vitrine::test
