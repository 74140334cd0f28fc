#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <fcntl.h>

#include <algorithm>
#include <functional>

#include "compositor/output/composition.h"
#include "tests/leak/buffers.h"
#include "tests/leak/detector.h"
#include "tests/unit/protected_memory.h"
#include "tests/unit/vulkan_interposer.h"

// An output's composed buffers, from ordinary memory to protected memory and back.

namespace vitrine::test {
namespace {

constexpr Size size{LeakBuffers::extent, LeakBuffers::extent};
constexpr size_t pictureBytes = size_t{size.width} * size.height * 4;

/** What a client has drawn: XRGB8888 of the output's size, in memory. */
struct Pixels {
  wlr_buffer base{}; ///< first: bytesOf() casts
  std::vector<uint32_t> texels = std::vector<uint32_t>(size_t{size.width} * size.height, 0xff808080);

  Pixels() { wlr_buffer_init(&base, &impl, size.width, size.height); }
  void paint(const Rect& box, uint32_t color) {
    for (int32_t y = box.y; y < box.y + box.height; ++y)
      std::fill_n(texels.begin() + y * static_cast<int32_t>(size.width) + box.x, box.width, color);
  }
  static bool bytesOf(wlr_buffer* buffer, uint32_t, void** data, uint32_t* format, size_t* stride) {
    *data = reinterpret_cast<Pixels*>(buffer)->texels.data();
    *format = DRM_FORMAT_XRGB8888;
    *stride = size_t{size.width} * 4;
    return true;
  }
  static constexpr wlr_buffer_impl impl{.destroy = [](wlr_buffer*) {}, // its owner does
                                        .get_dmabuf = nullptr,
                                        .get_shm = nullptr,
                                        .begin_data_ptr_access = bytesOf,
                                        .end_data_ptr_access = [](wlr_buffer*) {}};
};

class ComposedOutput : public testing::Test {
protected:
  void SetUp() override {
    const auto nodes = KmsDevice::listNodes();
    if (nodes.empty()) GTEST_SKIP() << "no KMS device with a connector";
    auto display = KmsDevice::open(UniqueFd(open(nodes[0].c_str(), O_RDWR | O_CLOEXEC)), nodes[0]);
    ASSERT_TRUE(display) << display.error().text();
    display_ = std::move(*display);
    auto renderer = Renderer::create({});
    ASSERT_TRUE(renderer) << renderer.error().text();
    renderer_ = std::move(*renderer);
    if (!renderer_->device().gpu.protectedMemory) GTEST_SKIP() << "the Vulkan device has no protected memory";
    auto tee = TeeDevice::open();
    ASSERT_TRUE(tee) << tee.error().text();
    tee_.emplace(std::move(*tee));
    auto buffers = LeakBuffers::create(*tee_, heaps_, table_);
    ASSERT_TRUE(buffers) << buffers.error().text();
    video_ = DmabufBuffer::create(std::move(buffers->protectedContent[0]));
    const auto& texture = video_->texture(*renderer_);
    ASSERT_TRUE(texture) << texture.error().text();
    ASSERT_FALSE((*texture)->isPlaceholder());
    composition_.emplace(*renderer_,
                         source_.emplace(OutputBufferAllocator::Machine{*display_, *renderer_, table_, knowledge_}),
                         Color{0, 0, 0.5F, 1});
    const auto allocated = composition_->allocate(size, DRM_FORMAT_ARGB8888);
    ASSERT_TRUE(allocated) << allocated.error().text();
  }
  void TearDown() override {
    composition_.reset();
    if (video_ != nullptr) wlr_buffer_drop(video_->base());
  }

  /** A frame with the video all over it, or without it. */
  Result<> show(bool video, Nanoseconds time) {
    layers_.clear();
    sources_.clear();
    FramePlan plan;
    if (video) {
      Layer& layer = layers_.emplace_back();
      layer.id = 1;
      layer.destination = {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
      layer.source = SourceRect::whole(size);
      layer.bufferSize = size;
      layer.protectedContent = true;
      layer.composeRefusal = composition_->protectedRefusal(time);
      LayerSource& source = sources_.emplace_back();
      source.sceneBuffer = &sceneBuffer_;
      source.dmabuf = video_;
      source.texture = video_->texture(*renderer_)->get();
      source.contentSerial = ++serial_;
      const bool refused = layer.composeRefusal != Refusal::None;
      plan.layers.push_back({.path = refused ? Path::Placeholder : Path::Composited, .refusal = layer.composeRefusal});
    }
    return composition_->render(layers_, sources_, plan, time);
  }

  /** A frame with nothing but this texture, all over it. */
  Result<> show(TextureAdapter& content) {
    layers_.clear();
    sources_.clear();
    Layer& layer = layers_.emplace_back();
    layer.id = 2;
    layer.destination = {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
    layer.source = SourceRect::whole(size);
    layer.bufferSize = size;
    layer.opaque = true;
    LayerSource& source = sources_.emplace_back();
    source.sceneBuffer = &sceneBuffer_;
    source.adapter = &content;
    source.texture = content.texture();
    source.contentSerial = content.serial();
    FramePlan plan;
    plan.layers.push_back({.path = Path::Composited});
    return composition_->render(layers_, sources_, plan, now_);
  }

  /** The video in all three of the protected buffers, known to the secure world as `shown_`, and the last of them on the screen. */
  void showInAllBuffers() {
    std::vector<BufferLock> locks;
    for (int i = 0; i < 3; ++i) {
      const auto drawn = show(true, now_);
      ASSERT_TRUE(drawn) << drawn.error().text();
      ASSERT_TRUE(composition_->inProtectedMemory());
      locks.emplace_back(composition_->current());
      auto known = TeeMemory::registerDmabuf(*tee_, composition_->current()->dmabuf());
      ASSERT_TRUE(known) << known.error().text();
      shown_.push_back(std::move(*known));
    }
    screen_ = std::move(locks.back());
    renderer_->waitIdle();
  }

  /** How many of `shown_` hold something; empty where the secure world lets nobody look. */
  std::optional<size_t> buffersWithContent() {
    renderer_->waitIdle();
    size_t count = 0;
    for (const TeeMemory& memory : shown_) {
      const auto bytes = dumpProtected(*tee_, memory, pictureBytes);
      if (!bytes) return std::nullopt;
      count += std::ranges::any_of(*bytes, [](std::byte byte) { return byte != std::byte{}; }) ? 1 : 0;
    }
    return count;
  }
  /** The same, where it can be known. */
  void expectBuffersWithContent(size_t expected) { EXPECT_EQ(buffersWithContent().value_or(expected), expected); }

  Nanoseconds now_ = 1'000'000'000;
  HeapTable table_;
  HeapKnowledge knowledge_;
  std::vector<Heap> heaps_ = listHeaps(table_);
  std::optional<TeeDevice> tee_;
  std::unique_ptr<KmsDevice> display_;
  std::unique_ptr<Renderer> renderer_;
  std::optional<OutputBufferAllocator> source_;
  std::optional<Composition> composition_;
  DmabufBuffer* video_ = nullptr;
  wlr_scene_buffer sceneBuffer_{};
  std::vector<Layer> layers_;
  std::vector<LayerSource> sources_;
  uint64_t serial_ = 0;
  std::vector<TeeMemory> shown_;
  BufferLock screen_;
};

TEST_F(ComposedOutput, AllThatChangedSinceTheLastFrameIsDrawnAndNoMore) {
  constexpr Rect first{4, 8, 5, 3};
  constexpr Rect second{40, 50, 7, 2};
  constexpr uint32_t red = 0xffff0000;
  wlr_renderer owner{};
  TexturePool pool(owner, *renderer_);
  Pixels pixels;
  wlr_texture* texture = pool.textureOf(pixels.base);
  ASSERT_NE(texture, nullptr);
  const auto update = [&](const Rect& box) {
    pixels.paint(box, red);
    pixman_region32_t damage;
    pixman_region32_init_rect(&damage, box.x, box.y, static_cast<unsigned>(box.width),
                              static_cast<unsigned>(box.height));
    EXPECT_TRUE(texture->impl->update_from_buffer(texture, &pixels.base, &damage));
    pixman_region32_fini(&damage);
  };
  /** How many pixels a frame took; it shows what there is to show. */
  const auto drawn = [&] {
    const uint64_t before = renderer_->counters().pixelsDrawn;
    const auto shown = show(*TextureAdapter::from(texture));
    EXPECT_TRUE(shown) << shown.error().text();
    const uint64_t spent = renderer_->counters().pixelsDrawn - before;
    std::vector<uint32_t> seen(pixels.texels.size());
    const auto& target = composition_->current()->target(*renderer_);
    const auto read = renderer_->readPixels(**target, layers_[0].destination, DRM_FORMAT_XRGB8888, size.width * 4,
                                            std::as_writable_bytes(std::span(seen)));
    EXPECT_TRUE(read) << read.error().text();
    EXPECT_EQ(seen, pixels.texels);
    return spent;
  };
  constexpr uint64_t whole = uint64_t{size.width} * size.height; // once: it hides the background
  EXPECT_EQ(drawn(), whole);
  update(first);
  EXPECT_EQ(drawn(), 5 * 3);
  // Two updates between two frames: only the second is known, so that all is drawn.
  update({20, 20, 4, 4});
  update(second);
  EXPECT_EQ(drawn(), whole);
  wlr_texture_destroy(texture);
  wlr_buffer_drop(&pixels.base);
}

TEST_F(ComposedOutput, WhatOpaqueLayersHideInTheDamageIsNotDrawn) {
  constexpr int32_t half = size.width / 2;
  constexpr int32_t height = size.height;
  const auto addSolid = [this](uint64_t id, const Rect& box, const Color& color) {
    Layer& layer = layers_.emplace_back();
    layer.id = id;
    layer.destination = box;
    layer.opaque = color.alpha == 1;
    sources_.emplace_back().color = color;
  };
  /** A translucent layer all over the output, and one opaque layer over each half of it, the right one in this colour. */
  const auto drawn = [&](const Color& right) {
    layers_.clear();
    sources_.clear();
    addSolid(3, {0, 0, 2 * half, height}, {1, 1, 1, 0.5F});
    addSolid(4, {0, 0, half, height}, {1, 0, 0, 1});
    addSolid(5, {half, 0, half, height}, right);
    FramePlan plan;
    plan.layers.assign(layers_.size(), {.path = Path::Composited});
    const uint64_t before = renderer_->counters().pixelsDrawn;
    const auto done = composition_->render(layers_, sources_, plan, now_);
    EXPECT_TRUE(done) << done.error().text();
    return renderer_->counters().pixelsDrawn - before;
  };
  constexpr uint64_t inHalf = uint64_t{half} * height;
  EXPECT_EQ(drawn({0, 1, 0, 1}), 2 * inHalf) << "two halves together hide what neither does alone";
  EXPECT_EQ(drawn({0, 0, 1, 1}), inHalf) << "in the damage";
  EXPECT_EQ(drawn({0, 0, 1, 0.5F}), 3 * inHalf) << "with the background and the layer under it";
}

TEST_F(ComposedOutput, TheGpuClearsProtectedBuffersBeforeTheyGoBack) {
  struct Way {
    const char* name;
    std::function<void()> leave;
    unsigned drawn;  ///< frames drawn into them on the way
    unsigned atOnce; ///< of the three, cleared while one is on the screen
  };
  const Way ways[] = {
      {"no video for a while",
       [this] {
         ASSERT_TRUE(show(false, now_));
         EXPECT_TRUE(composition_->inProtectedMemory()) << "it may come back";
         now_ += Composition::protectedLinger;
         ASSERT_TRUE(show(false, now_));
       },
       1, 0},
      {"the session is switched away", [this] { composition_->suspend(); }, 0, 0},
      {"a new mode", [this] { ASSERT_TRUE(composition_->allocate(size, DRM_FORMAT_ARGB8888)); }, 0, 0},
      {"the output goes", [this] { composition_.reset(); }, 0, 3},
  };
  for (const Way& way : ways) {
    SCOPED_TRACE(way.name);
    now_ += 1'000'000'000;
    shown_.clear();
    showInAllBuffers();
    if (HasFatalFailure()) return;
    expectBuffersWithContent(3);
    const DriverCalls before = driverCalls();
    way.leave();
    if (HasFatalFailure()) return;
    const auto cleared = [&] { return driverCalls().protectedSubmits - before.protectedSubmits - way.drawn; };
    if (composition_) composition_->releaseRetired();
    EXPECT_EQ(cleared(), way.atOnce);
    expectBuffersWithContent(3 - way.atOnce);
    screen_.reset();
    if (composition_) {
      EXPECT_FALSE(composition_->inProtectedMemory());
      composition_->releaseRetired();
    }
    EXPECT_EQ(cleared(), 3U);
    expectBuffersWithContent(0);
  }
}

TEST_F(ComposedOutput, WhatCouldNotBeClearedIsKeptUntilItIs) {
  showInAllBuffers();
  if (HasFatalFailure()) return;
  screen_.reset();
  failCall("vkQueueSubmit", VK_ERROR_OUT_OF_DEVICE_MEMORY);
  composition_->suspend();
  ASSERT_TRUE(failureHappened());
  const DriverCalls before = driverCalls();
  expectBuffersWithContent(3);
  composition_->releaseRetired();
  EXPECT_EQ(driverCalls().protectedSubmits, before.protectedSubmits + 3);
  expectBuffersWithContent(0);
  composition_->releaseRetired();
  EXPECT_EQ(driverCalls().protectedSubmits, before.protectedSubmits + 3) << "once is enough";
}

TEST_F(ComposedOutput, AnEmptyPoolMeansThePlaceholderUntilItIsAskedAgain) {
  auto held = exhaustProtected(heaps_);
  const auto refused = show(true, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refusalOf(refused.error(), Refusal::None), Refusal::HeapExhausted) << refused.error().text();
  EXPECT_EQ(composition_->protectedRefusal(now_), Refusal::HeapExhausted);
  const auto instead = show(true, now_);
  ASSERT_TRUE(instead) << instead.error().text();
  EXPECT_TRUE(composition_->rendered());
  EXPECT_FALSE(composition_->inProtectedMemory());

  held.clear();
  now_ += Composition::protectedRetry - 1;
  EXPECT_EQ(composition_->protectedRefusal(now_), Refusal::HeapExhausted) << "asked in every frame, it would cost one";
  now_ += 1;
  EXPECT_EQ(composition_->protectedRefusal(now_), Refusal::None);
  const auto again = show(true, now_);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(composition_->inProtectedMemory());
}

TEST_F(ComposedOutput, WhoseCommitFailedComposesNothingProtectedUntilTold) {
  ASSERT_TRUE(show(true, now_));
  composition_->refuseProtected(Refusal::PlaneCommitFailed, Composition::forGood);
  ASSERT_TRUE(show(true, now_)) << "the same frame";
  EXPECT_FALSE(composition_->inProtectedMemory());
  now_ += 3600'000'000'000;
  EXPECT_EQ(composition_->protectedRefusal(now_), Refusal::PlaneCommitFailed);
  composition_->forgetRefusal();
  ASSERT_TRUE(show(true, now_));
  EXPECT_TRUE(composition_->inProtectedMemory());
}

} // namespace
} // namespace vitrine::test
