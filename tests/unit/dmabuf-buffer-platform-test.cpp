#include <drm_fourcc.h>
#include <fcntl.h>
#include <poll.h>
#include <xf86drm.h>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "compositor/render/dmabuf_buffer.h"
#include "compositor/render/renderer_adapter.h"
#include "protected-path/dmabuf/sync_file.h"
#include "tests/clients/late_gpu.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

// A client's buffer in the compositor: what it remembers of its imports, and whom it waits for.

namespace vitrine::test {
namespace {

class BufferImports : public RendererTest {
protected:
  void SetUp() override {
    RendererTest::SetUp();
    if (IsSkipped()) return;
    TestBuffer memory = TestBuffer::from(Picture(16, 16), DRM_FORMAT_XRGB8888);
    auto copy = memory.dmabuf().duplicate();
    ASSERT_TRUE(copy) << copy.error().text();
    buffer_ = DmabufBuffer::create(std::move(*copy));
  }
  void TearDown() override {
    if (buffer_ != nullptr) wlr_buffer_drop(buffer_->base());
    RendererTest::TearDown();
  }
  DmabufBuffer* buffer_ = nullptr;
};

TEST_F(BufferImports, OneThatFailedForWantOfMemoryIsTriedAgain) {
  const auto own = newRenderer(true);
  failCall("vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_FALSE(buffer_->texture(*own));
  failCall("vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_FALSE(buffer_->target(*own));
  const auto& texture = buffer_->texture(*own);
  ASSERT_TRUE(texture) << texture.error().text();
  const auto& target = buffer_->target(*own);
  ASSERT_TRUE(target) << target.error().text();
  const DriverCalls before = driverCalls();
  EXPECT_EQ(buffer_->texture(*own)->get(), texture->get());
  EXPECT_EQ(driverCalls().memoryImports, before.memoryImports) << "imported once";
}

TEST_F(BufferImports, ARefusalIsTheLastWord) {
  const auto own = newRenderer(true);
  failCall("vkAllocateMemory", VK_ERROR_INVALID_EXTERNAL_HANDLE);
  EXPECT_FALSE(buffer_->texture(*own));
  const DriverCalls before = driverCalls();
  ASSERT_FALSE(buffer_->texture(*own));
  EXPECT_EQ(refusalOf(buffer_->texture(*own).error(), Refusal::None), Refusal::GpuImportFailed);
  EXPECT_EQ(driverCalls().memoryImports, before.memoryImports) << "not asked again";
}

TEST_F(BufferImports, ATargetIsTriedAgainEvenIfItWasRefused) {
  const auto own = newRenderer(true);
  failCall("vkAllocateMemory", VK_ERROR_INVALID_EXTERNAL_HANDLE);
  EXPECT_FALSE(buffer_->target(*own));
  const auto& target = buffer_->target(*own);
  ASSERT_TRUE(target) << target.error().text();
}

UniqueFd copyOfFd(TestBuffer& buffer) {
  return duplicateFd(buffer.dmabuf().plane(0).fd.get()).value_or(UniqueFd());
}

/** Of a buffer whose GPU is late. */
class LateFences : public BufferImports {
protected:
  void SetUp() override {
    BufferImports::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto gpu = LateGpu::start();
    ASSERT_TRUE(gpu) << gpu.error().text();
    gpu_.emplace(std::move(*gpu));
  }
  /** Whether somebody who wants to use the buffer like this has nothing to wait for. */
  bool isFreeFor(FenceUse use) const {
    const auto fence = exportSyncFile(buffer_->dmabuf().plane(0).fd.get(), use);
    EXPECT_TRUE(fence) << fence.error().text();
    return fence && syncFileSignalled(fence->get()).value_or(false);
  }
  std::optional<LateGpu> gpu_;
};

TEST_F(LateFences, AClientMayWriteWhenTheGpuHasRead) {
  buffer_->fences().readUntil(gpu_->fence());
  buffer_->fences().released();
  EXPECT_TRUE(isFreeFor(FenceUse::Read));
  EXPECT_FALSE(isFreeFor(FenceUse::Write));
  ASSERT_TRUE(gpu_->finish());
  EXPECT_TRUE(isFreeFor(FenceUse::Write));
}

TEST_F(LateFences, AClientMayReadWhenTheGpuHasWritten) {
  buffer_->fences().writtenUntil(gpu_->fence());
  EXPECT_FALSE(isFreeFor(FenceUse::Read));
  ASSERT_TRUE(gpu_->finish());
  EXPECT_TRUE(isFreeFor(FenceUse::Read));
}

TEST_F(LateFences, AllDmabufsOfABufferCount) {
  TestBuffer y = TestBuffer::from(Picture(16, 16), DRM_FORMAT_XRGB8888);
  TestBuffer uv = TestBuffer::from(Picture(16, 16), DRM_FORMAT_XRGB8888);
  auto memory = Dmabuf::create({.size = {16, 16},
                                .fourcc = DRM_FORMAT_NV12,
                                .modifier = DRM_FORMAT_MOD_LINEAR,
                                .planeCount = 2,
                                .planes = {{{copyOfFd(y), 0, 64}, {copyOfFd(uv), 0, 64}}}});
  ASSERT_TRUE(memory) << memory.error().text();
  const int second = memory->plane(1).fd.get();
  BufferFences fences(*memory);
  ASSERT_TRUE(importSyncFile(second, gpu_->fence(), FenceUse::Write));
  const auto late = [](const UniqueFd& fence) { return !syncFileSignalled(fence.get()).value_or(true); };
  const auto waits = fences.unsignalled(FenceUse::Read);
  ASSERT_TRUE(waits) << waits.error().text();
  ASSERT_EQ(waits->size(), 1U) << "the chroma is not drawn yet";
  EXPECT_TRUE(late(waits->front()));
  ASSERT_TRUE(gpu_->finish());
  EXPECT_TRUE(fences.unsignalled(FenceUse::Read).value_or(std::vector<UniqueFd>(1)).empty())
      << "no fd for what is over";

  auto reader = LateGpu::start();
  ASSERT_TRUE(reader) << reader.error().text();
  fences.readUntil(reader->fence());
  const auto writer = exportSyncFile(second, FenceUse::Write);
  ASSERT_TRUE(writer) << writer.error().text();
  EXPECT_TRUE(late(*writer)) << "who decodes into the chroma would overtake the GPU";
  EXPECT_TRUE(reader->finish());
}

TEST_F(LateFences, WithoutFileDescriptorsNobodyKnowsTheFences) {
  ASSERT_TRUE(importSyncFile(buffer_->dmabuf().plane(0).fd.get(), gpu_->fence(), FenceUse::Write));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto unknown = buffer_->fences().unsignalled(FenceUse::Read);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().number, EMFILE);
  EXPECT_EQ(buffer_->fences().unsignalled(FenceUse::Read).value_or(std::vector<UniqueFd>()).size(), 1U)
      << "and now again";
  EXPECT_TRUE(gpu_->finish());
}

TEST_F(LateFences, AnAcquirePointIsWatchedUntilItSignals) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint acquire(*timeline, 1);
  const auto event = acquire.watch(); // before it has a fence
  ASSERT_TRUE(event) << event.error().text();
  const auto isReadable = [&](int milliseconds = 0) {
    pollfd polled{event->get(), POLLIN, 0};
    return poll(&polled, 1, milliseconds) == 1;
  };
  EXPECT_FALSE(isReadable());
  ASSERT_TRUE(acquire.signal(gpu_->fence()));
  EXPECT_FALSE(isReadable()) << "it has a fence now, which has not signalled";
  EXPECT_EQ(acquire.hasSignalled().value_or(true), false);
  drmSyncobjReset(device.get(), &timeline->handle, 1); // as a client may at any time
  EXPECT_EQ(acquire.hasSignalled().value_or(true), false);
  EXPECT_FALSE(isReadable());
  ASSERT_TRUE(gpu_->finish());
  EXPECT_TRUE(isReadable(10'000))
      << "it waits for the fence that the point had; the kernel tells of it from an irq_work";
  ASSERT_TRUE(acquire.signal(-1));
  EXPECT_EQ(acquire.hasSignalled().value_or(false), true);
  wlr_drm_syncobj_timeline_unref(timeline);
}

TEST_F(LateFences, APointThatALaterOneImpliesIsForgotten) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  for (uint64_t point = 1; point <= 100; ++point)
    buffer_->fences().synchronise(SyncPoint(*timeline, point));
  EXPECT_EQ(timeline->n_refs, 2U) << "ours, and that of the last point";
  buffer_->fences().released();
  EXPECT_EQ(SyncPoint(*timeline, 100).hasSignalled().value_or(false), true);
  wlr_drm_syncobj_timeline_unref(timeline);
  EXPECT_TRUE(gpu_->finish());
}

TEST_F(LateFences, AReleasePointSignalsWhenTheGpuHasRead) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint release(*timeline, 2);
  buffer_->fences().synchronise(release);
  buffer_->fences().readUntil(gpu_->fence());
  uint64_t last = 0;
  EXPECT_EQ(drmSyncobjQuery2(device.get(), &timeline->handle, &last, 1, DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED), 0);
  EXPECT_EQ(last, 0U) << "it is used still";
  buffer_->fences().released();
  EXPECT_EQ(release.hasSignalled().value_or(true), false);
  ASSERT_TRUE(gpu_->finish());
  EXPECT_EQ(release.hasSignalled().value_or(false), true);
  wlr_drm_syncobj_timeline_unref(timeline);
}

TEST_F(LateFences, AFenceThatCannotBeHandedOnIsWaitedFor) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint release(*timeline, 2);
  buffer_->fences().synchronise(release);
  wlr_drm_syncobj_timeline_unref(timeline);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{1, before.rlim_max}; // poll() takes no more entries than this
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(gpu_->finish());
  });
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  buffer_->fences().readUntil(gpu_->fence());
  const bool over = syncFileSignalled(gpu_->fence()).value_or(false);
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  later.join();
  EXPECT_TRUE(over) << "its release point could not have signalled with it";
  buffer_->fences().released();
  EXPECT_TRUE(release.hasSignalled().value_or(false));
}

TEST_F(LateFences, ARenderPassOfWlrootsFailsWhileSomebodyReadsItsTarget) {
  wlr_renderer* adapter = RendererAdapter::create(renderer());
  const auto draw = [&] {
    wlr_render_pass* pass = wlr_renderer_begin_buffer_pass(adapter, buffer_->base(), nullptr);
    const wlr_render_rect_options rect{.box = {0, 0, 4, 4}, .color = {1, 1, 1, 1}};
    wlr_render_pass_add_rect(pass, &rect);
    return wlr_render_pass_submit(pass);
  };
  ASSERT_TRUE(importSyncFile(buffer_->dmabuf().plane(0).fd.get(), gpu_->fence(), FenceUse::Read));
  const uint64_t before = driverCalls().semaphoresWaited;
  EXPECT_FALSE(draw());
  ASSERT_TRUE(gpu_->finish());
  EXPECT_TRUE(draw());
  EXPECT_EQ(driverCalls().semaphoresWaited, before) << "a client's fence came into the GPU's queue";
  wlr_renderer_destroy(adapter);
}

} // namespace
} // namespace vitrine::test
