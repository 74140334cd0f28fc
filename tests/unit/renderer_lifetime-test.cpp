#include <drm_fourcc.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "protected-path/dmabuf/sync_file.h"
#include "tests/unit/allocation_counter.h"
#include "tests/unit/open_fds.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/settles.h"
#include "tests/unit/vulkan_interposer.h"

// The lifetime of the renderer's objects, and its waits.

namespace vitrine::test {
namespace {

constexpr Picture::Pixel grey{0x80, 0x80, 0x80, 0xff};
constexpr Picture::Pixel secret{0x12, 0x34, 0x56, 0xff};

class Uploads : public RendererTest {};
class Fences : public RendererTest {};
class Lifetime : public RendererTest {};

TEST_F(Uploads, drawsAndUpdatesRegions) {
  Picture picture = testPicture(45, 35, 11, true);
  auto source = renderer().upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(source) << source.error().text();
  const DrawCommand command = textureCommand(**source, {0, 0, 45, 35});
  EXPECT_EQ(draw(Picture(45, 35), {&command, 1}), picture);

  const Picture other = testPicture(45, 35, 12, true);
  const Rect changed[] = {{3, 4, 10, 5}, {40, 30, 50, 50}, {0, 0, 0, 7}};
  ASSERT_TRUE(renderer().update(**source, other.strideBytes(), other.bytes(), changed));
  for (int y = 0; y < 35; ++y) {
    for (int x = 0; x < 45; ++x) {
      if (std::ranges::any_of(changed, [&](const Rect& box) { return box.contains({x, y, 1, 1}); })) {
        picture.at(x, y) = other.at(x, y);
      }
    }
  }
  EXPECT_EQ(draw(Picture(45, 35), {&command, 1}), picture);
}

TEST_F(Uploads, goToTheGpuWithThePassThatNeedsThem) {
  const Picture picture = testPicture(16, 16, 13, true);
  TestBuffer buffer = TestBuffer::from(Picture(16, 16), DRM_FORMAT_ARGB8888);
  const auto drawn = target(buffer);
  renderer().waitIdle();
  const uint64_t before = driverCalls().queueSubmits;
  auto source = renderer().upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(source);
  EXPECT_EQ(driverCalls().queueSubmits, before);
  const DrawCommand command = textureCommand(**source, {0, 0, 16, 16});
  compose(*drawn, {&command, 1}, {&command.destination, 1});
  EXPECT_EQ(driverCalls().queueSubmits, before + 1);
  EXPECT_EQ(buffer.picture(), picture);
}

TEST_F(Uploads, refuseWhatDoesNotFit) {
  const Picture picture(16, 16);
  const auto refusal = [&](Size size, uint32_t fourcc, uint32_t stride) {
    const auto result = renderer().upload(size, fourcc, stride, picture.bytes());
    return result ? Refusal::None : refusalOf(result.error(), Refusal::None);
  };
  EXPECT_EQ(refusal({16, 17}, DRM_FORMAT_ARGB8888, 64), Refusal::LayoutOutOfBounds);
  EXPECT_EQ(refusal({16, 16}, DRM_FORMAT_ARGB8888, 63), Refusal::StrideTooSmall);
  EXPECT_EQ(refusal({0, 16}, DRM_FORMAT_ARGB8888, 64), Refusal::SizeInvalid);
  EXPECT_EQ(refusal({16, 16}, DRM_FORMAT_NV12, 64), Refusal::GpuFormatUnsupported);
}

TEST_F(Uploads, readBackAsAnyOrder) {
  const Picture picture = testPicture(20, 10, 14, false);
  TestBuffer buffer = TestBuffer::from(picture, DRM_FORMAT_ARGB8888);
  const auto drawn = target(buffer);
  const auto source = texture(buffer);
  for (const bool fromTarget : {false, true}) {
    for (const bool swapped : {false, true}) {
      Picture result(7, 5);
      const auto bytes = std::as_writable_bytes(std::span(result.pixels));
      const uint32_t fourcc = swapped ? DRM_FORMAT_ABGR8888 : DRM_FORMAT_ARGB8888;
      const auto read = fromTarget ? renderer().readPixels(*drawn, {3, 2, 7, 5}, fourcc, 28, bytes)
                                   : renderer().readPixels(*source, {3, 2, 7, 5}, fourcc, 28, bytes);
      ASSERT_TRUE(read) << read.error().text();
      for (int y = 0; y < 5; ++y) {
        for (int x = 0; x < 7; ++x) {
          Picture::Pixel expected = picture.at(x + 3, y + 2);
          if (swapped) std::swap(expected[0], expected[2]);
          ASSERT_EQ(result.at(x, y), expected) << x << "," << y;
        }
      }
    }
  }
  std::vector<std::byte> pixels(64);
  const auto outside = renderer().readPixels(*drawn, {18, 0, 4, 4}, DRM_FORMAT_ARGB8888, 16, pixels);
  ASSERT_FALSE(outside);
  EXPECT_EQ(refusalOf(outside.error(), Refusal::None), Refusal::SizeInvalid);
}

/** The kernel's own software timeline (Documentation: drivers/dma-buf/sw_sync.c). */
class SoftwareTimeline {
public:
  SoftwareTimeline() : fd_(open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC)) {}
  explicit operator bool() const { return fd_.isValid(); }
  UniqueFd fence(uint32_t value) const {
    struct {
      uint32_t value;
      char name[32];
      int32_t fence;
    } request{value, "test", -1};
    return UniqueFd(ioctl(fd_.get(), _IOWR('W', 0, decltype(request)), &request) == 0 ? request.fence : -1);
  }
  void advance() const {
    uint32_t by = 1;
    EXPECT_EQ(ioctl(fd_.get(), _IOW('W', 1, uint32_t), &by), 0);
  }

private:
  UniqueFd fd_;
};

std::atomic<bool> submitted = false;

TEST_F(Fences, gpuWaitsForTheAcquireFence) {
  const SoftwareTimeline timeline;
  if (!timeline) GTEST_SKIP() << "no /sys/kernel/debug/sync/sw_sync";
  TestBuffer from = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
  TestBuffer to = TestBuffer::from(Picture(16, 16), DRM_FORMAT_XRGB8888);
  const auto source = texture(from);
  const auto drawn = target(to);
  UniqueFd fences[] = {timeline.fence(1), UniqueFd()};
  ASSERT_TRUE(fences[0]);
  submitted = false;
  setSubmitHook([] { submitted = true; });
  // The producer writes only after the pass has been submitted, and then signals.
  std::thread producer([&] {
    while (!submitted)
      std::this_thread::yield();
    from.fill(Picture(16, 16, secret));
    timeline.advance();
  });
  const DrawCommand command = textureCommand(*source, {0, 0, 16, 16});
  const uint64_t waitedBefore = driverCalls().semaphoresWaited;
  auto fence = renderer().compose(*drawn, {&command, 1}, {&command.destination, 1}, fences);
  producer.join();
  EXPECT_EQ(driverCalls().semaphoresWaited, waitedBefore + 1);
  setSubmitHook(nullptr);
  ASSERT_TRUE(fence) << fence.error().text();
  renderer().waitIdle();
  EXPECT_FALSE(fences[0]);
  EXPECT_EQ(to.picture(), Picture(16, 16, secret));
  if (*fence) {
    const auto signalled = syncFileSignalled(fence->get());
    ASSERT_TRUE(signalled);
    EXPECT_TRUE(*signalled);
  }
}

TEST_F(Fences, passesOrderOneAnother) {
  // There is no wait in between, so the validation layer's synchronisation checks test the barriers.
  TestBuffer buffer = TestBuffer::from(Picture(32, 32, grey), DRM_FORMAT_XRGB8888);
  TestBuffer from = TestBuffer::from(Picture(32, 32, secret), DRM_FORMAT_XRGB8888);
  const auto drawn = target(buffer);
  const auto source = texture(from);
  Picture picture = testPicture(16, 16, 19, true);
  auto uploaded = renderer().upload(picture.size(), DRM_FORMAT_XRGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(uploaded);
  const Rect everywhere{0, 0, 32, 32};
  const Rect changed{0, 0, 16, 16};
  const DriverCalls before = driverCalls();
  for (int i = 0; i < 4; ++i) {
    const DrawCommand commands[] = {textureCommand(*source, everywhere), textureCommand(**uploaded, changed)};
    ASSERT_TRUE(renderer().compose(*drawn, commands, {&everywhere, 1}, {}));
    picture = testPicture(16, 16, 30 + static_cast<unsigned>(i), true);
    ASSERT_TRUE(renderer().update(**uploaded, picture.strideBytes(), picture.bytes(), {&changed, 1}));
  }
  Picture read(32, 32);
  const auto bytes = std::as_writable_bytes(std::span(read.pixels));
  ASSERT_TRUE(renderer().readPixels(*drawn, everywhere, DRM_FORMAT_XRGB8888, 128, bytes));
  EXPECT_EQ(read.at(20, 20), secret);
  // Four passes with one foreign target and one foreign texture each, and the read-back of the target.
  EXPECT_EQ(driverCalls().foreignAcquires - before.foreignAcquires, 4U * 2 + 1);
  EXPECT_EQ(driverCalls().foreignReleases - before.foreignReleases, 4U * 2 + 1);
}

TEST_F(Fences, oneThatCameAfterTheImportHoldsNobodyUp) {
  const SoftwareTimeline timeline;
  if (!timeline) GTEST_SKIP() << "no /sys/kernel/debug/sync/sw_sync";
  TestBuffer from = TestBuffer::from(Picture(16, 16, secret), DRM_FORMAT_XRGB8888);
  const auto source = texture(from);
  const UniqueFd fence = timeline.fence(1);
  ASSERT_TRUE(importSyncFile(from.dmabuf().plane(0).fd.get(), fence.get(), FenceUse::Write));
  const DrawCommand command = textureCommand(*source, {0, 0, 16, 16});
  const Picture meanwhile = draw(Picture(16, 16, grey), {&command, 1});
  // A GPU waits by itself if its driver knows implicit fences. The CPU would stop the whole process.
  if (!renderer().device().gpu.present) expectPlaceholder(meanwhile, {0, 0, 16, 16});
  timeline.advance();
  EXPECT_EQ(draw(Picture(16, 16, grey), {&command, 1}), Picture(16, 16, secret));
}

TEST_F(Fences, whatIsNoSyncFileIsAnErrorAndIsTaken) {
  TestBuffer buffer = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
  const auto drawn = target(buffer);
  UniqueFd fences[] = {UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC)),
                       UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC))};
  failCall("vkImportSemaphoreFdKHR", VK_ERROR_INVALID_EXTERNAL_HANDLE);
  const DrawCommand command{.destination = {0, 0, 16, 16}};
  const auto result = renderer().compose(*drawn, {&command, 1}, {&command.destination, 1}, fences);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::Vulkan);
  EXPECT_EQ(result.error().number, VK_ERROR_INVALID_EXTERNAL_HANDLE);
  EXPECT_FALSE(fences[0]);
  EXPECT_FALSE(fences[1]);
  EXPECT_EQ(buffer.picture(), Picture(16, 16, grey)) << "nothing was drawn";
}

[[maybe_unused]] uint64_t residentPages() {
  uint64_t all = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident;
}

TEST_F(Lifetime, textureMayGoRightAfterItsPass) {
  TestBuffer to = TestBuffer::from(Picture(64, 64), DRM_FORMAT_XRGB8888);
  auto drawn = target(to);
  Result<UniqueFd> fence;
  {
    TestBuffer from = TestBuffer::from(Picture(64, 64, secret), DRM_FORMAT_XRGB8888);
    const auto source = texture(from);
    const Picture picture = testPicture(32, 64, 15, true);
    const auto uploaded =
        renderer().upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
    ASSERT_TRUE(uploaded);
    const DrawCommand commands[] = {textureCommand(*source, {0, 0, 64, 64}),
                                    textureCommand(**uploaded, {0, 0, 32, 64})};
    fence = renderer().compose(*drawn, commands, {&commands[0].destination, 1}, {});
    drawn.reset();
  }
  ASSERT_TRUE(fence);
  renderer().waitIdle();
  EXPECT_EQ(to.picture().at(40, 40), secret);
}

std::unique_ptr<Texture> goingTexture;
std::unique_ptr<RenderTarget> goingTarget;

TEST_F(Lifetime, whatAPassUsesMayGoBeforeTheDriverHasIt) {
  TestBuffer from = TestBuffer::from(Picture(64, 64, secret), DRM_FORMAT_XRGB8888);
  TestBuffer to = TestBuffer::from(Picture(64, 64), DRM_FORMAT_XRGB8888);
  goingTexture = texture(from);
  goingTarget = target(to);
  const DrawCommand command = textureCommand(*goingTexture, {0, 0, 64, 64});
  setSubmitHook([] {
    goingTexture.reset();
    goingTarget.reset();
  });
  const auto fence = renderer().compose(*goingTarget, {&command, 1}, {&command.destination, 1}, {});
  setSubmitHook(nullptr);
  ASSERT_TRUE(fence) << fence.error().text();
  renderer().waitIdle();
  EXPECT_EQ(to.picture(), Picture(64, 64, secret));
}

TEST_F(Lifetime, anUploadThatWasNeverDrawnMayGo) {
  const Picture picture = testPicture(32, 32, 16, true);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(renderer().upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes()));
  }
  renderer().waitIdle();
}

TEST_F(Lifetime, noFdIsLeftBehind) {
  const auto cycle = [] {
    TestBuffer from = *TestBuffer::create({64, 64}, DRM_FORMAT_NV12);
    TestBuffer to = TestBuffer::from(Picture(64, 64), DRM_FORMAT_XRGB8888);
    const auto source = texture(from);
    const auto drawn = target(to);
    const DrawCommand command = textureCommand(*source, {0, 0, 64, 64});
    compose(*drawn, {&command, 1}, {&command.destination, 1});
  };
  const auto thirty = [&] {
    const DriverCalls calls = driverCalls();
    for (int i = 0; i < 30; ++i)
      cycle();
    EXPECT_EQ(driverCalls().memoryImports - calls.memoryImports, 30U * 3);
    EXPECT_EQ(driverCalls().queueSubmits - calls.queueSubmits, 30U);
  };
  expectSettles(thirty, "30 imports");
}

TEST_F(Lifetime, aThousandFramesAllocateNothing) {
  // A renderer of its own, without the validation layer, which allocates memory at any time.
  const auto own = newRenderer(false);
  ASSERT_TRUE(own);
  TestBuffer from = TestBuffer::from(testPicture(64, 64, 17, true), DRM_FORMAT_XRGB8888);
  TestBuffer to = TestBuffer::from(Picture(128, 128), DRM_FORMAT_XRGB8888);
  const auto source = own->import(from.dmabuf());
  const auto drawn = own->importTarget(to.dmabuf());
  const Picture picture = testPicture(32, 32, 18, true);
  const auto uploaded = own->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
  ASSERT_TRUE(source && drawn && uploaded);
  const DrawCommand commands[] = {{.destination = {0, 0, 128, 128}, .color = {0, 0, 1, 1}},
                                  textureCommand(**source, {0, 0, 64, 64}),
                                  textureCommand(**uploaded, {64, 64, 32, 32}),
                                  {.kind = DrawCommand::Kind::Placeholder, .destination = {64, 0, 64, 64}}};
  const Rect changed{0, 0, 32, 8};
  const Rect damage[] = {{0, 0, 128, 64}, {64, 64, 64, 64}};
  const auto frames = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(own->update(**uploaded, picture.strideBytes(), picture.bytes(), {&changed, 1}));
      ASSERT_TRUE(own->compose(**drawn, commands, damage, {}));
    }
  };
  // Each frame in flight allocates on first use, and their number depends on the GPU. After at most that many rounds, a
  // round must allocate nothing. With a leak per frame, that never happens.
  uint64_t ours = 1;
  uint64_t drivers = 1;
  for (int round = 0; round < 12 && ours + drivers != 0; ++round) {
    const uint64_t oursBefore = allocationCount();
    const uint64_t driversBefore = own->counters().allocations;
    frames(100);
    ours = allocationCount() - oursBefore;
    drivers = own->counters().allocations - driversBefore;
  }
  EXPECT_EQ(ours, 0U) << "operator new during update() and compose()";
  EXPECT_EQ(drivers, 0U) << "vkAllocateMemory";
#ifdef __SANITIZE_ADDRESS__ // its quarantine keeps freed memory
  frames(1000);
#else
  const uint64_t pages = residentPages();
  frames(1000);
  EXPECT_LE(residentPages(), pages + 64) << "resident pages";
#endif
  const auto hundred = [&] {
    frames(100);
    own->waitIdle();
  };
  expectSettles(hundred, "a hundred frames");
}

TEST_F(Lifetime, importsOfEitherWayLeaveNothing) {
  TestBuffer from = *TestBuffer::create({64, 64}, DRM_FORMAT_NV12);
  TestBuffer to = TestBuffer::from(Picture(64, 64), DRM_FORMAT_XRGB8888);
  for (const YccImport way : {YccImport::PlaneByPlane, YccImport::OneImage}) {
    const auto own = newRenderer(true, way);
    const auto drawn = own->importTarget(to.dmabuf());
    ASSERT_TRUE(drawn);
    const auto round = [&] {
      std::vector<std::unique_ptr<Texture>> held;
      for (int i = 0; i < 70; ++i) { // more than one pool of descriptors holds
        auto source = own->import(from.dmabuf());
        ASSERT_TRUE(source) << source.error().text();
        held.push_back(std::move(*source));
      }
      const DrawCommand commands[] = {textureCommand(*held.front(), {0, 0, 32, 64}),
                                      textureCommand(*held.back(), {32, 0, 32, 64})};
      const Rect all{0, 0, 64, 64};
      ASSERT_TRUE(own->compose(**drawn, commands, {&all, 1}, {}));
      held.clear();
      own->waitIdle();
    };
    expectSettles(round, "70 imports");
    EXPECT_EQ(own->counters().validationMessages, 0U);
  }
}

TEST_F(Lifetime, aSamplerMayOutliveItsRenderer) {
  const int64_t objects = driverCalls().liveObjects;
  TestBuffer buffer = *TestBuffer::create({16, 16}, DRM_FORMAT_NV12);
  auto own = newRenderer(true, YccImport::OneImage);
  auto first = own->import(buffer.dmabuf());
  auto second = own->import(buffer.dmabuf());
  ASSERT_TRUE(first && second);
  own.reset();
  first->reset();
  EXPECT_GT(driverCalls().liveObjects, objects) << "the second still has its sampler";
  second->reset();
  EXPECT_EQ(driverCalls().liveObjects, objects);
}

TEST_F(Lifetime, texturesMayOutliveTheirRenderer) {
  const auto before = openFds();
  {
    auto own = newRenderer(true);
    TestBuffer buffer = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_XRGB8888);
    const Picture picture(8, 8);
    auto imported = own->import(buffer.dmabuf());
    auto uploaded = own->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
    auto drawn = own->importTarget(buffer.dmabuf());
    ASSERT_TRUE(imported && uploaded && drawn);
    own.reset();
  }
  EXPECT_LE(openFds().size(), before.size());
}

} // namespace
} // namespace vitrine::test
