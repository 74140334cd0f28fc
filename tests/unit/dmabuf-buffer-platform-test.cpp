#include <drm_fourcc.h>
#include <fcntl.h>

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

TEST_F(BufferImports, ImplicitFencesCountAgainAfterExplicitSynchronisation) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint acquire(*timeline, 1);
  BufferFences& fences = buffer_->fences();
  ASSERT_TRUE(acquire.signal(-1));
  fences.synchronise(acquire, SyncPoint(*timeline, 2));
  wlr_drm_syncobj_timeline_unref(timeline);

  const auto gpu = LateGpu::start();
  ASSERT_TRUE(gpu) << gpu.error().text();
  const int dmabuf = buffer_->dmabuf().plane(0).fd.get();
  ASSERT_TRUE(importSyncFile(dmabuf, gpu->fence(), FenceUse::Write));
  std::vector<UniqueFd> waits;
  ASSERT_TRUE(fences.addGpuWaits(waits));
  EXPECT_TRUE(waits.empty()) << "the client has said that the buffer may be read";
  fences.released(); // and is not held to that for its next commit
  ASSERT_TRUE(fences.addGpuWaits(waits));
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_FALSE(syncFileSignalled(waits[0].get()).value_or(true)) << "the GPU would read before it is drawn";
  EXPECT_TRUE(gpu->finish());
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
  std::vector<UniqueFd> waits;
  ASSERT_TRUE(importSyncFile(second, gpu_->fence(), FenceUse::Write));
  ASSERT_TRUE(fences.addGpuWaits(waits));
  const auto late = [](const UniqueFd& fence) { return !syncFileSignalled(fence.get()).value_or(true); };
  EXPECT_EQ(std::ranges::count_if(waits, late), 1) << "the chroma is not drawn yet";
  ASSERT_TRUE(gpu_->finish());

  auto reader = LateGpu::start();
  ASSERT_TRUE(reader) << reader.error().text();
  fences.readUntil(reader->fence());
  const auto writer = exportSyncFile(second, FenceUse::Write);
  ASSERT_TRUE(writer) << writer.error().text();
  EXPECT_TRUE(late(*writer)) << "who decodes into the chroma would overtake the GPU";
  EXPECT_TRUE(reader->finish());
}

TEST_F(LateFences, WithoutFileDescriptorsNothingIsRead) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint acquire(*timeline, 1);
  ASSERT_TRUE(acquire.signal(gpu_->fence()));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  for (const bool explicitly : {false, true}) {
    if (explicitly) buffer_->fences().synchronise(acquire, SyncPoint(*timeline, 2));
    std::vector<UniqueFd> waits;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto unknown = buffer_->fences().addGpuWaits(waits);
    const auto plane = buffer_->fences().forPlane();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(unknown) << "nobody knows what there is to wait for";
    EXPECT_EQ(plane.has_value(), !explicitly) << "implicit fences are the kernel's to wait for";
    ASSERT_TRUE(buffer_->fences().addGpuWaits(waits)) << "and now again";
    ASSERT_EQ(waits.size(), 1U);
    EXPECT_EQ(syncFileSignalled(waits[0].get()).value_or(explicitly), !explicitly);
  }
  wlr_drm_syncobj_timeline_unref(timeline);
  EXPECT_TRUE(gpu_->finish());
}

TEST_F(LateFences, AReleasePointSignalsWhenTheGpuHasRead) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint acquire(*timeline, 1);
  const SyncPoint release(*timeline, 2);
  ASSERT_TRUE(acquire.signal(-1));
  buffer_->fences().synchronise(acquire, SyncPoint(*timeline, 2));
  wlr_drm_syncobj_timeline_unref(timeline);
  buffer_->fences().readUntil(gpu_->fence());
  ASSERT_EQ(release.hasFence().value_or(true), false) << "it is used still";
  buffer_->fences().released();
  const auto fence = release.exportFence();
  ASSERT_TRUE(fence) << fence.error().text();
  EXPECT_FALSE(syncFileSignalled(fence->get()).value_or(true));
  ASSERT_TRUE(gpu_->finish());
  EXPECT_TRUE(syncFileSignalled(fence->get()).value_or(false));
}

TEST_F(LateFences, AFenceThatCannotBeHandedOnIsWaitedFor) {
  const UniqueFd device(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC)); // the platform's GPU
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_create(device.get());
  ASSERT_NE(timeline, nullptr);
  const SyncPoint release(*timeline, 2);
  buffer_->fences().synchronise(SyncPoint(*timeline, 1), release);
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
  EXPECT_TRUE(release.hasFence().value_or(false));
}

TEST_F(LateFences, ARenderPassOfWlrootsWaitsForWhoeverReadsItsTarget) {
  wlr_renderer* adapter = RendererAdapter::create(renderer());
  ASSERT_TRUE(importSyncFile(buffer_->dmabuf().plane(0).fd.get(), gpu_->fence(), FenceUse::Read));
  wlr_render_pass* pass = wlr_renderer_begin_buffer_pass(adapter, buffer_->base(), nullptr);
  ASSERT_NE(pass, nullptr);
  const wlr_render_rect_options rect{.box = {0, 0, 4, 4}, .color = {1, 1, 1, 1}};
  wlr_render_pass_add_rect(pass, &rect);
  const uint64_t before = driverCalls().semaphoresWaited;
  std::thread later([&] { // the driver here waits when it is given the work
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(gpu_->finish());
  });
  EXPECT_TRUE(wlr_render_pass_submit(pass));
  later.join();
  EXPECT_EQ(driverCalls().semaphoresWaited, before + 1);
  wlr_renderer_destroy(adapter);
}

} // namespace
} // namespace vitrine::test
