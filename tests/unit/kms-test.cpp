#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <fcntl.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "protected-path/kms/atomic_request.h"
#include "protected-path/kms/framebuffer.h"
#include "tests/unit/allocation_counter.h"
#include "tests/unit/fake_drm.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

/** A device on the fake driver. At the end, the driver must hold no resources. */
struct Kms : testing::Test {
  explicit Kms(FakeDrm::Options options = {}) : fake(options) {
    auto opened = KmsDevice::open(fake.takeDevice(), "/dev/dri/fake");
    if (opened) device = std::move(*opened);
  }
  void SetUp() override { ASSERT_TRUE(device); }
  void TearDown() override { EXPECT_EQ(fake.leaks(), ""); }
  [[nodiscard]] const Plane& plane(uint32_t id) const { return *std::ranges::find(device->planes(), id, &Plane::id); }
  [[nodiscard]] const Crtc& crtc() const { return device->crtcs().front(); }

  FakeDrm fake;
  std::unique_ptr<KmsDevice> device;
  AtomicCounters counters;
};
struct KmsWithZpos : Kms {
  KmsWithZpos() : Kms({.zpos = true}) {}
};
struct KmsOfOldKernel : Kms {
  KmsOfOldKernel() : Kms({.modifiers = false, .closeFb = false}) {}
};
struct KmsWithBrokenInFormats : Kms {
  KmsWithBrokenInFormats() : Kms({.brokenInFormats = true}) {}
};

// ---- Device and objects

TEST_F(Kms, ReadsObjects) {
  EXPECT_EQ(device->driverName(), "fake");
  EXPECT_TRUE(device->hasModifiers());
  ASSERT_EQ(device->planes().size(), 3U);
  EXPECT_EQ(plane(FakeDrm::primary).type, PlaneType::Primary);
  EXPECT_TRUE(plane(FakeDrm::overlay).hasFormat(DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR));
  EXPECT_FALSE(plane(FakeDrm::overlay).hasFormat(DRM_FORMAT_NV12, I915_FORMAT_MOD_X_TILED));
  EXPECT_EQ(plane(FakeDrm::overlay).encodingValue(ColorEncoding::Bt709), 1U);
  EXPECT_EQ(plane(FakeDrm::overlay).encodingValue(ColorEncoding::Bt2020), std::nullopt);
  EXPECT_EQ(plane(FakeDrm::overlay).rangeValue(ColorRange::Full), 1U);
  EXPECT_EQ(plane(FakeDrm::primary).rangeValue(ColorRange::Full), std::nullopt);
  EXPECT_EQ(crtc().index, 0U);
  ASSERT_EQ(device->connectors().size(), 2U);
  const Connector& panel = device->connectors()[0];
  EXPECT_EQ(panel.name, "eDP-1");
  EXPECT_TRUE(panel.connected && !panel.writeback);
  EXPECT_EQ(panel.physicalSizeMillimetres, (Size{300, 200}));
  EXPECT_EQ(panel.possibleCrtcs, 1U);
  EXPECT_EQ(panel.edid, (std::vector<uint8_t>{0, 0xff}));
  EXPECT_EQ(device->connectors()[1].name, "Writeback-1");
  EXPECT_TRUE(device->connectors()[1].writeback && !device->connectors()[1].connected);
  EXPECT_TRUE(device->connectors()[1].properties.has(ConnectorProperty::WritebackFbId));
}

TEST_F(Kms, RefreshIsExact) {
  std::vector<uint32_t> rates;
  for (const Mode& mode : device->connectors()[0].modes)
    rates.push_back(mode.refreshMilliHertz);
  // Progressive, NTSC's 1000/1001, interlaced (fields), doubled lines, and a mode without timings (the kernel's integer
  // hertz).
  EXPECT_EQ(rates, (std::vector<uint32_t>{60000, 59940, 60000, 60054, 60000}));
  EXPECT_TRUE(device->connectors()[0].modes[0].preferred);
  EXPECT_EQ(device->connectors()[0].modes[0].size, (Size{1920, 1080}));
}

TEST_F(Kms, StackingByConvention) {
  EXPECT_EQ(plane(FakeDrm::primary).stacking, 0U);
  EXPECT_EQ(plane(FakeDrm::overlay).stacking, 1U);
  EXPECT_EQ(plane(FakeDrm::cursor).stacking, 2U);
  EXPECT_FALSE(plane(FakeDrm::cursor).stackingKnown);
}

TEST_F(KmsWithZpos, StackingByZpos) {
  EXPECT_EQ(plane(FakeDrm::overlay).stacking, 0U);
  EXPECT_EQ(plane(FakeDrm::primary).stacking, 1U);
  EXPECT_TRUE(plane(FakeDrm::overlay).stackingKnown);
  EXPECT_EQ(plane(FakeDrm::overlay).properties[PlaneProperty::Zpos].rangeMaximum, 9U);
}

TEST_F(KmsOfOldKernel, FormatsComeFromThePlainList) {
  EXPECT_TRUE(plane(FakeDrm::primary).hasFormat(DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR));
  EXPECT_FALSE(plane(FakeDrm::primary).hasFormat(DRM_FORMAT_NV12));
}

TEST_F(KmsWithBrokenInFormats, FormatsComeFromThePlainList) {
  EXPECT_TRUE(plane(FakeDrm::primary).hasFormat(DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR));
}

TEST_F(Kms, RescanKeepsPlanes) {
  const Plane* before = device->planes().data();
  ASSERT_TRUE(device->rescanConnectors());
  EXPECT_EQ(device->planes().data(), before);
  EXPECT_EQ(device->connectors().size(), 2U);
}

TEST(KmsOpen, SaysWhatIsMissing) {
  const struct {
    FakeDrm::Options options;
    const char* text;
  } cases[] = {
      {{.atomic = false}, "open /dev/dri/fake (fake): its driver is not atomic"},
      {{.import = false}, "open /dev/dri/fake (fake): it cannot import dma-bufs"},
  };
  for (const auto& one : cases) {
    FakeDrm fake(one.options);
    const auto device = KmsDevice::open(fake.takeDevice(), "/dev/dri/fake");
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().kind, ErrorKind::Missing);
    EXPECT_EQ(device.error().text(), one.text);
  }
}

TEST(KmsOpen, NotADrmDevice) {
  const auto device = KmsDevice::open(UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC)), "/dev/null");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().text(), "DRM_IOCTL_VERSION /dev/null: ENOTTY (25)");
}

// ---- Atomic requests

TEST_F(Kms, RequestIsSortedAndTheLastValueWins) {
  AtomicRequest request(*device, counters);
  request.set(crtc(), CrtcProperty::Active, 1);
  request.set(plane(FakeDrm::overlay), PlaneProperty::FbId, 7);
  request.set(plane(FakeDrm::primary), PlaneProperty::CrtcId, FakeDrm::crtc);
  request.set(plane(FakeDrm::overlay), PlaneProperty::CrtcId, FakeDrm::crtc);
  request.disable(plane(FakeDrm::overlay));
  request.set(device->connectors()[0], ConnectorProperty::CrtcId, FakeDrm::crtc);
  EXPECT_EQ(request.value(plane(FakeDrm::overlay), PlaneProperty::FbId), 0U);
  EXPECT_EQ(request.value(plane(FakeDrm::primary), PlaneProperty::FbId), std::nullopt);
  ASSERT_TRUE(request.test(true));
  const std::vector<FakeDrm::Setting> expected = {{FakeDrm::primary, "CRTC_ID", FakeDrm::crtc},
                                                  {FakeDrm::overlay, "FB_ID", 0},
                                                  {FakeDrm::overlay, "CRTC_ID", 0},
                                                  {FakeDrm::crtc, "ACTIVE", 1},
                                                  {FakeDrm::panel, "CRTC_ID", FakeDrm::crtc}};
  EXPECT_EQ(fake.lastAtomic, expected);
}

TEST_F(Kms, RequestFlagsAndCounters) {
  AtomicRequest request(*device, counters);
  request.set(crtc(), CrtcProperty::Active, 1);
  ASSERT_TRUE(request.test(false));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_TEST_ONLY);
  ASSERT_TRUE(request.test(true));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_TEST_ONLY | DRM_MODE_ATOMIC_ALLOW_MODESET);
  ASSERT_TRUE(request.commitFlip(false, 77));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT);
  EXPECT_EQ(fake.lastAtomicUserData, 77U);
  ASSERT_TRUE(request.commitBlocking(true));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_ALLOW_MODESET);
  fake.testErrno = EINVAL;
  fake.commitErrno = EBUSY;
  EXPECT_FALSE(request.test(false));
  EXPECT_FALSE(request.commitFlip(false, 0));
  EXPECT_EQ(counters.tests, 3U);
  EXPECT_EQ(counters.failedTests, 1U);
  EXPECT_EQ(counters.commits, 3U);
  EXPECT_EQ(counters.failedCommits, 1U);
}

TEST_F(Kms, RequestErrors) {
  AtomicRequest request(*device, counters);
  request.set(crtc(), CrtcProperty::Active, 1);
  request.set(plane(FakeDrm::primary), PlaneProperty::SrcX, 0);
  request.set(plane(FakeDrm::primary), PlaneProperty::SrcY, 0);
  fake.testErrno = EINVAL;
  EXPECT_EQ(request.test(false).error().text(), "DRM_IOCTL_MODE_ATOMIC 2 objects, 3 properties: EINVAL (22)");
  fake.testErrno = EACCES;
  EXPECT_EQ(request.test(false).error().text(),
            "DRM_IOCTL_MODE_ATOMIC 2 objects, 3 properties: EACCES (13); the session is not the DRM master: is another "
            "compositor on this seat?");
}

TEST_F(Kms, PoisonedRequestIsNeverSubmitted) {
  AtomicRequest request(*device, counters);
  request.set(crtc(), CrtcProperty::Active, 1);
  request.set(plane(FakeDrm::primary), PlaneProperty::Alpha, 0);
  request.set(crtc(), CrtcProperty::OutFencePtr, 0);
  for (const auto& result : {request.test(false), request.commitFlip(false, 0), request.commitBlocking(false)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::Missing);
    EXPECT_EQ(result.error().text(), "set property plane 30: the object does not have it");
  }
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_ATOMIC], 0);
  request.clear();
  request.set(crtc(), CrtcProperty::Active, 1);
  EXPECT_TRUE(request.commitFlip(false, 0));
}

TEST_F(Kms, SteadyStateAllocatesNothing) {
  AtomicRequest request(*device, counters);
  const auto frame = [&](uint64_t number) {
    request.clear();
    for (const Plane& each : device->planes()) {
      for (const auto property :
           {PlaneProperty::FbId, PlaneProperty::CrtcId, PlaneProperty::SrcW, PlaneProperty::CrtcX}) {
        request.set(each, property, number);
      }
    }
    request.set(crtc(), CrtcProperty::Active, 1);
  };
  frame(0);
  ASSERT_TRUE(request.commitFlip(false, 0));
  fake.records = false; // recording would allocate
  const uint64_t before = allocationCount();
  for (uint64_t number = 1; number < 10; ++number) {
    frame(number);
    ASSERT_TRUE(request.commitFlip(false, number));
  }
  EXPECT_EQ(allocationCount(), before);
  EXPECT_EQ(counters.commits, 10U);
}

TEST_F(Kms, BlobsAreDestroyedOnce) {
  const uint32_t data[] = {1, 2, 3};
  auto blob = PropertyBlob::create(*device, data, sizeof data);
  ASSERT_TRUE(blob);
  auto other = PropertyBlob::create(*device, data, sizeof data);
  const uint32_t id = blob->id();
  *other = std::move(*blob);
  EXPECT_EQ(other->id(), id);
  const PropertyBlob third(std::move(*other));
  EXPECT_EQ(third.id(), id);
}

// ---- Framebuffers

TEST_F(Kms, OneHandleForPlanesOfOneDmabuf) {
  auto framebuffer = Framebuffer::create(*device, fake.makeNv12({64, 32}, false));
  ASSERT_TRUE(framebuffer) << framebuffer.error().text();
  EXPECT_EQ(framebuffer->size(), (Size{64, 32}));
  EXPECT_EQ(fake.calls[DRM_IOCTL_PRIME_FD_TO_HANDLE], 2);
  EXPECT_EQ(fake.calls[DRM_IOCTL_GEM_CLOSE], 1);
  ASSERT_EQ(fake.added.size(), 1U);
  EXPECT_EQ(fake.added[0].fourcc, DRM_FORMAT_NV12);
  EXPECT_EQ(fake.added[0].flags, DRM_MODE_FB_MODIFIERS);
  EXPECT_EQ(fake.added[0].handles.size(), 2U);
  const Framebuffer moved(std::move(*framebuffer));
  EXPECT_NE(moved.id(), 0U);
  EXPECT_EQ(framebuffer->id(), 0U);
}

TEST_F(Kms, TwoHandlesForTwoDmabufs) {
  const auto framebuffer = Framebuffer::create(*device, fake.makeNv12({64, 32}, true));
  ASSERT_TRUE(framebuffer);
  EXPECT_EQ(fake.calls[DRM_IOCTL_GEM_CLOSE], 2);
  EXPECT_NE(fake.added[0].handles[0], fake.added[0].handles[1]);
}

TEST_F(Kms, RefusedFramebufferLeavesNoHandle) {
  fake.addFramebufferErrno = EINVAL;
  const auto framebuffer = Framebuffer::create(*device, fake.makeNv12({64, 32}, true));
  ASSERT_FALSE(framebuffer);
  EXPECT_EQ(refusalOf(framebuffer.error(), Refusal::None), Refusal::PlaneFramebufferRefused);
  EXPECT_NE(framebuffer.error().text().find("DRM_IOCTL_MODE_ADDFB2 64x32 NV12 LINEAR, None: EINVAL (22)"),
            std::string::npos)
      << framebuffer.error().text();
}

TEST_F(Kms, AFramebufferThatFailedForWantOfMemoryIsNotRefused) {
  fake.addFramebufferErrno = ENOMEM;
  const auto framebuffer = Framebuffer::create(*device, fake.makeNv12({64, 32}, true));
  ASSERT_FALSE(framebuffer);
  EXPECT_EQ(framebuffer.error().kind, ErrorKind::System);
  EXPECT_EQ(framebuffer.error().number, ENOMEM);
  EXPECT_TRUE(isTransient(framebuffer.error()));
}

TEST_F(Kms, OpaqueFramebufferTakesTheFormatWithoutAlpha) {
  const auto buffer = device->createDumbBuffer({16, 16}, DRM_FORMAT_ARGB8888);
  ASSERT_TRUE(buffer);
  ASSERT_TRUE(Framebuffer::create(*device, *buffer, true));
  EXPECT_EQ(fake.added.back().fourcc, DRM_FORMAT_XRGB8888);
}

TEST_F(Kms, CloseKeepsThePlaneOnRemoveNowDoesNot) {
  {
    ASSERT_TRUE(Framebuffer::create(*device, fake.makeNv12({64, 32}, false)));
  }
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_CLOSEFB], 1);
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_RMFB], 0);
  auto framebuffer = Framebuffer::create(*device, fake.makeNv12({64, 32}, false));
  framebuffer->removeNow();
  EXPECT_EQ(framebuffer->id(), 0U);
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_RMFB], 1);
}

TEST_F(KmsOfOldKernel, FramebufferWithoutModifiersAndCloseFb) {
  {
    ASSERT_TRUE(Framebuffer::create(*device, fake.makeNv12({64, 32}, false)));
  }
  EXPECT_EQ(fake.added[0].flags, 0U);
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_RMFB], 1);
}

TEST_F(Kms, DumbBufferLivesOnAsDmabuf) {
  const auto buffer = device->createDumbBuffer({100, 50}, DRM_FORMAT_XRGB8888);
  ASSERT_TRUE(buffer) << buffer.error().text();
  EXPECT_EQ(fake.leaks(), ""); // the handle is gone already
  EXPECT_EQ(buffer->plane(0).strideBytes, 400U);
  EXPECT_EQ(buffer->sizeBytes(), 20000U);
  EXPECT_EQ(device->createDumbBuffer({100, 50}, DRM_FORMAT_NV12).error().text(),
            "create dumb buffer 100x50 NV12: not a 32-bit RGB format");
}

// ---- Events

drm_event_vblank makeFlip(uint32_t sequence, uint64_t userData) {
  drm_event_vblank flip{};
  flip.base = {DRM_EVENT_FLIP_COMPLETE, sizeof flip};
  flip.user_data = userData;
  flip.tv_sec = 5;
  flip.tv_usec = 250;
  flip.sequence = sequence;
  flip.crtc_id = FakeDrm::crtc;
  return flip;
}

TEST_F(Kms, EventsOfOneAndOfSeveralReads) {
  std::vector<FlipEvent> seen;
  seen.reserve(8);
  const std::function<void(const FlipEvent&)> handler = [&](const FlipEvent& event) { seen.push_back(event); };
  ASSERT_TRUE(device->dispatchEvents(handler)); // nothing there: returns at once
  drm_event_vblank two[] = {makeFlip(1, 11), makeFlip(2, 12)};
  fake.sendEvents(std::as_bytes(std::span(two)));
  drm_event_vblank others[] = {makeFlip(3, 13), makeFlip(4, 14)};
  others[0].base.type = DRM_EVENT_VBLANK;
  fake.sendEvents(std::as_bytes(std::span(others)));
  const uint64_t before = allocationCount();
  ASSERT_TRUE(device->dispatchEvents(handler));
  EXPECT_EQ(allocationCount(), before);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].userData, 11U);
  EXPECT_EQ(seen[0].timestamp, 5'000'250'000);
  EXPECT_EQ(seen[0].crtcId, FakeDrm::crtc);
  EXPECT_EQ(seen[2].sequence, 4U);
}

TEST_F(Kms, BrokenEventsAreErrors) {
  const auto ignore = [](const FlipEvent&) {};
  drm_event_vblank flip = makeFlip(1, 1);
  fake.sendEvents(std::as_bytes(std::span(&flip, 1)).first(4));
  EXPECT_EQ(device->dispatchEvents(ignore).error().text(), "read /dev/dri/fake: an event is cut short");
  for (const uint32_t length : {0U, 7U, 33U}) {
    flip.base.length = length;
    fake.sendEvents(std::as_bytes(std::span(&flip, 1)));
    EXPECT_EQ(device->dispatchEvents(ignore).error().text(),
              "read /dev/dri/fake: an event says that it has " + std::to_string(length) + " bytes");
  }
}

TEST_F(Kms, UnpluggedDeviceIsAnError) {
  fake.unplug();
  EXPECT_EQ(device->dispatchEvents([](const FlipEvent&) {}).error().text(),
            "read /dev/dri/fake: ENODEV (19); the device is gone");
}

} // namespace
