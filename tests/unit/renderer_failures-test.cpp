#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>

#include <spdlog/sinks/ostream_sink.h>

#include <filesystem>
#include <format>
#include <sstream>

#include "protected-path/base/log.h"
#include "protected-path/render/pixman/pixman_renderer.h"
#include "protected-path/render/vulkan/vulkan_error.h"
#include "tests/unit/open_fds.h"
#include "tests/unit/protected_twin.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/settles.h"
#include "tests/unit/vulkan_interposer.h"

// What must not reach the driver, and what happens when the driver says no.

namespace vitrine::test {
namespace {

constexpr Picture::Pixel grey{0x80, 0x80, 0x80, 0xff};
constexpr Picture::Pixel secret{0x12, 0x34, 0x56, 0xff};

class Protection : public RendererTest {};
class Failures : public RendererTest {};

TEST_F(Protection, noMapBufferNeverReachesTheDriver) {
  struct Case {
    Evidence evidence;
    Refusal refusal;
  };
  const bool gpu = renderer().device().gpu.present;
  const Refusal unable = gpu ? Refusal::GpuNoProtectedMemory : Refusal::GpuAbsent;
  for (const Case& row : {Case{Evidence::Claimed, Refusal::ClaimWithoutEvidence}, Case{Evidence::Suspect, unable},
                          Case{Evidence::Unmappable, unable}, Case{Evidence::KernelProtected, unable}}) {
    // A device with protected memory takes what there is evidence for; a claim alone it is not told of either.
    if (renderer().device().gpu.protectedMemory && row.evidence != Evidence::Claimed) continue;
    TestBuffer buffer = TestBuffer::from(Picture(40, 40, secret), DRM_FORMAT_XRGB8888);
    buffer.dmabuf().raiseEvidence(row.evidence);
    const DriverCalls before = driverCalls();
    const uint64_t imports = renderer().counters().imports;
    const auto source = texture(buffer);
    ASSERT_TRUE(source);
    EXPECT_TRUE(source->isPlaceholder());
    EXPECT_TRUE(source->protectedContent());
    EXPECT_EQ(source->refusal(), row.refusal) << evidenceName(row.evidence);
    const DrawCommand command = textureCommand(*source, {4, 4, 40, 40});
    const uint64_t placeholders = renderer().counters().placeholdersDrawn;
    const Picture result = draw(Picture(50, 50, grey), {&command, 1});
    expectPlaceholder(result, {4, 4, 40, 40});
    EXPECT_EQ(renderer().counters().placeholdersDrawn, placeholders + 1);
    EXPECT_EQ(renderer().counters().imports, imports + 1) << "the target's own is the only one";
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports + (gpu ? 1 : 0));
    EXPECT_EQ(driverCalls().fdQueries, before.fdQueries + (gpu ? 1 : 0));

    const auto asTarget = renderer().importTarget(buffer.dmabuf());
    ASSERT_FALSE(asTarget);
    EXPECT_EQ(refusalOf(asTarget.error(), Refusal::None), row.refusal);
    EXPECT_EQ(renderer().counters().imports, imports + 1);
    EXPECT_EQ(driverCalls().memoryImports, before.memoryImports + (gpu ? 1 : 0));

    std::vector<std::byte> pixels(40 * 40 * 4);
    const auto read = renderer().readPixels(*source, {0, 0, 40, 40}, DRM_FORMAT_XRGB8888, 160, pixels);
    ASSERT_FALSE(read);
    EXPECT_EQ(refusalOf(read.error(), Refusal::None), Refusal::ViewPublic);
  }
}

TEST_F(Protection, memoryThatFaultsIsRefusedByTheCpu) {
  pixman::PixmanRenderer cpu;
  for (const auto& node : std::filesystem::directory_iterator("/dev/dma_heap")) {
    const UniqueFd heap(open(node.path().c_str(), O_RDWR | O_CLOEXEC));
    dma_heap_allocation_data allocation{.len = 64 * 64 * 4, .fd_flags = O_RDWR | O_CLOEXEC};
    ASSERT_EQ(ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &allocation), 0) << node.path();
    DmabufAttributes attributes{
        .size = {64, 64}, .fourcc = DRM_FORMAT_XRGB8888, .modifier = DRM_FORMAT_MOD_LINEAR, .planeCount = 1};
    attributes.planes[0] = {UniqueFd(static_cast<int>(allocation.fd)), 0, 256};
    const auto buffer = Dmabuf::create(std::move(attributes)); // not inspected: nothing is known of its evidence
    ASSERT_TRUE(buffer) << buffer.error().text();
    const auto made = cpu.import(*buffer);
    const std::string name = node.path().filename();
    EXPECT_EQ(made.has_value(), name == "system" || name == "default_cma_region") << name;
    if (made) continue;
    EXPECT_EQ(refusalOf(made.error(), Refusal::None), Refusal::GpuImportFailed) << name;
    EXPECT_TRUE(name != "heap-secure" || made.error().text().contains("EFAULT")) << made.error().text();
  }
}

/** One of each: import, import target, upload, pass, and of what may be read back, read back. */
Result<> everything(Renderer& renderer, const Dmabuf& from, const Dmabuf& to, const Picture& picture) {
  auto source = renderer.import(from);
  if (!source) return std::unexpected(source.error());
  auto drawn = renderer.importTarget(to);
  if (!drawn) return std::unexpected(drawn.error());
  auto uploaded = renderer.upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  if (!uploaded) return std::unexpected(uploaded.error());
  DrawCommand commands[] = {
      {.kind = DrawCommand::Kind::Texture, .destination = {0, 0, 32, 32}, .texture = source->get()},
      {.kind = DrawCommand::Kind::Texture, .destination = {0, 0, 8, 8}, .texture = uploaded->get()}};
  for (DrawCommand& command : commands)
    command.source = SourceRect::whole(command.texture->size());
  auto fence = renderer.compose(**drawn, commands, {&commands[0].destination, 1}, {});
  if (!fence) return std::unexpected(fence.error());
  std::vector<std::byte> pixels(32 * 32 * 4);
  if (!to.noMap()) {
    if (auto read = renderer.readPixels(**drawn, {0, 0, 32, 32}, DRM_FORMAT_ARGB8888, 128, pixels); !read) return read;
  }
  if (from.noMap()) return {};
  return renderer.readPixels(**source, {0, 0, 32, 32}, DRM_FORMAT_ARGB8888, 128, pixels);
}

/** A failed call was said, and the same again works. */
void expectRecovered(Renderer& own, const Dmabuf& from, const Dmabuf& to, const Result<>& result,
                     const std::string& call) {
  const Picture picture(8, 8, grey);
  ASSERT_FALSE(result) << call;
  const bool said = result.error().kind == ErrorKind::Vulkan || result.error().kind == ErrorKind::Refused;
  EXPECT_TRUE(said) << result.error().text();
  if (isDeviceLost(result.error())) {
    const auto recovered = own.recover();
    ASSERT_TRUE(recovered) << "after " << call << ": " << recovered.error().text();
  }
  const auto again = everything(own, from, to, picture);
  ASSERT_TRUE(again) << "after " << call << ": " << again.error().text();
  own.waitIdle();
}

/** What a call may say: any that its memory is exhausted, only some the rest ("Return Codes" of the specification). */
std::vector<VkResult> failuresOf(std::string_view function) {
  std::vector<VkResult> results{VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY};
  if (function == "vkAllocateMemory" || function == "vkGetMemoryFdPropertiesKHR") {
    results.push_back(VK_ERROR_INVALID_EXTERNAL_HANDLE);
  }
  if (function == "vkQueueSubmit" || function == "vkWaitSemaphores") results.push_back(VK_ERROR_DEVICE_LOST);
  return results;
}

/** An fd that the driver does not take is a refusal of its buffer; anything else comes through as it is. */
void expectTold(const Error& error, std::string_view function, VkResult result, const std::string& call) {
  EXPECT_EQ(error.operation, function) << call << ": " << error.text();
  if (error.kind == ErrorKind::Refused) {
    EXPECT_EQ(result, VK_ERROR_INVALID_EXTERNAL_HANDLE) << call << ": " << error.text();
    EXPECT_EQ(refusalOf(error, Refusal::None), Refusal::GpuImportFailed) << call;
    EXPECT_TRUE(error.text().contains(vulkan::vkResultName(result))) << call << ": " << error.text();
  } else {
    EXPECT_EQ(error.number, result) << call << ": " << error.text();
  }
}

TEST_F(Failures, anUploadFindsASmallerBlockOrNamesWhatItNeeds) {
  const auto own = newRenderer(true);
  const Picture picture(8, 8, grey);
  const auto upload = [&] {
    return own->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  };
  failCalls("vkAllocateMemory", std::vector(100, VK_ERROR_OUT_OF_DEVICE_MEMORY));
  const auto failed = upload();
  EXPECT_FALSE(failureHappened()) << "not all of them are needed";
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().operation, "vkAllocateMemory");
  EXPECT_EQ(failed.error().number, VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_TRUE(failed.error().object.starts_with("8x8 image of ")) << failed.error().text();
  EXPECT_TRUE(failed.error().object.ends_with(" bytes")) << failed.error().text();

  failCall("vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  const auto made = upload();
  EXPECT_TRUE(failureHappened());
  ASSERT_TRUE(made) << made.error().text();
  const DrawCommand command = textureCommand(**made, {0, 0, 8, 8});
  EXPECT_EQ(draw(*own, Picture(8, 8, secret), {&command, 1}), picture);
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

/** With NV12 imported by either way, in ordinary or in protected memory. */
class FailuresByWay : public Failures, public testing::WithParamInterface<std::tuple<YccImport, bool>> {
protected:
  void SetUp() override {
    Failures::SetUp();
    if (!IsSkipped() && isProtected() && !hasProtectedHeap()) GTEST_SKIP() << "no protected heap";
  }
  static bool isProtected() { return std::get<bool>(GetParam()); }
};

TEST_P(FailuresByWay, everyCallMayFailOnceAndNothingIsLeftBehind) {
  TestBuffer video = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  TestBuffer background = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  const Picture picture(8, 8, grey);
  auto own = newRenderer(true, std::get<YccImport>(GetParam()));
  // A GPU without protected memory draws placeholders, into ordinary memory.
  const bool intoProtected = isProtected() && own->device().gpu.protectedMemory;
  const Dmabuf from = isProtected() ? protectedTwin(video) : *video.dmabuf().duplicate();
  const Dmabuf to = intoProtected ? protectedTwin(background) : *background.dmabuf().duplicate();
  ASSERT_TRUE(everything(*own, from, to, picture));
  own->waitIdle();
  for (const char* function : failingCalls) {
    for (const VkResult error : failuresOf(function)) {
      bool happened = true;
      for (unsigned skip = 0; happened; ++skip) {
        const std::string call = std::format("{} {} {}", function, skip, vulkan::vkResultName(error));
        const auto failAndRecover = [&] {
          failCall(function, error, skip);
          const auto result = everything(*own, from, to, picture);
          happened = failureHappened();
          own->waitIdle();
          if (happened) {
            expectRecovered(*own, from, to, result, call);
            if (!result) expectTold(result.error(), function, error, call);
          } else {
            EXPECT_TRUE(result) << call << ": " << result.error().text();
          }
        };
        expectSettles(failAndRecover, call);
      }
    }
  }
  if (intoProtected) copyBack(to, background);
  EXPECT_EQ(background.picture().at(4, 4), grey) << "the upload, drawn last";
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

INSTANTIATE_TEST_SUITE_P(Ways, FailuresByWay,
                         testing::Combine(testing::Values(YccImport::PlaneByPlane, YccImport::OneImage),
                                          testing::Bool()),
                         [](const auto& chosen) {
                           const bool oneImage = std::get<YccImport>(chosen.param) == YccImport::OneImage;
                           const bool inProtected = std::get<bool>(chosen.param);
                           return std::string(oneImage ? "OneImage" : "PlaneByPlane") +
                                  (inProtected ? "Protected" : "");
                         });

TEST_F(Failures, aSamplerMayFailToBeMadeAndIsMadeLater) {
  struct Call {
    const char* function;
    unsigned times; ///< that the first import as one image, or the first target after it, makes it
  };
  // The target's ten pipelines come after the import, and two for the sampler with them.
  constexpr Call calls[] = {{"vkCreateSamplerYcbcrConversion", 1}, {"vkCreateSampler", 1},
                            {"vkCreateDescriptorSetLayout", 1},    {"vkCreatePipelineLayout", 1},
                            {"vkCreateDescriptorPool", 1},         {"vkCreateGraphicsPipelines", 12}};
  TestBuffer from = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  TestBuffer to = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  for (const auto& [function, times] : calls) {
    // What is made is kept, so each failure needs a renderer of its own.
    for (unsigned skip = 0; skip < times; ++skip) {
      const int64_t objects = driverCalls().liveObjects;
      auto own = newRenderer(true, YccImport::OneImage);
      failCall(function, VK_ERROR_OUT_OF_DEVICE_MEMORY, skip);
      const auto result = everything(*own, from.dmabuf(), to.dmabuf(), Picture(8, 8, grey));
      EXPECT_TRUE(failureHappened()) << function << " " << skip;
      expectRecovered(*own, from.dmabuf(), to.dmabuf(), result, std::format("{} {}", function, skip));
      EXPECT_EQ(own->counters().validationMessages, 0U);
      own.reset();
      EXPECT_EQ(driverCalls().liveObjects, objects) << function << " " << skip;
    }
  }
}

TEST_F(Failures, aFrameMayFailToBeMadeAndIsMadeLater) {
  TestBuffer from = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  TestBuffer to = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  for (const char* function : {"vkCreateCommandPool", "vkAllocateCommandBuffers", "vkCreateSemaphore"}) {
    const int64_t objects = driverCalls().liveObjects;
    auto own = newRenderer(true); // frames are kept, too
    failCall(function, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const auto result = everything(*own, from.dmabuf(), to.dmabuf(), Picture(8, 8, grey));
    EXPECT_TRUE(failureHappened()) << function;
    expectRecovered(*own, from.dmabuf(), to.dmabuf(), result, function);
    EXPECT_EQ(own->counters().validationMessages, 0U);
    own.reset();
    EXPECT_EQ(driverCalls().liveObjects, objects) << function;
  }
}

TEST_F(Failures, aSamplerComesToAllTargetsOrToNone) {
  TestBuffer from = *TestBuffer::create({32, 32}, DRM_FORMAT_NV12);
  TestBuffer first = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XRGB8888);
  TestBuffer second = TestBuffer::from(Picture(32, 32), DRM_FORMAT_XBGR8888);
  const auto own = newRenderer(true, YccImport::OneImage);
  auto one = own->importTarget(first.dmabuf());
  auto other = own->importTarget(second.dmabuf()); // another VkFormat
  ASSERT_TRUE(one && other);
  for (const unsigned skip : {0U, 1U, 1U, 1U}) { // two pipelines for each, and each fails once; those made before stay
    failCall("vkCreateGraphicsPipelines", VK_ERROR_OUT_OF_DEVICE_MEMORY, skip);
    const auto failed = own->import(from.dmabuf());
    EXPECT_TRUE(failureHappened()) << skip;
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().operation, "vkCreateGraphicsPipelines");
  }
  const auto source = own->import(from.dmabuf());
  ASSERT_TRUE(source) << source.error().text();
  const DrawCommand command = textureCommand(**source, {0, 0, 32, 32});
  for (RenderTarget* target : {one->get(), other->get()}) {
    EXPECT_TRUE(own->compose(*target, {&command, 1}, {&command.destination, 1}, {}));
  }
  own->waitIdle();
  EXPECT_EQ(first.picture().at(9, 9)[0], second.picture().at(9, 9)[2]);
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

TEST_F(Failures, aDescriptorSetThatWasNotMadeTakesNoRoom) {
  constexpr int more = 200; ///< than a pool has room for
  const auto own = newRenderer(false);
  TestBuffer from = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
  ASSERT_TRUE(own->import(from.dmabuf()));
  const int64_t objects = driverCalls().liveObjects;
  for (int i = 0; i < more; ++i) {
    failCall("vkAllocateDescriptorSets", VK_ERROR_OUT_OF_DEVICE_MEMORY);
    ASSERT_FALSE(own->import(from.dmabuf()));
  }
  ASSERT_TRUE(own->import(from.dmabuf()));
  EXPECT_EQ(driverCalls().liveObjects, objects) << "another pool was made";
}

TEST_F(Failures, anUploadThatNeverGotThereIsNotShown) {
  constexpr Rect all{0, 0, 16, 16};
  const auto own = newRenderer(true);
  TestBuffer to = TestBuffer::from(Picture(16, 16, secret), DRM_FORMAT_XRGB8888);
  const Picture picture(16, 16, grey);
  auto target = own->importTarget(to.dmabuf());
  ASSERT_TRUE(target);
  for (const char* function : {"vkQueueSubmit", "vkEndCommandBuffer"}) {
    auto uploaded = own->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
    ASSERT_TRUE(uploaded);
    const DrawCommand command = textureCommand(**uploaded, all);
    failCall(function, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_FALSE(own->compose(**target, {&command, 1}, {&all, 1}, {})) << function;
    EXPECT_TRUE((*uploaded)->contentLost()) << function;
    ASSERT_TRUE(own->compose(**target, {&command, 1}, {&all, 1}, {}));
    own->waitIdle();
    expectPlaceholder(to.picture(), all);
    const auto updated = own->update(**uploaded, picture.strideBytes(), picture.bytes(), {&all, 1});
    ASSERT_FALSE(updated);
    EXPECT_NE(updated.error().text().find("upload it again"), std::string::npos) << updated.error().text();
    std::vector<std::byte> pixels(16 * 16 * 4);
    EXPECT_FALSE(own->readPixels(**uploaded, all, DRM_FORMAT_ARGB8888, 64, pixels));
  }
  auto uploaded = own->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(uploaded);
  const DrawCommand command = textureCommand(**uploaded, all);
  ASSERT_TRUE(own->compose(**target, {&command, 1}, {&all, 1}, {}));
  own->waitIdle();
  EXPECT_FALSE((*uploaded)->contentLost());
  EXPECT_EQ(to.picture().at(8, 8), grey);
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

/** That the silence of the validation layer elsewhere means something. */
TEST_F(Failures, theValidationLayerSpeaksWhereBarriersAreWrong) {
  constexpr Rect all{0, 0, 16, 16};
  const Picture picture(16, 16, grey);
  for (const auto& [what, words] :
       {std::pair{Barriers::Weakened, "hazard detected"}, {Barriers::Dropped, "doesn't match"}}) {
    std::ostringstream said;
    log("vulkan").sinks().push_back(std::make_shared<spdlog::sinks::ostream_sink_mt>(said));
    const auto own = newRenderer(true);
    TestBuffer to = TestBuffer::from(Picture(16, 16), DRM_FORMAT_XRGB8888);
    const auto target = own->importTarget(to.dmabuf());
    ASSERT_TRUE(target);
    setBarriers(what);
    const auto uploaded = own->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
    ASSERT_TRUE(uploaded);
    const DrawCommand command = textureCommand(**uploaded, all);
    EXPECT_TRUE(own->compose(**target, {&command, 1}, {&all, 1}, {}));
    setBarriers(Barriers::Kept);
    own->waitIdle();
    log("vulkan").sinks().pop_back();
    EXPECT_GT(own->counters().validationMessages, 0U) << words;
    EXPECT_TRUE(said.str().contains(words)) << said.str();
  }
}

TEST_F(Failures, aFrameIsNotTakenForDoneWhereTheDriverCannotSay) {
  constexpr Rect all{0, 0, 512, 512};
  const auto own = newRenderer(true);
  TestBuffer to = TestBuffer::from(Picture(512, 512, grey), DRM_FORMAT_XRGB8888);
  const auto target = own->importTarget(to.dmabuf());
  ASSERT_TRUE(target);
  const DrawCommand command{.destination = all};
  ASSERT_TRUE(own->compose(**target, {&command, 1}, {&all, 1}, {}));
  for (int frame = 0; frame < 4; ++frame) {
    failCalls("vkGetSemaphoreCounterValue", {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY});
    ASSERT_TRUE(own->compose(**target, {&command, 1}, {&all, 1}, {}));
    EXPECT_TRUE(failureHappened());
  }
  own->waitIdle();
  EXPECT_EQ(own->counters().validationMessages, 0U) << "a command pool in use was reset";
}

TEST_F(Failures, creationFailsWithWords) {
  unsigned failures = 0;
  for (const char* function : failingCalls) {
    bool happened = true;
    for (unsigned skip = 0; happened; ++skip) {
      const std::string call = std::format("{} {}", function, skip);
      const auto create = [&] {
        failCall(function, VK_ERROR_OUT_OF_HOST_MEMORY, skip);
        const auto made = Renderer::create({});
        happened = failureHappened();
        EXPECT_NE(made.has_value(), happened) << call;
        if (!made) {
          EXPECT_NE(made.error().text().find("VK_ERROR_OUT_OF_HOST_MEMORY"), std::string::npos) << made.error().text();
        }
      };
      expectSettles(create, call);
      failures += happened ? 1 : 0;
    }
  }
  EXPECT_GE(failures, 5U) << "a renderer is made of that many things at least";
  const auto none = Renderer::create({.deviceName = "no such device"});
  ASSERT_FALSE(none);
  EXPECT_EQ(refusalOf(none.error(), Refusal::None), Refusal::GpuAbsent);
  EXPECT_NE(none.error().text().find("is not `no such device`"), std::string::npos) << none.error().text();
}

TEST_F(Failures, lostDeviceIsToldByItsNumber) {
  const auto own = newRenderer(false);
  TestBuffer buffer = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
  const auto drawn = own->importTarget(buffer.dmabuf());
  ASSERT_TRUE(drawn);
  failCall("vkQueueSubmit", VK_ERROR_DEVICE_LOST);
  const DrawCommand command{.destination = {0, 0, 16, 16}};
  const auto result = own->compose(**drawn, {&command, 1}, {&command.destination, 1}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::Vulkan);
  EXPECT_EQ(result.error().number, VK_ERROR_DEVICE_LOST);
  failCall("vkAllocateMemory", VK_ERROR_DEVICE_LOST);
  const auto import = own->import(buffer.dmabuf());
  ASSERT_FALSE(import);
  EXPECT_EQ(import.error().kind, ErrorKind::Vulkan);
  EXPECT_EQ(import.error().number, VK_ERROR_DEVICE_LOST);
  failCall("vkAllocateMemory", VK_ERROR_INVALID_EXTERNAL_HANDLE);
  const auto refusedImport = own->import(buffer.dmabuf());
  ASSERT_FALSE(refusedImport);
  EXPECT_EQ(refusalOf(refusedImport.error(), Refusal::None), Refusal::GpuImportFailed);
  EXPECT_NE(refusedImport.error().text().find("VK_ERROR_INVALID_EXTERNAL_HANDLE"), std::string::npos);
}

TEST_F(Failures, afterAResetEverythingIsMadeAgain) {
  const auto own = newRenderer(true);
  TestBuffer from = TestBuffer::from(Picture(16, 16, secret), DRM_FORMAT_XRGB8888);
  TestBuffer to = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
  const Picture picture(16, 16, grey);
  constexpr Rect all{0, 0, 16, 16};
  auto texture = own->import(from.dmabuf());
  auto target = own->importTarget(to.dmabuf());
  auto uploaded = own->upload(picture.size(), DRM_FORMAT_XRGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(texture && target && uploaded);
  const auto draw = [&](RenderTarget& into, const Texture& what) {
    const DrawCommand command = textureCommand(what, all);
    auto done = own->compose(into, {&command, 1}, {&all, 1}, {});
    own->waitIdle();
    return done;
  };
  failCall("vkQueueSubmit", VK_ERROR_DEVICE_LOST);
  const auto lost = draw(**target, **texture);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(isDeviceLost(lost.error()));
  const auto fds = openFds();
  const RendererCounters before = own->counters();
  ASSERT_TRUE(own->recover());
  EXPECT_EQ(own->generation(), 2U);
  EXPECT_GE(own->counters().submits, before.submits) << "counters go on";

  EXPECT_FALSE(draw(**target, **texture)) << "a target of before the reset";
  EXPECT_FALSE(own->update(**uploaded, picture.strideBytes(), picture.bytes(), {&all, 1}));
  auto freshTarget = own->importTarget(to.dmabuf());
  ASSERT_TRUE(freshTarget);
  ASSERT_TRUE(draw(**freshTarget, **texture));
  expectPlaceholder(to.picture(), all);
  auto freshTexture = own->import(from.dmabuf());
  ASSERT_TRUE(freshTexture);
  ASSERT_TRUE(draw(**freshTarget, **freshTexture));
  EXPECT_EQ(to.picture().at(8, 8), secret);
  texture->reset();
  target->reset();
  uploaded->reset();
  freshTexture->reset();
  freshTarget->reset();
  EXPECT_LE(openFds().size(), fds.size()) << "the lost device keeps nothing open";
  EXPECT_EQ(own->counters().validationMessages, 0U);
}

TEST_F(Failures, recoveringMayItselfFailAndBeTriedAgain) {
  const auto own = newRenderer(false);
  failCall("vkCreateDevice", VK_ERROR_INITIALIZATION_FAILED);
  EXPECT_FALSE(own->recover());
  EXPECT_TRUE(failureHappened());
  EXPECT_EQ(own->generation(), 1U);
  TestBuffer buffer = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
  EXPECT_TRUE(own->importTarget(buffer.dmabuf())) << "nothing has changed";
  EXPECT_TRUE(own->recover());
  EXPECT_EQ(own->generation(), 2U);
}

} // namespace
} // namespace vitrine::test
