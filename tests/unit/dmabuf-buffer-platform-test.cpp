#include <drm_fourcc.h>
#include <fcntl.h>

#include "compositor/render/dmabuf_buffer.h"
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
  EXPECT_FALSE(fences.forGpu()) << "the client has said that the buffer may be read";
  fences.released(); // and is not held to that for its next commit
  const UniqueFd fence = fences.forGpu();
  ASSERT_TRUE(fence);
  EXPECT_FALSE(syncFileSignalled(fence.get()).value_or(true)) << "the GPU would read before it is drawn";
  EXPECT_TRUE(gpu->finish());
}

} // namespace
} // namespace vitrine::test
