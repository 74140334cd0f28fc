#include <drm_fourcc.h>
#include <fcntl.h>

#include <array>
#include <optional>

#include "compositor/capture/capture_buffers.h"
#include "compositor/capture/public_view.h"
#include "protected-path/kms/kms_device.h"
#include "tests/clients/late_gpu.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

// Pictures for captures, drawn by a slow GPU.

namespace vitrine::test {
namespace {

constexpr Rect everything{0, 0, 64, 48};

class PublicViews : public RendererTest {
protected:
  void SetUp() override {
    RendererTest::SetUp();
    if (IsSkipped()) return;
    const auto nodes = KmsDevice::listNodes();
    if (nodes.empty()) GTEST_SKIP() << "no KMS device with a connector";
    auto display = KmsDevice::open(UniqueFd(open(nodes[0].c_str(), O_RDWR | O_CLOEXEC)), nodes[0]);
    ASSERT_TRUE(display) << display.error().text();
    display_ = std::move(*display);
    auto gpu = LateGpu::start();
    ASSERT_TRUE(gpu) << gpu.error().text();
    gpu_.emplace(std::move(*gpu));
    loop_ = wl_event_loop_create();
    buffers_.emplace(*display_, renderer(), *loop_);
    auto buffer = buffers_->take({everything.width, everything.height});
    ASSERT_TRUE(buffer) << buffer.error().text();
    buffer_ = std::move(*buffer);
    view_.emplace(*loop_, renderer());
  }
  void TearDown() override {
    setFence(-1);
    view_.reset();
    buffer_.reset();
    buffers_.reset();
    if (loop_ != nullptr) wl_event_loop_destroy(loop_);
    RendererTest::TearDown();
  }

  /** Fills it with one colour. The GPU is busy until gpu_ has finished. */
  Result<> drawLate() {
    setFence(gpu_->fence());
    auto drawn = view_->draw(
        *buffer_, PublicView::Reader::Cpu,
        [](RenderTarget& target) {
          const DrawCommand red{.kind = DrawCommand::Kind::Solid, .destination = everything, .color = {1, 0, 0, 1}};
          return renderer().compose(target, {&red, 1}, {&everything, 1}, {});
        },
        [this] { finished_++; });
    setFence(-1);
    return drawn;
  }

  std::unique_ptr<KmsDevice> display_;
  std::optional<LateGpu> gpu_;
  wl_event_loop* loop_ = nullptr;
  std::optional<CaptureBuffers> buffers_;
  OwnedBuffer buffer_;
  std::optional<PublicView> view_;
  int finished_ = 0; ///< times that onFinished was called
};

TEST_F(PublicViews, AreFinishedWhenTheGpuIsDoneAndReadWithoutWaiting) {
  const uint64_t waits = driverCalls().cpuWaits;
  const auto drawn = drawLate();
  ASSERT_TRUE(drawn) << drawn.error().text();
  wl_event_loop_dispatch(loop_, 0);
  EXPECT_EQ(view_->finished(), nullptr) << "a reader would wait for the GPU, and all clients with it";
  EXPECT_TRUE(view_->isDrawing());
  EXPECT_EQ(finished_, 0);

  ASSERT_TRUE(gpu_->finish());
  wl_event_loop_dispatch(loop_, 1000);
  EXPECT_EQ(finished_, 1);
  ASSERT_EQ(view_->finished(), buffer_.get());
  const Readback* picture = buffer_->readback();
  ASSERT_NE(picture, nullptr);
  std::array<uint32_t, 64 * 48> pixels{};
  const auto read =
      picture->read(everything, DRM_FORMAT_XRGB8888, 64 * sizeof(uint32_t), std::as_writable_bytes(std::span(pixels)));
  EXPECT_TRUE(read) << read.error().text();
  EXPECT_TRUE(std::ranges::all_of(pixels, [](uint32_t pixel) { return pixel == 0xffff0000; }));
  EXPECT_EQ(driverCalls().cpuWaits, waits);
}

TEST_F(PublicViews, ThatWereDroppedComeToNobody) {
  ASSERT_TRUE(drawLate());
  view_->drop();
  ASSERT_TRUE(gpu_->finish());
  wl_event_loop_dispatch(loop_, 0);
  EXPECT_EQ(view_->finished(), nullptr);
  EXPECT_EQ(finished_, 0);
}

TEST_F(PublicViews, ThatCannotBeCopiedOutAreNone) {
  failCall("vkCreateBuffer", VK_ERROR_OUT_OF_HOST_MEMORY);
  EXPECT_FALSE(drawLate()) << "a reader on the CPU would get nothing";
  EXPECT_TRUE(failureHappened());
  EXPECT_EQ(view_->finished(), nullptr);
  EXPECT_TRUE(gpu_->finish());
}

TEST_F(PublicViews, AreDrawnIntoAsManyBuffersAsThereAreAndThenWait) {
  const Size size{everything.width, everything.height};
  std::vector<OwnedBuffer> taken;
  for (size_t i = 1; i < CaptureBuffers::mostAtOnce; ++i) {
    auto buffer = buffers_->take(size);
    ASSERT_TRUE(buffer && *buffer != nullptr);
    taken.push_back(std::move(*buffer));
  }
  EXPECT_EQ(*buffers_->take(size), nullptr);
  DmabufBuffer* first = taken.front().get();
  buffers_->giveBack(std::move(taken.front()));
  auto again = buffers_->take(size);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->get(), first) << "a recorder would allocate memory for each frame";
}

} // namespace
} // namespace vitrine::test
