#include <drm_fourcc.h>
#include <fcntl.h>

#include <array>
#include <optional>

#include "compositor/output/public_view.h"
#include "compositor/render/allocator_adapter.h"
#include "compositor/render/renderer_adapter.h"
#include "protected-path/kms/kms_device.h"
#include "tests/clients/late_gpu.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

extern "C" {
#include <wlr/backend/headless.h>
}

// The public view of an output, drawn by a slow GPU.

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
    backend_ = wlr_headless_backend_create(loop_);
    ASSERT_TRUE(wlr_backend_start(backend_));
    renderer_ = RendererAdapter::create(renderer());
    allocator_ = AllocatorAdapter::create(*display_, renderer());
    output_ = wlr_headless_add_output(backend_, everything.width, everything.height);
    ASSERT_TRUE(wlr_output_init_render(output_, allocator_, renderer_));
    wlr_output_state state;
    wlr_output_state_init(&state);
    wlr_output_state_set_enabled(&state, true);
    EXPECT_TRUE(wlr_output_commit_state(output_, &state));
    wlr_output_state_finish(&state);
    wlr_output_lock_attach_render(output_, true);
    view_.emplace(*output_, renderer());
  }
  void TearDown() override {
    setFence(-1);
    view_.reset();
    if (backend_ != nullptr) wlr_backend_destroy(backend_);
    if (allocator_ != nullptr) wlr_allocator_destroy(allocator_);
    if (renderer_ != nullptr) wlr_renderer_destroy(renderer_);
    if (loop_ != nullptr) wl_event_loop_destroy(loop_);
    RendererTest::TearDown();
  }

  /** Fills it with one colour. The GPU is busy until gpu_ has finished. */
  Result<> drawLate() {
    setFence(gpu_->fence());
    auto drawn = view_->draw([](RenderTarget& target) {
      const DrawCommand red{.kind = DrawCommand::Kind::Solid, .destination = everything, .color = {1, 0, 0, 1}};
      return renderer().compose(target, {&red, 1}, {&everything, 1}, {});
    });
    setFence(-1);
    return drawn;
  }

  std::unique_ptr<KmsDevice> display_;
  std::optional<LateGpu> gpu_;
  wl_event_loop* loop_ = nullptr;
  wlr_backend* backend_ = nullptr;
  wlr_renderer* renderer_ = nullptr;
  wlr_allocator* allocator_ = nullptr;
  wlr_output* output_ = nullptr;
  std::optional<PublicView> view_;
};

TEST_F(PublicViews, AreHandedOverWhenTheGpuIsDoneAndReadWithoutWaiting) {
  const uint64_t waits = driverCalls().cpuWaits;
  output_->needs_frame = false;
  const auto drawn = drawLate();
  ASSERT_TRUE(drawn) << drawn.error().text();
  wl_event_loop_dispatch(loop_, 0);
  EXPECT_EQ(view_->finished(), nullptr) << "a reader would wait for the GPU, and all clients with it";
  EXPECT_FALSE(output_->needs_frame);
  EXPECT_TRUE(view_->servesAll()) << "it would be drawn again each frame";

  ASSERT_TRUE(gpu_->finish());
  wl_event_loop_dispatch(loop_, 1000);
  wlr_buffer* picture = view_->finished();
  ASSERT_NE(picture, nullptr);
  EXPECT_TRUE(output_->needs_frame) << "nobody would come for it";
  wlr_texture* texture = wlr_texture_from_buffer(renderer_, picture);
  ASSERT_NE(texture, nullptr);
  std::array<uint32_t, 64 * 48> pixels{};
  const wlr_texture_read_pixels_options options{
      .data = pixels.data(), .format = DRM_FORMAT_XRGB8888, .stride = 64 * sizeof(uint32_t)};
  EXPECT_TRUE(wlr_texture_read_pixels(texture, &options));
  wlr_texture_destroy(texture);
  EXPECT_TRUE(std::ranges::all_of(pixels, [](uint32_t pixel) { return pixel == 0xffff0000; }));
  EXPECT_EQ(driverCalls().cpuWaits, waits);
}

TEST_F(PublicViews, AreDrawnAnewForACaptureThatCameLater) {
  ASSERT_TRUE(drawLate());
  wlr_output_lock_attach_render(output_, true);
  EXPECT_FALSE(view_->servesAll());
  ASSERT_TRUE(drawLate());
  EXPECT_TRUE(view_->servesAll());
  wlr_output_lock_attach_render(output_, false);
  EXPECT_TRUE(view_->servesAll());
  EXPECT_TRUE(gpu_->finish());
}

TEST_F(PublicViews, ThatWereDroppedComeToNobody) {
  output_->needs_frame = false;
  ASSERT_TRUE(drawLate());
  view_->drop();
  ASSERT_TRUE(gpu_->finish());
  wl_event_loop_dispatch(loop_, 0);
  EXPECT_EQ(view_->finished(), nullptr);
  EXPECT_FALSE(output_->needs_frame);
  EXPECT_FALSE(view_->servesAll());
}

TEST_F(PublicViews, ThatCannotBeCopiedOutAreNone) {
  failCall("vkCreateBuffer", VK_ERROR_OUT_OF_HOST_MEMORY);
  EXPECT_FALSE(drawLate()) << "who reads it on the CPU would get nothing";
  EXPECT_TRUE(failureHappened());
  EXPECT_FALSE(view_->servesAll());
  EXPECT_TRUE(gpu_->finish());
}

} // namespace
} // namespace vitrine::test
