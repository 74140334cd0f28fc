#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <poll.h>

#include "protected-path/heap/heap_allocator.h"
#include "protected-path/kms/atomic_request.h"
#include "protected-path/kms/drm_pointer.h"
#include "protected-path/kms/framebuffer.h"
#include "protected-path/planes/planner.h"
#include "tests/unit/open_fds.h"

using namespace vitrine;

namespace {

constexpr int eventTimeoutMs = 60'000; ///< far more than a frame; only a hang reaches it

/** The device of the virtual platform, as DRM master; every test begins with the primary lit and leaves it dark. */
struct KmsPlatform : testing::Test {
  void SetUp() override {
    const auto nodes = KmsDevice::listNodes();
    if (nodes.empty()) GTEST_SKIP() << "no KMS device with a connector";
    auto opened = KmsDevice::open(UniqueFd(open(nodes[0].c_str(), O_RDWR | O_CLOEXEC)), nodes[0]);
    ASSERT_TRUE(opened) << opened.error().text();
    device = std::move(*opened);
    const auto lit =
        std::ranges::find_if(device->connectors(), [](const Connector& c) { return c.connected && !c.writeback; });
    ASSERT_NE(lit, device->connectors().end());
    connector = &*lit;
    ASSERT_FALSE(connector->modes.empty());
    crtc = &device->crtcs()[0];
    for (const Plane& plane : device->planes()) {
      if (plane.type == PlaneType::Primary && primary == nullptr) primary = &plane;
    }
    ASSERT_NE(primary, nullptr);
    size = connector->modes[0].size;
    light();
  }
  void TearDown() override {
    if (!device) return;
    AtomicRequest request(*device, counters);
    for (const Plane& plane : device->planes())
      request.disable(plane);
    request.set(*connector, ConnectorProperty::CrtcId, 0);
    request.set(*crtc, CrtcProperty::ModeId, 0);
    request.set(*crtc, CrtcProperty::Active, 0);
    const auto dark = request.commitBlocking(true);
    EXPECT_TRUE(dark) << dark.error().text();
  }

  Framebuffer makePrimaryBuffer() {
    const auto buffer = device->createDumbBuffer(size, DRM_FORMAT_XRGB8888);
    EXPECT_TRUE(buffer) << buffer.error().text();
    auto framebuffer = Framebuffer::create(*device, *buffer);
    EXPECT_TRUE(framebuffer) << framebuffer.error().text();
    return std::move(*framebuffer);
  }
  void light() {
    auto mode = PropertyBlob::create(*device, connector->modes[0].raw.data(), connector->modes[0].raw.size());
    ASSERT_TRUE(mode) << mode.error().text();
    shown.emplace(makePrimaryBuffer());
    AtomicRequest request(*device, counters);
    request.set(*connector, ConnectorProperty::CrtcId, crtc->id);
    request.set(*crtc, CrtcProperty::ModeId, mode->id());
    request.set(*crtc, CrtcProperty::Active, 1);
    show(request, *primary, *shown, SourceRect::whole(size),
         {0, 0, static_cast<int>(size.width), static_cast<int>(size.height)});
    ASSERT_TRUE(request.test(true));
    const auto committed = request.commitBlocking(true);
    ASSERT_TRUE(committed) << committed.error().text();
    counters = {};
  }
  void show(AtomicRequest& request, const Plane& plane, const Framebuffer& framebuffer, SourceRect from,
            Rect to) const {
    request.set(plane, PlaneProperty::FbId, framebuffer.id());
    request.set(plane, PlaneProperty::CrtcId, crtc->id);
    request.set(plane, PlaneProperty::SrcX, from.x.raw());
    request.set(plane, PlaneProperty::SrcY, from.y.raw());
    request.set(plane, PlaneProperty::SrcW, from.width.raw());
    request.set(plane, PlaneProperty::SrcH, from.height.raw());
    request.set(plane, PlaneProperty::CrtcX, static_cast<uint64_t>(static_cast<int64_t>(to.x)));
    request.set(plane, PlaneProperty::CrtcY, static_cast<uint64_t>(static_cast<int64_t>(to.y)));
    request.set(plane, PlaneProperty::CrtcW, static_cast<uint64_t>(to.width));
    request.set(plane, PlaneProperty::CrtcH, static_cast<uint64_t>(to.height));
  }
  std::vector<FlipEvent> waitForFlips() const {
    std::vector<FlipEvent> flips;
    pollfd ready{device->fd(), POLLIN, 0};
    if (poll(&ready, 1, eventTimeoutMs) != 1) return flips;
    EXPECT_TRUE(device->dispatchEvents([&](const FlipEvent& flip) { flips.push_back(flip); }));
    return flips;
  }
  /** From the kernel, not from our objects. */
  [[nodiscard]] uint64_t kernelValue(uint32_t objectId, uint32_t type, std::string_view name) const {
    const DrmPointer<drmModeObjectProperties> list(drmModeObjectGetProperties(device->fd(), objectId, type));
    for (uint32_t i = 0; list && i < list->count_props; ++i) {
      const DrmPointer<drmModePropertyRes> property(drmModeGetProperty(device->fd(), list->props[i]));
      if (property && name == property->name) return list->prop_values[i];
    }
    ADD_FAILURE() << "object " << objectId << " has no " << name;
    return 0;
  }
  [[nodiscard]] uint64_t planeValue(const Plane& plane, std::string_view name) const {
    return kernelValue(plane.id, DRM_MODE_OBJECT_PLANE, name);
  }
  [[nodiscard]] const Plane* overlayFor(uint32_t fourcc) const {
    for (const Plane& plane : device->planes()) {
      if (plane.type == PlaneType::Overlay && plane.stacking > primary->stacking &&
          plane.hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR)) {
        return &plane;
      }
    }
    return nullptr;
  }
  static Result<HeapBuffer> makeNv12(Size size, bool protectedContent) {
    const HeapTable table;
    const BufferRequest request{size, DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR, protectedContent, 64};
    return allocateBuffer(request, listHeaps(table), table);
  }

  std::unique_ptr<KmsDevice> device;
  AtomicCounters counters;
  const Connector* connector = nullptr;
  const Crtc* crtc = nullptr;
  const Plane* primary = nullptr;
  Size size;
  std::optional<Framebuffer> shown;
};

TEST_F(KmsPlatform, ModesetIsInTheKernel) {
  EXPECT_EQ(device->driverName(), "vkms");
  EXPECT_EQ(kernelValue(crtc->id, DRM_MODE_OBJECT_CRTC, "ACTIVE"), 1U);
  EXPECT_EQ(kernelValue(connector->id, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID"), crtc->id);
  EXPECT_EQ(planeValue(*primary, "FB_ID"), shown->id());
  EXPECT_EQ(planeValue(*primary, "SRC_W"), uint64_t{size.width} << 16);
  EXPECT_EQ(planeValue(*primary, "CRTC_H"), size.height);
}

TEST_F(KmsPlatform, FlipsBringTheirEvents) {
  std::array<Framebuffer, 2> buffers = {makePrimaryBuffer(), makePrimaryBuffer()};
  AtomicRequest request(*device, counters);
  uint32_t lastSequence = 0;
  Nanoseconds lastTime = now();
  unsigned refused = 0;
  for (uint64_t frame = 1; frame <= 10; ++frame) {
    request.clear();
    request.set(*primary, PlaneProperty::FbId, buffers[frame % 2].id());
    const auto committed = request.commitFlip(false, frame);
    ASSERT_TRUE(committed) << committed.error().text();
    size_t wanted = 1;
    if (const auto second = request.commitFlip(false, frame); second) {
      ++wanted; // the first was over already
    } else {
      EXPECT_EQ(second.error().number, EBUSY);
      ++refused;
    }
    size_t flipped = 0;
    while (flipped < wanted) {
      const auto flips = waitForFlips();
      ASSERT_FALSE(flips.empty());
      flipped += flips.size();
      for (const FlipEvent& flip : flips) {
        EXPECT_EQ(flip.userData, frame);
        EXPECT_EQ(flip.crtcId, crtc->id);
        EXPECT_GT(flip.sequence, lastSequence);
        EXPECT_GT(flip.timestamp, lastTime);
        lastSequence = flip.sequence;
        lastTime = flip.timestamp;
      }
    }
    EXPECT_EQ(flipped, wanted);
    EXPECT_EQ(planeValue(*primary, "FB_ID"), buffers[frame % 2].id());
  }
  EXPECT_GT(refused, 0U) << "one flip at a time";
}

TEST_F(KmsPlatform, OverlayShowsNv12OfTheSystemHeap) {
  const Plane* overlay = overlayFor(DRM_FORMAT_NV12);
  ASSERT_NE(overlay, nullptr);
  const auto video = makeNv12({320, 240}, false);
  ASSERT_TRUE(video) << video.error().text();
  const auto framebuffer = Framebuffer::create(*device, video->buffer);
  ASSERT_TRUE(framebuffer) << framebuffer.error().text();
  AtomicRequest request(*device, counters);
  show(request, *overlay, *framebuffer, SourceRect::whole({320, 240}), {-20, 40, 320, 240});
  request.set(*overlay, PlaneProperty::ColorEncoding, overlay->encodingValue(ColorEncoding::Bt709).value());
  request.set(*overlay, PlaneProperty::ColorRange, overlay->rangeValue(ColorRange::Limited).value());
  const auto tested = request.test(false);
  ASSERT_TRUE(tested) << tested.error().text();
  EXPECT_EQ(planeValue(*overlay, "FB_ID"), 0U); // a test changes nothing
  const auto committed = request.commitFlip(false, 1);
  ASSERT_TRUE(committed) << committed.error().text();
  ASSERT_EQ(waitForFlips().size(), 1U);
  EXPECT_EQ(planeValue(*overlay, "FB_ID"), framebuffer->id());
  EXPECT_EQ(static_cast<int32_t>(planeValue(*overlay, "CRTC_X")), -20);
  EXPECT_EQ(planeValue(*overlay, "COLOR_ENCODING"), overlay->encodingValue(ColorEncoding::Bt709));
}

TEST_F(KmsPlatform, ScalingIsRefusedByTheTestAndChangesNothing) {
  const Plane* overlay = overlayFor(DRM_FORMAT_NV12);
  ASSERT_NE(overlay, nullptr);
  const auto video = makeNv12({320, 240}, false);
  ASSERT_TRUE(video) << video.error().text();
  const auto framebuffer = Framebuffer::create(*device, video->buffer);
  ASSERT_TRUE(framebuffer) << framebuffer.error().text();
  AtomicRequest request(*device, counters);
  show(request, *overlay, *framebuffer, SourceRect::whole({320, 240}), {0, 0, 640, 480});
  const auto tested = request.test(false);
  ASSERT_FALSE(tested);
  EXPECT_EQ(tested.error().kind, ErrorKind::System);
  EXPECT_EQ(tested.error().number, ERANGE) << tested.error().text(); // drm_atomic_helper_check_plane_state
  EXPECT_EQ(planeValue(*overlay, "FB_ID"), 0U);
  EXPECT_EQ(counters.failedTests, 1U);
}

// The firewall of profile untrusted-display keeps the display out: import and test pass, the commit does not.
TEST_F(KmsPlatform, ProtectedBufferIsTakenAndShown) {
  const Plane* overlay = overlayFor(DRM_FORMAT_NV12);
  ASSERT_NE(overlay, nullptr);
  const auto video = makeNv12({320, 240}, true);
  if (!video && refusalOf(video.error(), Refusal::None) == Refusal::HeapAbsent) GTEST_SKIP() << video.error().text();
  ASSERT_TRUE(video) << video.error().text();
  ASSERT_TRUE(video->buffer.noMap());
  const auto framebuffer = Framebuffer::create(*device, video->buffer);
  ASSERT_TRUE(framebuffer) << framebuffer.error().text();
  AtomicRequest request(*device, counters);
  show(request, *overlay, *framebuffer, SourceRect::whole({320, 240}), {0, 0, 320, 240});
  const auto tested = request.test(false);
  ASSERT_TRUE(tested) << tested.error().text();
  const auto committed = request.commitFlip(false, 1);
  const char* profile = std::getenv("VITRINE_PROFILE");
  if (profile != nullptr && std::string_view(profile) == "untrusted-display") {
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().number, EINVAL) << committed.error().text();
    EXPECT_EQ(planeValue(*overlay, "FB_ID"), 0U);
    EXPECT_EQ(counters.failedCommits, 1U);
    return;
  }
  ASSERT_TRUE(committed) << committed.error().text();
  ASSERT_EQ(waitForFlips().size(), 1U);
  EXPECT_EQ(planeValue(*overlay, "FB_ID"), framebuffer->id());
}

// The planner asks the kernel: a covered video goes below the primary; a scaled one is refused, with the reason.
TEST_F(KmsPlatform, PlannerAsksTheKernel) {
  const auto video = makeNv12({320, 240}, false);
  ASSERT_TRUE(video) << video.error().text();
  const auto videoBuffer = Framebuffer::create(*device, video->buffer);
  const auto composed = device->createDumbBuffer(size, DRM_FORMAT_ARGB8888);
  ASSERT_TRUE(composed) << composed.error().text();
  const auto composedBuffer = Framebuffer::create(*device, *composed);
  ASSERT_TRUE(videoBuffer && composedBuffer);
  const Rect whole{0, 0, static_cast<int>(size.width), static_cast<int>(size.height)};

  Planner planner({size, primary->id, DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR}, device->planes());
  ASSERT_EQ(planner.primary(), primary);
  std::vector<Layer> layers = {{.id = 1, .destination = {100, 100, 320, 240}, .source = SourceRect::whole({320, 240})},
                               {.id = 2, .destination = {100, 300, 320, 40}, .planeRefusal = Refusal::PlaneNotDmabuf}};
  layers[0].bufferSize = {320, 240};
  layers[0].fourcc = DRM_FORMAT_NV12;
  layers[0].opaque = true;
  layers[0].composeRefusal = Refusal::GpuNoProtectedMemory;
  AtomicRequest request(*device, counters);
  const PlanTest ask = [&](const FramePlan& plan) {
    request.clear();
    show(request, *primary, *composedBuffer, SourceRect::whole(size), whole);
    const auto plane = std::ranges::find(device->planes(), plan.layers[0].planeId, &Plane::id);
    if (plane != device->planes().end()) {
      show(request, *plane, *videoBuffer, layers[0].source, layers[0].destination);
    }
    return request.test(false);
  };
  FramePlan plan;
  planner.plan(layers, 1, ask, plan);
  ASSERT_EQ(plan.layers[0].path, Path::Plane) << refusalName(plan.layers[0].refusal);
  EXPECT_TRUE(plan.layers[0].underlay);
  EXPECT_EQ(counters.tests, 1U);
  const auto committed = request.commitFlip(false, 1);
  ASSERT_TRUE(committed) << committed.error().text();
  ASSERT_EQ(waitForFlips().size(), 1U);
  EXPECT_EQ(kernelValue(plan.layers[0].planeId, DRM_MODE_OBJECT_PLANE, "FB_ID"), videoBuffer->id());
  EXPECT_LT(kernelValue(plan.layers[0].planeId, DRM_MODE_OBJECT_PLANE, "zpos"), planeValue(*primary, "zpos"));

  layers[0].destination.width = 640;
  planner.plan(layers, 1, ask, plan);
  EXPECT_EQ(plan.layers[0].path, Path::Placeholder);
  EXPECT_EQ(plan.layers[0].refusal, Refusal::PlaneScaling);
}

TEST_F(KmsPlatform, ClosedFramebufferStaysOnItsPlaneRemovedOneGoes) {
  const Plane* overlay = overlayFor(DRM_FORMAT_NV12);
  ASSERT_NE(overlay, nullptr);
  const auto video = makeNv12({320, 240}, false);
  ASSERT_TRUE(video) << video.error().text();
  const auto put = [&] {
    auto framebuffer = Framebuffer::create(*device, video->buffer);
    EXPECT_TRUE(framebuffer) << framebuffer.error().text();
    AtomicRequest request(*device, counters);
    show(request, *overlay, *framebuffer, SourceRect::whole({320, 240}), {0, 0, 320, 240});
    EXPECT_TRUE(request.commitBlocking(false));
    return std::move(*framebuffer);
  };
  {
    const Framebuffer closed = put();
  }
  EXPECT_EQ(planeValue(*overlay, "CRTC_ID"), crtc->id);
  Framebuffer removed = put();
  removed.removeNow();
  EXPECT_EQ(planeValue(*overlay, "CRTC_ID"), 0U);
}

TEST_F(KmsPlatform, NothingIsLeftBehind) {
  const auto once = [&] {
    const auto buffer = device->createDumbBuffer(size, DRM_FORMAT_ARGB8888);
    ASSERT_TRUE(buffer) << buffer.error().text();
    ASSERT_TRUE(Framebuffer::create(*device, *buffer, true));
  };
  once();
  const auto before = test::openFds();
  for (int i = 0; i < 200; ++i)
    once();
  EXPECT_EQ(test::openFds(), before);
}

} // namespace
