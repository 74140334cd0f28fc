#include <drm_fourcc.h>

#include <format>

#include "protected-path/render/vulkan/vulkan_error.h"
#include "protected-path/render/vulkan/vulkan_functions.h"
#include "tests/unit/protected_twin.h"
#include "tests/unit/settles.h"
#include "tests/unit/vulkan_interposer.h"

// In what drivers differ, and how a renderer fails to be made.

namespace vitrine::test {
namespace {

constexpr Picture::Pixel grey{0x80, 0x80, 0x80, 0xff};
constexpr Picture::Pixel secret{0x12, 0x34, 0x56, 0xff};
constexpr Rect all{0, 0, 32, 32};

class Drivers : public RendererTest {
protected:
  void SetUp() override {
    RendererTest::SetUp();
    if (!IsSkipped() && !hasProtectedHeap()) GTEST_SKIP() << "no protected heap";
  }
  void TearDown() override {
    answerFdTypes(FdTypes::Asked, 0);
    pretence() = {};
    RendererTest::TearDown();
  }
  static bool hasProtectedMemory() { return renderer().device().gpu.protectedMemory; }

  /** A protected picture drawn into protected memory and into ordinary memory, where it is the placeholder. */
  static void expectBothWorlds(Renderer& own) {
    TestBuffer content = TestBuffer::from(Picture(32, 32, secret), DRM_FORMAT_XRGB8888);
    TestBuffer target = TestBuffer::from(Picture(32, 32, grey), DRM_FORMAT_XRGB8888);
    const Dmabuf protectedTarget = protectedTwin(target);
    const auto source = own.import(protectedTwin(content));
    ASSERT_TRUE(source) << source.error().text();
    const DrawCommand command = textureCommand(**source, all);
    expectPlaceholder(draw(own, Picture(32, 32, grey), {&command, 1}), all);
    if (!hasProtectedMemory()) return;
    const auto drawn = own.importTarget(protectedTarget);
    ASSERT_TRUE(drawn) << drawn.error().text();
    const auto fence = own.compose(**drawn, {&command, 1}, {&all, 1}, {});
    ASSERT_TRUE(fence) << fence.error().text();
    own.waitIdle();
    copyBack(protectedTarget, target);
    EXPECT_EQ(target.picture(), Picture(32, 32, secret));
    EXPECT_EQ(own.counters().validationMessages, 0U);
  }
};

// ---- Memory types ----

struct FdAnswer {
  FdTypes types;
  YccImport way;
};

class DriversByAnswer : public Drivers, public testing::WithParamInterface<FdAnswer> {};

TEST_P(DriversByAnswer, everyImportIsDedicatedAndInTheRightMemory) {
  TestBuffer video = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  TestBuffer picture = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  const Dmabuf protectedVideo = protectedTwin(video);
  const Dmabuf protectedPicture = protectedTwin(picture);
  const auto own = newRenderer(true, GetParam().way);
  ASSERT_TRUE(own);
  const unsigned images = GetParam().way == YccImport::OneImage ? 1 : 2;
  answerFdTypes(GetParam().types);
  for (const bool isProtected : {false, true}) {
    if (isProtected && !hasProtectedMemory()) break; // the driver is not asked: ProtectedFormats
    const DriverCalls before = driverCalls();
    const auto source = own->import(isProtected ? protectedVideo : video.dmabuf());
    const auto target = own->importTarget(isProtected ? protectedPicture : picture.dmabuf());
    ASSERT_TRUE(source) << source.error().text();
    ASSERT_TRUE(target) << target.error().text();
    EXPECT_EQ(driverCalls().fdQueries, before.fdQueries + images + 1);
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports + images + 1);
    EXPECT_EQ(driverCalls().dedicatedImports, before.dedicatedImports + images + 1);
    EXPECT_EQ(driverCalls().protectedImports, before.protectedImports + (isProtected ? images + 1 : 0));
    const DrawCommand command = textureCommand(**source, all);
    EXPECT_TRUE(own->compose(**target, {&command, 1}, {&all, 1}, {})) << "the GPU lets it";
    own->waitIdle();
  }
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

INSTANTIATE_TEST_SUITE_P(Answers, DriversByAnswer,
                         testing::Values(FdAnswer{FdTypes::Asked, YccImport::PlaneByPlane},
                                         FdAnswer{FdTypes::Asked, YccImport::OneImage},
                                         FdAnswer{FdTypes::All, YccImport::PlaneByPlane},
                                         FdAnswer{FdTypes::All, YccImport::OneImage},
                                         FdAnswer{FdTypes::Unwritten, YccImport::PlaneByPlane},
                                         FdAnswer{FdTypes::Unwritten, YccImport::OneImage}),
                         [](const auto& answer) {
                           const FdTypes types = answer.param.types;
                           return std::string(types == FdTypes::All         ? "All"
                                              : types == FdTypes::Unwritten ? "Unwritten"
                                                                            : "Asked") +
                                  (answer.param.way == YccImport::OneImage ? "OneImage" : "PlaneByPlane");
                         });

TEST_F(Drivers, aBufferThatNoMemoryTypeTakesIsRefused) {
  TestBuffer picture = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  const Dmabuf protectedPicture = protectedTwin(picture);
  answerFdTypes(FdTypes::None);
  for (const bool isProtected : {false, true}) {
    if (isProtected && !hasProtectedMemory()) break;
    const DriverCalls before = driverCalls();
    const Dmabuf& buffer = isProtected ? protectedPicture : picture.dmabuf();
    const auto source = renderer().import(buffer);
    const auto target = renderer().importTarget(buffer);
    ASSERT_FALSE(source);
    ASSERT_FALSE(target);
    for (const Error& error : {source.error(), target.error()}) {
      EXPECT_EQ(refusalOf(error, Refusal::None), Refusal::GpuImportFailed);
      EXPECT_TRUE(
          error.text().contains(isProtected ? ": no protected memory type takes it" : ": no memory type takes it"))
          << error.text();
    }
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports);
    EXPECT_EQ(driverCalls().liveObjects, before.liveObjects);
  }
}

TEST_F(Drivers, anOrdinaryImportTakesNoProtectedMemory) {
  if (!hasProtectedMemory()) return; // nothing to take
  TestBuffer picture = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  answerFdTypes(FdTypes::Protected);
  const DriverCalls before = driverCalls();
  const auto refused = renderer().import(picture.dmabuf());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuImportFailed);
  EXPECT_TRUE(refused.error().text().contains(": no memory type takes it")) << refused.error().text();
  EXPECT_EQ(driverCalls().memoryImports, before.memoryImports);
}

TEST_F(Drivers, anUploadTakesNoProtectedMemory) {
  if (!hasProtectedMemory()) return; // nothing to take
  const Picture picture(32, 32, grey);
  answerFdTypes(FdTypes::Protected);
  const DriverCalls before = driverCalls();
  const auto refused = renderer().upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().operation, "vkAllocateMemory");
  EXPECT_EQ(refused.error().number, VK_ERROR_FEATURE_NOT_PRESENT) << refused.error().text();
  EXPECT_EQ(driverCalls().allocations, before.allocations);
}

/** A driver that does not look at the fd has only the import itself to say no. */
TEST_F(Drivers, anOrdinaryBufferIsNoProtectedOneWhateverTheQuerySays) {
  if (!hasProtectedMemory()) return; // such a buffer is a placeholder there: Protection
  TestBuffer picture = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  picture.dmabuf().raiseEvidence(Evidence::KernelProtected);
  for (const FdTypes types : {FdTypes::All, FdTypes::Unwritten}) {
    answerFdTypes(types);
    const DriverCalls before = driverCalls();
    const auto refused = renderer().import(picture.dmabuf());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::GpuImportFailed);
    EXPECT_TRUE(refused.error().text().contains("VK_ERROR_INVALID_EXTERNAL_HANDLE")) << refused.error().text();
    EXPECT_EQ(driverCalls().protectedImports, before.protectedImports + 1) << "asked for, and as protected memory";
    EXPECT_EQ(driverCalls().liveObjects, before.liveObjects);
  }
}

// ---- Features and properties ----

TEST_F(Drivers, pipelinesSayWhatTheyAreForWhereTheFeatureIsThere) {
  constexpr unsigned perTarget = 10; // five kinds of draws, blended and not
  for (const bool feature : {true, false}) {
    if (!feature) pretence().pipelineProtectedAccess = false;
    const auto own = newRenderer(true, YccImport::OneImage);
    ASSERT_TRUE(own);
    const bool says = feature && hasProtectedMemory();
    TestBuffer picture = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
    TestBuffer video = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
    const auto expectMade = [](const DriverCalls& before, unsigned noProtected, unsigned protectedOnly,
                               unsigned plain) {
      EXPECT_EQ(driverCalls().noProtectedPipelines, before.noProtectedPipelines + noProtected);
      EXPECT_EQ(driverCalls().protectedOnlyPipelines, before.protectedOnlyPipelines + protectedOnly);
      EXPECT_EQ(driverCalls().pipelines, before.pipelines + noProtected + protectedOnly + plain);
    };
    DriverCalls before = driverCalls();
    const auto ordinary = own->importTarget(picture.dmabuf());
    ASSERT_TRUE(ordinary) << ordinary.error().text();
    expectMade(before, says ? perTarget : 0, 0, says ? 0 : perTarget);
    before = driverCalls();
    const auto isProtected = own->importTarget(protectedTwin(picture));
    EXPECT_EQ(isProtected.has_value(), hasProtectedMemory());
    expectMade(before, 0, says ? perTarget : 0, 0); // else those that there are already
    before = driverCalls();
    ASSERT_TRUE(own->import(video.dmabuf())) << "with a sampler, which needs pipelines for both";
    expectMade(before, says ? 2 : 0, says ? 2 : 0, says ? 0 : 2);
    expectBothWorlds(*own);
  }
}

/** With NV12 that has a modifier of its own, so that it is imported as one image. */
TEST_F(Drivers, preparedPipelinesAreAllThatTheFirstVideoNeeds) {
  constexpr uint64_t tiled = DRM_FORMAT_MOD_QCOM_COMPRESSED;
  TestBuffer picture = TestBuffer::from(Picture(32, 32, grey), DRM_FORMAT_XRGB8888);
  TestBuffer video = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  std::ranges::fill(video.bytes(), uint8_t{0x80});
  const Dmabuf protectedPicture = protectedTwin(picture);
  for (const bool feature : {true, false}) {
    if (!feature) pretence().pipelineProtectedAccess = false;
    offerModifier(tiled, 0, {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM});
    const auto own = newRenderer(true);
    ASSERT_TRUE(own);
    const auto first = own->importTarget(picture.dmabuf());
    ASSERT_TRUE(first) << first.error().text();
    DriverCalls before = driverCalls();
    unsigned prepared = 0;
    for (; own->prepare(); ++prepared)
      EXPECT_EQ(driverCalls().pipelines, before.pipelines + prepared + 1) << "one by one";
    EXPECT_EQ(driverCalls().pipelines, before.pipelines + prepared);
    EXPECT_EQ(own->counters().pipelines, 10U + prepared);
    // Two for each sampler: NV12 and NV21. With the feature also for protected targets, and the five fixed kinds.
    EXPECT_EQ(prepared, feature && hasProtectedMemory() ? 4U + 4U + 10U : 4U);

    before = driverCalls();
    const auto source = own->import(withModifier(video, tiled, 2, video));
    ASSERT_TRUE(source) << source.error().text();
    const DrawCommand command = textureCommand(**source, all);
    ASSERT_TRUE(own->compose(**first, {&command, 1}, {&all, 1}, {}));
    if (hasProtectedMemory()) {
      const auto drawn = own->importTarget(protectedPicture);
      ASSERT_TRUE(drawn) << drawn.error().text();
      ASSERT_TRUE(own->compose(**drawn, {&command, 1}, {&all, 1}, {}));
    }
    own->waitIdle();
    EXPECT_EQ(driverCalls().pipelines, before.pipelines) << "with the video's first frame";
    EXPECT_EQ(own->counters().validationMessages, 0U);
    offerModifier(DRM_FORMAT_MOD_INVALID, 0, {});
  }
}

TEST_F(Drivers, aPipelineThatCouldNotBePreparedIsMadeLater) {
  const auto own = newRenderer(true, YccImport::OneImage);
  ASSERT_TRUE(own);
  TestBuffer picture = TestBuffer::from(Picture(32, 32, grey), DRM_FORMAT_XRGB8888);
  ASSERT_TRUE(own->importTarget(picture.dmabuf()));
  for (unsigned skip : {0U, 1U, 2U}) {
    failCall("vkCreateGraphicsPipelines", VK_ERROR_OUT_OF_DEVICE_MEMORY, skip);
    while (own->prepare()) {
    }
    EXPECT_TRUE(failureHappened());
  }
  expectBothWorlds(*own);
}

TEST_F(Drivers, protectedNoFaultIsReportedAndChangesNothing) {
  // The platform's GPU has none, and is lost by any forbidden access: also where the renderer is told that it might.
  for (const bool noFault : {true, false}) {
    pretence().protectedNoFault = noFault;
    const auto own = newRenderer(true);
    ASSERT_TRUE(own);
    EXPECT_EQ(own->device().protectedNoFault, noFault && hasProtectedMemory());
    const auto reports = listVulkanDevices();
    ASSERT_FALSE(reports.empty());
    EXPECT_EQ(reports[0].protectedNoFault, noFault && reports[0].gpu.protectedMemory);
    expectBothWorlds(*own);
  }
}

// ---- Creation ----

struct CreationFailure {
  const char* function;
  std::vector<VkResult> results; ///< that it may return
};
const CreationFailure creationFailures[] = {
    {"vkEnumerateInstanceLayerProperties", {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY}},
    {"vkCreateInstance",
     {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_INITIALIZATION_FAILED,
      VK_ERROR_LAYER_NOT_PRESENT, VK_ERROR_EXTENSION_NOT_PRESENT, VK_ERROR_INCOMPATIBLE_DRIVER}},
    {"vkCreateDebugUtilsMessengerEXT", {VK_ERROR_OUT_OF_HOST_MEMORY}},
    {"vkEnumeratePhysicalDevices",
     {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_INITIALIZATION_FAILED}},
    {"vkCreateDevice",
     {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_INITIALIZATION_FAILED,
      VK_ERROR_EXTENSION_NOT_PRESENT, VK_ERROR_FEATURE_NOT_PRESENT, VK_ERROR_TOO_MANY_OBJECTS, VK_ERROR_DEVICE_LOST}}};

TEST_F(Drivers, creationSaysWhichCallFailedAndLeavesNothing) {
  for (const auto& [function, results] : creationFailures) {
    for (const VkResult result : results) {
      unsigned failures = 0;
      for (bool happened = true; happened; ++failures) {
        const std::string call = std::format("{} {} {}", function, failures, vulkan::vkResultName(result));
        const auto create = [&] {
          failCall(function, result, failures);
          const auto made = Renderer::create({.validation = true});
          happened = failureHappened();
          ASSERT_NE(made.has_value(), happened) << call;
          if (made) return;
          EXPECT_EQ(made.error().kind, ErrorKind::Vulkan) << call << ": " << made.error().text();
          EXPECT_EQ(made.error().number, result) << call << ": " << made.error().text();
          EXPECT_EQ(made.error().operation, function) << call;
        };
        expectSettles(create, call);
        if (HasFatalFailure()) return;
      }
      EXPECT_GT(failures, 1U) << function << " is not called";
    }
  }
}

TEST_F(Drivers, whatCannotBeListedIsAnEmptyList) {
  for (const char* function :
       {"vkCreateInstance", "vkEnumeratePhysicalDevices", "vkEnumerateDeviceExtensionProperties"}) {
    const int64_t objects = driverCalls().liveObjects;
    failCall(function, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_TRUE(listVulkanDevices().empty()) << function;
    EXPECT_TRUE(failureHappened()) << function;
    EXPECT_EQ(driverCalls().liveObjects, objects) << function;
  }
  EXPECT_FALSE(listVulkanDevices().empty());
}

TEST_F(Drivers, aDeviceThatCannotBeInspectedIsLeftOut) {
  failCall("vkEnumerateDeviceExtensionProperties", VK_ERROR_OUT_OF_HOST_MEMORY);
  const auto made = Renderer::create({});
  EXPECT_TRUE(failureHappened());
  ASSERT_FALSE(made) << "it was the only device";
  EXPECT_EQ(refusalOf(made.error(), Refusal::None), Refusal::GpuAbsent) << made.error().text();
}

TEST_F(Drivers, whatIsLargerThanAnImageMayBeIsRefused) {
  pretence().maximumExtent = 64;
  const auto own = newRenderer(true);
  const std::vector<std::byte> pixels(65 * 64 * 4);
  for (const Size size : {Size{65, 64}, Size{64, 65}}) {
    const auto uploaded = own->upload(size, DRM_FORMAT_ARGB8888, size.width * 4, pixels);
    ASSERT_FALSE(uploaded);
    EXPECT_EQ(refusalOf(uploaded.error(), Refusal::None), Refusal::GpuSizeUnsupported) << uploaded.error().text();
    TestBuffer buffer = TestBuffer::from(Picture(size.width, size.height, grey), DRM_FORMAT_ARGB8888);
    const auto target = own->importTarget(buffer.dmabuf());
    ASSERT_FALSE(target);
    EXPECT_EQ(refusalOf(target.error(), Refusal::None), Refusal::GpuSizeUnsupported) << target.error().text();
  }
  EXPECT_TRUE(own->upload({64, 64}, DRM_FORMAT_ARGB8888, 64 * 4, pixels));
}

// ---- The driver's number of allocations ----

class FewAllocations : public Drivers {
protected:
  static constexpr unsigned limit = 64;
  void SetUp() override {
    Drivers::SetUp();
    if (IsSkipped()) return;
    pretence().maximumAllocations = limit;
    own_ = newRenderer(true);
    refusedBefore_ = driverCalls().allocationsBeyondLimit;
  }
  void TearDown() override {
    if (own_ != nullptr) {
      EXPECT_EQ(own_->counters().validationMessages, 0U);
    }
    EXPECT_EQ(driverCalls().allocationsBeyondLimit, refusedBefore_) << "the driver need not enforce its limit";
    own_.reset();
    Drivers::TearDown();
  }
  static Picture::Pixel colour(unsigned number) {
    return {static_cast<uint8_t>(number), static_cast<uint8_t>(255 - number), static_cast<uint8_t>(number * 7), 0xff};
  }

  std::unique_ptr<Renderer> own_;
  uint64_t refusedBefore_ = 0;
};

TEST_F(FewAllocations, areEnoughForAnyNumberOfUploads) {
  constexpr unsigned columns = 20;
  constexpr int side = 8;
  std::vector<std::unique_ptr<Texture>> surfaces;
  std::vector<DrawCommand> commands;
  Picture expected(columns * side, columns * side / 2);
  for (unsigned number = 0; number < columns * columns / 2; ++number) {
    const Picture picture(side, side, colour(number));
    auto made = own_->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
    ASSERT_TRUE(made) << number << ": " << made.error().text();
    const auto column = static_cast<int32_t>(number % columns);
    const auto row = static_cast<int32_t>(number / columns);
    commands.push_back(textureCommand(**made, {column * side, row * side, side, side}));
    surfaces.push_back(std::move(*made));
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x)
        expected.at(column * side + x, row * side + y) = colour(number);
    }
  }
  EXPECT_EQ(draw(*own_, Picture(expected.width, expected.height, grey), commands), expected);
}

TEST_F(FewAllocations, thatImportsHaveTakenLeaveRoomForTheRest) {
  TestBuffer content = TestBuffer::from(Picture(32, 32, secret), DRM_FORMAT_XRGB8888);
  std::vector<std::unique_ptr<Texture>> imported;
  Result<std::unique_ptr<Texture>> more = own_->import(content.dmabuf());
  for (; more && imported.size() <= limit; more = own_->import(content.dmabuf()))
    imported.push_back(std::move(*more));
  ASSERT_FALSE(more);
  EXPECT_EQ(imported.size(), limit * 3 / 4);
  EXPECT_EQ(more.error().operation, "vkAllocateMemory");
  EXPECT_EQ(more.error().number, VK_ERROR_TOO_MANY_OBJECTS) << "says nothing of the buffer: it is tried again";
  EXPECT_TRUE(more.error().text().contains(std::format("the driver's {} allocations", limit))) << more.error().text();

  const Picture picture(32, 32, grey);
  const auto upload = own_->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(upload) << upload.error().text();
  const DrawCommand commands[] = {textureCommand(**upload, {0, 0, 32, 32}),
                                  textureCommand(*imported.back(), {32, 0, 32, 32})};
  const Picture drawn = draw(*own_, Picture(64, 32), commands);
  EXPECT_EQ(drawn.at(8, 8), grey);
  EXPECT_EQ(drawn.at(40, 8), secret);

  imported.resize(limit / 2);
  more = own_->import(content.dmabuf());
  EXPECT_TRUE(more) << more.error().text();
}

TEST_F(Drivers, recoveringFailsAsCreationDoesAndChangesNothing) {
  const auto own = newRenderer(false);
  for (const char* function : {"vkCreateInstance", "vkEnumeratePhysicalDevices", "vkCreateDevice"}) {
    const int64_t objects = driverCalls().liveObjects;
    failCall(function, VK_ERROR_OUT_OF_HOST_MEMORY);
    const auto recovered = own->recover();
    EXPECT_TRUE(failureHappened()) << function;
    ASSERT_FALSE(recovered) << function;
    EXPECT_EQ(recovered.error().operation, function);
    EXPECT_EQ(own->generation(), 1U);
    EXPECT_EQ(driverCalls().liveObjects, objects) << function;
  }
  expectBothWorlds(*own);
}

TEST_F(Drivers, aLackingFunctionIsNamedAndLeavesNothing) {
#define VITRINE_NAME(name) "vk" #name,
  const char* const functions[] = {VITRINE_GLOBAL_FUNCTIONS(VITRINE_NAME) VITRINE_INSTANCE_FUNCTIONS(VITRINE_NAME)
                                       VITRINE_DEVICE_FUNCTIONS(VITRINE_NAME)};
#undef VITRINE_NAME
  for (const std::string function : functions) {
    if (function == "vkDestroyDevice") continue; // without it nobody could end the device
    const int64_t objects = driverCalls().liveObjects;
    pretence().lackingFunction = function;
    const auto made = Renderer::create({});
    ASSERT_FALSE(made) << function;
    EXPECT_EQ(made.error().kind, ErrorKind::Missing) << made.error().text();
    EXPECT_EQ(made.error().object, function);
    EXPECT_EQ(driverCalls().liveObjects, objects) << function;
  }
}

} // namespace
} // namespace vitrine::test
