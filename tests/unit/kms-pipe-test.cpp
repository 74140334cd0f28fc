#include <gtest/gtest.h>

#include <drm_mode.h>

#include <cstring>

#include "protected-path/kms/kms_state.h"
#include "protected-path/kms/modeset.h"
#include "protected-path/kms/pipe_allocation.h"
#include "tests/unit/allocation_counter.h"
#include "tests/unit/fake_drm.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

using Setting = FakeDrm::Setting;

/** Two outputs on the fake driver: the panel on the first CRTC with the overlays, the monitor on the second. */
struct Pipes : testing::Test {
  Pipes() : fake(FakeDrm::Options{.twoOutputs = true}) {
    device = std::move(KmsDevice::open(fake.takeDevice(), "/dev/dri/fake").value());
    panel.emplace(*device, connector(FakeDrm::panel), device->crtcs()[0],
                  planes({FakeDrm::primary, FakeDrm::overlay, FakeDrm::secondOverlay}));
    monitor.emplace(*device, connector(FakeDrm::monitor), device->crtcs()[1], planes({FakeDrm::secondPrimary}));
  }
  void TearDown() override {
    panel.reset();
    monitor.reset();
    EXPECT_EQ(fake.leaks(), "");
    EXPECT_EQ(held, 0);
  }

  [[nodiscard]] const Connector& connector(uint32_t id) const {
    return *std::ranges::find(device->connectors(), id, &Connector::id);
  }
  [[nodiscard]] std::vector<Plane> planes(const std::vector<uint32_t>& ids) const {
    std::vector<Plane> chosen;
    for (const uint32_t id : ids)
      chosen.push_back(*std::ranges::find(device->planes(), id, &Plane::id));
    return chosen;
  }
  static const Plane& plane(const KmsPipe& pipe, uint32_t id) {
    return *std::ranges::find(pipe.planes(), id, &Plane::id);
  }
  /** A buffer that counts, in `held`, whether the pipe still has it. */
  ScanoutLock lock() {
    ++held;
    return {&held, {[](void* count) { --*static_cast<int*>(count); }}};
  }
  KmsFrame frame(KmsPipe& pipe, const std::vector<uint32_t>& ids) {
    KmsFrame frame;
    for (const uint32_t id : ids) {
      frame.planes.push_back({.plane = &plane(pipe, id),
                              .framebufferId = 1000 + id,
                              .lock = lock(),
                              .source = SourceRect::whole({64, 64}),
                              .destination = {-1, 2, 64, 64}});
    }
    return frame;
  }
  Result<> turnOn(KmsPipe& pipe, size_t mode = 0) {
    KmsFrame first = frame(pipe, {pipe.primary().id});
    Modeset modeset(*device);
    return modeset.turnOn(pipe, pipe.connector().modes[mode], first).and_then([&] { return modeset.commit(); });
  }

  int held = 0;
  FakeDrm fake;
  std::unique_ptr<KmsDevice> device;
  std::optional<KmsPipe> panel;
  std::optional<KmsPipe> monitor;
};

TEST_F(Pipes, TurnOnIsOneBlockingCommitWithoutAnEvent) {
  ASSERT_TRUE(turnOn(*panel));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_ALLOW_MODESET);
  EXPECT_EQ(panel->mode()->size, (Size{1920, 1080}));
  EXPECT_EQ(fake.value(FakeDrm::panel, "CRTC_ID"), FakeDrm::crtc);
  EXPECT_EQ(fake.value(FakeDrm::crtc, "ACTIVE"), 1U);
  EXPECT_EQ(fake.value(FakeDrm::primary, "FB_ID"), 1000 + FakeDrm::primary);
  EXPECT_EQ(fake.value(FakeDrm::primary, "CRTC_X"), static_cast<uint64_t>(-1));
  EXPECT_FALSE(panel->flipPending());
  EXPECT_EQ(held, 1);
  EXPECT_EQ(panel->counters().atomic.commits, 1U);
}

/** The damage of a plane in the last atomic request; empty where it had none. */
std::optional<std::vector<Rect>> damageOf(const FakeDrm& fake, uint32_t plane) {
  const auto told = std::ranges::find_if(fake.lastAtomic, [plane](const Setting& setting) {
    return setting.object == plane && setting.property == "FB_DAMAGE_CLIPS";
  });
  if (told == fake.lastAtomic.end()) return std::nullopt;
  const auto bytes = fake.blobData(static_cast<uint32_t>(told->value));
  std::vector<drm_mode_rect> clips(bytes.size() / sizeof(drm_mode_rect));
  std::memcpy(clips.data(), bytes.data(), bytes.size());
  std::vector<Rect> boxes;
  for (const drm_mode_rect& clip : clips)
    boxes.push_back({clip.x1, clip.y1, clip.x2 - clip.x1, clip.y2 - clip.y1});
  return boxes;
}

TEST_F(Pipes, DamageIsToldOfWhatThePlaneShowedInTheLastCommit) {
  using Boxes = std::vector<Rect>;
  const std::array<int, 2> pictures{};
  ASSERT_TRUE(turnOn(*panel));
  const auto damageTold = [&](const void* content, const Boxes& damage, uint32_t plane = FakeDrm::primary) {
    KmsFrame next = frame(*panel, {plane});
    next.planes[0].content = content;
    next.planes[0].damage = damage;
    EXPECT_TRUE(panel->test(next));
    EXPECT_EQ(damageOf(fake, plane), std::nullopt) << "a test needs none";
    EXPECT_TRUE(panel->submit(next));
    EXPECT_TRUE(panel->handleFlip({FakeDrm::crtc, 1, 0, fake.lastAtomicUserData}));
    return damageOf(fake, plane);
  };
  const auto blobs = [this] { return fake.calls[DRM_IOCTL_MODE_CREATEPROPBLOB]; };
  const Boxes some = {{1, 2, 3, 4}, {10, 20, 30, 40}};
  EXPECT_EQ(damageTold(&pictures[0], some), std::nullopt) << "the modeset showed something else";
  EXPECT_EQ(damageTold(&pictures[0], some), some);
  const int before = blobs();
  EXPECT_EQ(damageTold(&pictures[0], some), some);
  EXPECT_EQ(blobs(), before) << "the same damage is the same blob";
  EXPECT_EQ(damageTold(&pictures[0], {}), (Boxes{{0, 0, 1, 1}})) << "no clip would mean all of it";
  EXPECT_EQ(damageTold(&pictures[1], some), std::nullopt) << "another picture";
  EXPECT_EQ(damageTold(nullptr, some), std::nullopt) << "a picture of which nothing is known";
  EXPECT_EQ(damageTold(&pictures[0], some), std::nullopt);
  EXPECT_EQ(damageTold(&pictures[0], some, FakeDrm::overlay), std::nullopt) << "the plane showed nothing";
  EXPECT_EQ(damageTold(&pictures[0], some, FakeDrm::overlay), some);
  EXPECT_EQ(damageTold(&pictures[0], some, FakeDrm::secondOverlay), std::nullopt);
  EXPECT_EQ(damageTold(&pictures[0], some, FakeDrm::secondOverlay), std::nullopt) << "the plane has no such property";
}

TEST_F(Pipes, AfterAFailedCommitDamageIsStillSinceTheOneBefore) {
  const int picture = 0;
  ASSERT_TRUE(turnOn(*panel));
  const std::array<Rect, 1> box = {Rect{1, 2, 3, 4}};
  const auto next = [&](const void* content) {
    KmsFrame made = frame(*panel, {FakeDrm::primary});
    made.planes[0].content = content;
    made.planes[0].damage = box;
    return made;
  };
  KmsFrame shown = next(&picture);
  ASSERT_TRUE(panel->show(shown));
  fake.commitErrno = EINVAL;
  KmsFrame failed = next(nullptr);
  ASSERT_FALSE(panel->submit(failed));
  fake.commitErrno = 0;
  KmsFrame again = next(&picture);
  ASSERT_TRUE(panel->submit(again));
  EXPECT_EQ(damageOf(fake, FakeDrm::primary), std::vector<Rect>(box.begin(), box.end()));
}

TEST_F(Pipes, TurnOnMakesColoursNeutralAndTrainsTheLink) {
  for (const char* name : {"GAMMA_LUT", "CTM", "DEGAMMA_LUT"})
    fake.setValue(FakeDrm::crtc, name, fake.makeBlob({}));
  fake.setValue(FakeDrm::crtc, "VRR_ENABLED", 1);
  fake.setValue(FakeDrm::panel, "HDR_OUTPUT_METADATA", fake.makeBlob({}));
  fake.setValue(FakeDrm::panel, "Colorspace", 1);
  fake.setValue(FakeDrm::panel, "max bpc", 6);
  fake.setValue(FakeDrm::panel, "link-status", DRM_MODE_LINK_STATUS_BAD);
  ASSERT_TRUE(turnOn(*panel));
  for (const char* name : {"GAMMA_LUT", "CTM", "DEGAMMA_LUT", "VRR_ENABLED"})
    EXPECT_EQ(fake.value(FakeDrm::crtc, name), 0U) << name;
  EXPECT_EQ(fake.value(FakeDrm::panel, "HDR_OUTPUT_METADATA"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::panel, "Colorspace"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::panel, "max bpc"), 12U);
  EXPECT_EQ(fake.value(FakeDrm::panel, "link-status"), uint64_t{DRM_MODE_LINK_STATUS_GOOD});
}

TEST_F(Pipes, GammaIsPartOfTheNextFrameAndOfEachModeset) {
  const std::vector<GammaEntry> table(FakeDrm::gammaSize, {1, 2, 3});
  EXPECT_EQ(panel->gammaSize(), FakeDrm::gammaSize);
  ASSERT_TRUE(turnOn(*panel));
  ASSERT_TRUE(panel->setGamma(table));
  EXPECT_EQ(fake.value(FakeDrm::crtc, "GAMMA_LUT"), 0U); // a test changes nothing
  KmsFrame next = frame(*panel, {panel->primary().id});
  ASSERT_TRUE(panel->submit(next));
  const auto blob = fake.value(FakeDrm::crtc, "GAMMA_LUT");
  EXPECT_NE(blob, 0U);
  ASSERT_TRUE(turnOn(*panel));
  EXPECT_EQ(fake.value(FakeDrm::crtc, "GAMMA_LUT"), blob);
  ASSERT_TRUE(panel->setGamma({}));
  next = frame(*panel, {panel->primary().id});
  ASSERT_TRUE(panel->submit(next));
  EXPECT_EQ(fake.value(FakeDrm::crtc, "GAMMA_LUT"), 0U);
}

TEST_F(Pipes, GammaOfAnotherSizeIsRefused) {
  ASSERT_TRUE(turnOn(*panel));
  const std::vector<GammaEntry> table(FakeDrm::gammaSize - 1);
  const auto done = panel->setGamma(table);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text(), "set gamma eDP-1: the table has 255 entries, the CRTC's has 256");
}

TEST_F(Pipes, GammaThatTheDriverRefusesLeavesTheTableBefore) {
  ASSERT_TRUE(panel->setGamma(std::vector<GammaEntry>(FakeDrm::gammaSize, {1, 2, 3}))); // off: part of the modeset
  ASSERT_TRUE(turnOn(*panel));
  const auto blob = fake.value(FakeDrm::crtc, "GAMMA_LUT");
  EXPECT_NE(blob, 0U);
  fake.testErrno = EINVAL;
  const auto done = panel->setGamma(std::vector<GammaEntry>(FakeDrm::gammaSize));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().number, EINVAL);
  fake.testErrno = 0;
  KmsFrame next = frame(*panel, {panel->primary().id});
  ASSERT_TRUE(panel->show(next));
  EXPECT_EQ(fake.value(FakeDrm::crtc, "GAMMA_LUT"), blob);
}

TEST_F(Pipes, OutputThatIsOffHasNoGamma) {
  ASSERT_TRUE(panel->setGamma(std::vector<GammaEntry>(FakeDrm::gammaSize)));
  ASSERT_TRUE(turnOn(*panel));
  EXPECT_NE(fake.value(FakeDrm::crtc, "GAMMA_LUT"), 0U);
  Modeset modeset(*device);
  modeset.turnOff(*panel);
  ASSERT_TRUE(modeset.commit());
  EXPECT_EQ(fake.value(FakeDrm::crtc, "GAMMA_LUT"), 0U);
}

TEST(KmsPipe, CrtcWithoutATableHasNoGamma) {
  FakeDrm fake;
  const auto device = KmsDevice::open(fake.takeDevice(), "/dev/dri/fake").value();
  KmsPipe pipe(*device, device->connectors()[0], device->crtcs()[0], {device->planes()[0]});
  EXPECT_EQ(pipe.gammaSize(), 0U);
  const auto done = pipe.setGamma(std::vector<GammaEntry>(FakeDrm::gammaSize));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(pipe.setGamma({}));
}

// A previous master had the connectors crossed, a third connector's CRTC on, and an overlay of its own over everything.
TEST_F(Pipes, TakingOverLeavesNothingOfThePreviousMaster) {
  fake.setValue(FakeDrm::panel, "CRTC_ID", FakeDrm::secondCrtc);
  fake.setValue(FakeDrm::secondCrtc, "MODE_ID", fake.makeBlob({}));
  fake.setValue(FakeDrm::secondCrtc, "ACTIVE", 1);
  fake.setValue(FakeDrm::secondCrtc, "GAMMA_LUT", fake.makeBlob({}));
  fake.setValue(FakeDrm::cursor, "FB_ID", 7);
  fake.setValue(FakeDrm::cursor, "CRTC_ID", FakeDrm::secondCrtc);
  EXPECT_EQ(turnOn(*panel).error().number, EINVAL); // the second CRTC would be left without a connector
  EXPECT_EQ(held, 0);
  EXPECT_FALSE(panel->mode());

  KmsFrame first = frame(*panel, {FakeDrm::primary});
  Modeset modeset(*device);
  ASSERT_TRUE(modeset.turnOn(*panel, panel->connector().modes[0], first));
  modeset.turnOffTheRest();
  ASSERT_TRUE(modeset.test());
  EXPECT_EQ(fake.value(FakeDrm::secondCrtc, "ACTIVE"), 1U); // a test changes nothing
  ASSERT_TRUE(modeset.commit());
  EXPECT_EQ(fake.value(FakeDrm::panel, "CRTC_ID"), FakeDrm::crtc);
  EXPECT_EQ(fake.value(FakeDrm::secondCrtc, "ACTIVE"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::secondCrtc, "MODE_ID"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::secondCrtc, "GAMMA_LUT"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::cursor, "FB_ID"), 0U);
}

/** A desktop with night light on the monitor, before a test program comes. */
void setForeignState(FakeDrm& fake) {
  fake.setValue(FakeDrm::monitor, "CRTC_ID", FakeDrm::crtc);
  fake.setValue(FakeDrm::monitor, "Colorspace", 1);
  fake.setValue(FakeDrm::crtc, "MODE_ID", fake.makeBlob(std::vector<std::byte>(68)));
  fake.setValue(FakeDrm::crtc, "ACTIVE", 1);
  fake.setValue(FakeDrm::crtc, "GAMMA_LUT", fake.makeBlob(std::vector<std::byte>(16)));
  fake.setValue(FakeDrm::secondPrimary, "FB_ID", 77);
  fake.setValue(FakeDrm::secondPrimary, "CRTC_ID", FakeDrm::crtc);
  fake.setValue(FakeDrm::secondPrimary, "zpos", 4);
}

TEST_F(Pipes, StateIsRestored) {
  setForeignState(fake);
  {
    const auto before = KmsState::save(*device);
    ASSERT_TRUE(before) << before.error().text();
    KmsFrame first = frame(*panel, {FakeDrm::primary});
    Modeset modeset(*device);
    ASSERT_TRUE(modeset.turnOn(*panel, panel->connector().modes[0], first));
    modeset.turnOffTheRest();
    ASSERT_TRUE(modeset.commit());
    EXPECT_EQ(fake.value(FakeDrm::monitor, "CRTC_ID"), 0U);
    EXPECT_EQ(fake.value(FakeDrm::crtc, "GAMMA_LUT"), 0U);
    panel->forget();
    ASSERT_TRUE(before->restore());
  }
  EXPECT_EQ(fake.value(FakeDrm::monitor, "CRTC_ID"), FakeDrm::crtc);
  EXPECT_EQ(fake.value(FakeDrm::panel, "CRTC_ID"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::monitor, "Colorspace"), 1U);
  EXPECT_EQ(fake.value(FakeDrm::crtc, "ACTIVE"), 1U);
  EXPECT_NE(fake.value(FakeDrm::crtc, "GAMMA_LUT"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::primary, "FB_ID"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::secondPrimary, "FB_ID"), 77U);
  EXPECT_EQ(fake.value(FakeDrm::secondPrimary, "zpos"), 4U);
}

TEST_F(Pipes, StateThatIsNotPossibleAnyMoreIsOff) {
  setForeignState(fake);
  const auto before = KmsState::save(*device);
  ASSERT_TRUE(before);
  fake.refusedWidths = {0}; // the width of that mode
  ASSERT_TRUE(before->restore());
  EXPECT_EQ(fake.value(FakeDrm::crtc, "ACTIVE"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::monitor, "CRTC_ID"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::secondPrimary, "FB_ID"), 0U);
  fake.commitErrno = EACCES;
  EXPECT_EQ(before->restore().error().number, EACCES);
}

TEST_F(Pipes, TwoPipesInOneModeset) {
  KmsFrame left = frame(*panel, {FakeDrm::primary});
  KmsFrame right = frame(*monitor, {FakeDrm::secondPrimary});
  Modeset modeset(*device);
  ASSERT_TRUE(modeset.turnOn(*panel, panel->connector().modes[1], left));
  ASSERT_TRUE(modeset.turnOn(*monitor, monitor->connector().modes[39], right));
  modeset.turnOffTheRest();
  ASSERT_TRUE(modeset.commit());
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_ATOMIC], 1);
  EXPECT_EQ(fake.value(FakeDrm::monitor, "CRTC_ID"), FakeDrm::secondCrtc);
  EXPECT_EQ(panel->mode()->size, (Size{1280, 720}));
  EXPECT_EQ(monitor->mode()->size, (Size{800 + 16 * 39, 600}));
}

TEST_F(Pipes, FailedModesetOfOneChangesNeither) {
  ASSERT_TRUE(turnOn(*panel));
  fake.refusedWidths = {800};
  KmsFrame left = frame(*panel, {FakeDrm::primary});
  KmsFrame right = frame(*monitor, {FakeDrm::secondPrimary});
  Modeset modeset(*device);
  ASSERT_TRUE(modeset.turnOn(*panel, panel->connector().modes[1], left));
  ASSERT_TRUE(modeset.turnOn(*monitor, monitor->connector().modes[0], right));
  EXPECT_EQ(modeset.test().error().number, EINVAL);
  EXPECT_EQ(modeset.commit().error().number, EINVAL);
  EXPECT_EQ(panel->mode()->size, (Size{1920, 1080}));
  EXPECT_FALSE(monitor->mode());
  EXPECT_EQ(fake.value(FakeDrm::monitor, "CRTC_ID"), 0U);
  EXPECT_EQ(panel->counters().atomic.failedCommits, 1U);
}

TEST_F(Pipes, TurnOffGivesEverythingBack) {
  ASSERT_TRUE(turnOn(*panel));
  Modeset modeset(*device);
  modeset.turnOff(*panel);
  ASSERT_TRUE(modeset.commit());
  EXPECT_FALSE(panel->mode());
  EXPECT_EQ(held, 0);
  EXPECT_EQ(fake.value(FakeDrm::panel, "CRTC_ID"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::crtc, "MODE_ID"), 0U);
  EXPECT_EQ(fake.value(FakeDrm::primary, "FB_ID"), 0U);
}

TEST_F(Pipes, FrameNamesOnlyThePlanesOfItsOutput) {
  ASSERT_TRUE(turnOn(*panel));
  ASSERT_TRUE(turnOn(*monitor));
  KmsFrame next = frame(*panel, {FakeDrm::primary, FakeDrm::overlay});
  ASSERT_TRUE(panel->submit(next));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT);
  for (const Setting& setting : fake.lastAtomic)
    EXPECT_FALSE(setting.object == FakeDrm::secondPrimary || setting.object == FakeDrm::secondCrtc) << setting.property;
  EXPECT_EQ(fake.value(FakeDrm::secondPrimary, "FB_ID"), 1000 + FakeDrm::secondPrimary);
  EXPECT_EQ(fake.value(FakeDrm::secondOverlay, "FB_ID"), 0U);
  fake.sendFlip(FakeDrm::crtc, fake.lastAtomicUserData);
  ASSERT_TRUE(device->dispatchEvents([&](const FlipEvent& event) { EXPECT_TRUE(panel->handleFlip(event)); }));
  EXPECT_EQ(panel->counters().flips, 1U);
}

TEST_F(Pipes, EveryUsedPlaneHasItsPlaceInTheStackWritten) {
  ASSERT_TRUE(turnOn(*panel));
  for (const uint32_t id : {FakeDrm::primary, FakeDrm::overlay})
    fake.setValue(id, "zpos", 8); // another master's
  KmsFrame next = frame(*panel, {FakeDrm::primary, FakeDrm::overlay, FakeDrm::secondOverlay});
  next.planes[2].zpos = 7;
  ASSERT_TRUE(panel->submit(next));
  EXPECT_EQ(fake.value(FakeDrm::primary, "zpos"), 5U); // as when the device was opened
  EXPECT_EQ(fake.value(FakeDrm::overlay, "zpos"), 2U);
  EXPECT_EQ(fake.value(FakeDrm::secondOverlay, "zpos"), 7U);
}

TEST_F(Pipes, BuffersAreHeldUntilTheyAreReplaced) {
  ASSERT_TRUE(turnOn(*panel));
  KmsFrame next = frame(*panel, {FakeDrm::primary, FakeDrm::overlay});
  ASSERT_TRUE(panel->test(next));
  EXPECT_TRUE(next.planes[0].lock); // a test takes nothing
  ASSERT_TRUE(panel->submit(next));
  EXPECT_TRUE(panel->flipPending());
  EXPECT_EQ(held, 3);
  ASSERT_TRUE(panel->handleFlip({FakeDrm::crtc, 1, 0, fake.lastAtomicUserData}));
  EXPECT_EQ(held, 2);
  KmsFrame last = frame(*panel, {FakeDrm::primary});
  ASSERT_TRUE(panel->show(last));
  EXPECT_EQ(fake.lastAtomicFlags, 0U);
  EXPECT_EQ(held, 1);
  panel->forget();
  EXPECT_EQ(held, 0);
}

TEST_F(Pipes, RefusedFrameKeepsItsBuffersAndThePicture) {
  ASSERT_TRUE(turnOn(*panel));
  KmsFrame next = frame(*panel, {FakeDrm::primary, FakeDrm::overlay});
  fake.commitErrno = EBUSY;
  EXPECT_EQ(panel->submit(next).error().number, EBUSY);
  EXPECT_FALSE(panel->flipPending());
  EXPECT_TRUE(next.planes[0].lock && next.planes[1].lock);
  EXPECT_EQ(held, 3);
}

TEST_F(Pipes, OnlyItsOwnFlipCompletesAFrame) {
  ASSERT_TRUE(turnOn(*panel));
  KmsFrame before = frame(*panel, {FakeDrm::primary});
  ASSERT_TRUE(panel->submit(before));
  const uint64_t stale = fake.lastAtomicUserData;
  panel->forget(); // the session was switched away
  ASSERT_TRUE(turnOn(*panel));
  KmsFrame after = frame(*panel, {FakeDrm::primary});
  ASSERT_TRUE(panel->submit(after));
  const uint64_t current = fake.lastAtomicUserData;
  EXPECT_FALSE(panel->handleFlip({FakeDrm::crtc, 1, 0, stale}));
  EXPECT_FALSE(panel->handleFlip({FakeDrm::secondCrtc, 1, 0, current}));
  EXPECT_TRUE(panel->flipPending());
  EXPECT_TRUE(panel->handleFlip({FakeDrm::crtc, 2, 0, current}));
  EXPECT_FALSE(panel->handleFlip({FakeDrm::crtc, 3, 0, current}));
}

TEST_F(Pipes, OverlayGoesToAnotherOutputAfterItWasTurnedOff) {
  ASSERT_TRUE(turnOn(*panel));
  ASSERT_TRUE(turnOn(*monitor));
  KmsFrame both = frame(*panel, {FakeDrm::primary, FakeDrm::overlay});
  ASSERT_TRUE(panel->submit(both));
  panel->handleFlip({FakeDrm::crtc, 1, 0, fake.lastAtomicUserData});
  const Plane moving = plane(*panel, FakeDrm::overlay);
  panel->setPlanes(planes({FakeDrm::primary}));
  EXPECT_TRUE(panel->isReleasing(moving));
  KmsFrame one = frame(*panel, {FakeDrm::primary});
  ASSERT_TRUE(panel->submit(one));
  EXPECT_EQ(fake.value(FakeDrm::overlay, "CRTC_ID"), 0U);
  EXPECT_TRUE(panel->isReleasing(moving)); // until the flip
  panel->handleFlip({FakeDrm::crtc, 2, 0, fake.lastAtomicUserData});
  EXPECT_FALSE(panel->isReleasing(moving));
  monitor->setPlanes(planes({FakeDrm::secondPrimary, FakeDrm::overlay}));
  KmsFrame there = frame(*monitor, {FakeDrm::secondPrimary, FakeDrm::overlay});
  ASSERT_TRUE(monitor->submit(there));
  EXPECT_EQ(fake.value(FakeDrm::overlay, "CRTC_ID"), FakeDrm::secondCrtc);
}

TEST_F(Pipes, HdcpIsAskedForAndKeptAcrossModesets) {
  const auto kernelSays = [&](uint64_t value) {
    fake.setValue(FakeDrm::monitor, "Content Protection", value);
    ASSERT_TRUE(device->rereadProperties(FakeDrm::monitor));
    monitor->setConnector(connector(FakeDrm::monitor));
  };
  EXPECT_EQ(monitor->connector().contentProtection(), ContentProtection::Undesired);
  ASSERT_TRUE(turnOn(*monitor));
  ASSERT_TRUE(monitor->askContentProtection(Hdcp::Type1));
  EXPECT_EQ(fake.value(FakeDrm::monitor, "HDCP Content Type"), 1U);
  EXPECT_EQ(fake.lastAtomicFlags & DRM_MODE_ATOMIC_ALLOW_MODESET, 0U);
  EXPECT_EQ(monitor->connector().contentProtection(), ContentProtection::Desired);
  kernelSays(2);
  EXPECT_EQ(monitor->connector().contentProtection(), ContentProtection::Enabled);
  const int commits = fake.calls[DRM_IOCTL_MODE_ATOMIC];
  ASSERT_TRUE(monitor->askContentProtection(Hdcp::Type1)); // again: nothing is asked
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_ATOMIC], commits);
  ASSERT_TRUE(monitor->askContentProtection(Hdcp::Type0)); // Enabled was the answer for type 1
  EXPECT_EQ(fake.value(FakeDrm::monitor, "HDCP Content Type"), 0U);
  EXPECT_EQ(monitor->connector().contentProtection(), ContentProtection::Desired);
  kernelSays(2);
  ASSERT_TRUE(turnOn(*monitor, 1));
  EXPECT_EQ(fake.value(FakeDrm::monitor, "Content Protection"), 1U);
  EXPECT_EQ(monitor->connector().contentProtection(), ContentProtection::Desired);
  ASSERT_TRUE(monitor->askContentProtection(Hdcp::Off));
  EXPECT_EQ(fake.value(FakeDrm::monitor, "Content Protection"), 0U);
  EXPECT_EQ(monitor->connector().contentProtection(), ContentProtection::Undesired);
}

TEST_F(Pipes, PropertiesAreReadAgainWithoutAProbe) {
  fake.probed.clear();
  const int listed = fake.calls[DRM_IOCTL_MODE_GETRESOURCES];
  fake.setValue(FakeDrm::monitor, "link-status", DRM_MODE_LINK_STATUS_BAD);
  ASSERT_TRUE(device->rereadProperties(FakeDrm::monitor));
  EXPECT_EQ(connector(FakeDrm::monitor).properties[ConnectorProperty::LinkStatus].value, DRM_MODE_LINK_STATUS_BAD);
  EXPECT_EQ(fake.probed, std::vector<uint32_t>{});
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_GETRESOURCES], listed);
  EXPECT_EQ(device->rereadProperties(9999).error().kind, ErrorKind::Missing);
}

TEST_F(Pipes, HdcpThatIsRefusedIsAskedForAgain) {
  ASSERT_TRUE(turnOn(*monitor));
  fake.commitErrno = EINVAL;
  EXPECT_EQ(monitor->askContentProtection(Hdcp::Type0).error().number, EINVAL);
  fake.commitErrno = 0;
  ASSERT_TRUE(monitor->askContentProtection(Hdcp::Type0));
  EXPECT_EQ(fake.value(FakeDrm::monitor, "Content Protection"), 1U);
}

TEST_F(Pipes, HdcpThatNeedsAModesetGetsOne) {
  ASSERT_TRUE(turnOn(*monitor));
  fake.testErrno = EINVAL;
  ASSERT_TRUE(monitor->askContentProtection(Hdcp::Type1));
  EXPECT_EQ(fake.lastAtomicFlags, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

TEST_F(Pipes, ConnectorWithoutHdcpIsLeftAlone) {
  ASSERT_TRUE(turnOn(*panel));
  EXPECT_EQ(panel->connector().contentProtection(), ContentProtection::Unsupported);
  const int commits = fake.calls[DRM_IOCTL_MODE_ATOMIC];
  ASSERT_TRUE(panel->askContentProtection(Hdcp::Type1));
  EXPECT_EQ(fake.calls[DRM_IOCTL_MODE_ATOMIC], commits);
}

TEST_F(Pipes, RescanProbesNoMoreThanItHasTo) {
  fake.probed.clear();
  ASSERT_TRUE(device->rescanConnectors(KmsDevice::Probe::None));
  EXPECT_EQ(fake.probed, std::vector<uint32_t>{});
  EXPECT_EQ(connector(FakeDrm::monitor).modes.size(), 40U);
  ASSERT_TRUE(device->rescanConnectors(KmsDevice::Probe::One, FakeDrm::monitor));
  EXPECT_EQ(fake.probed, std::vector<uint32_t>{FakeDrm::monitor});
  ASSERT_TRUE(device->rescanConnectors());
  EXPECT_EQ(fake.probed.size(), 4U);
}

TEST_F(Pipes, SteadyFramesAllocateNothing) {
  ASSERT_TRUE(turnOn(*panel));
  KmsFrame next;
  next.planes.reserve(3);
  const auto show = [&] {
    next.planes.clear();
    for (const uint32_t id : {FakeDrm::primary, FakeDrm::overlay})
      next.planes.push_back({.plane = &plane(*panel, id), .framebufferId = 1, .lock = lock(), .isYuv = true});
    ASSERT_TRUE(panel->submit(next));
    panel->handleFlip({FakeDrm::crtc, 1, 0, fake.lastAtomicUserData});
  };
  for (int i = 0; i < 3; ++i)
    show();
  const auto cookie = fake.lastAtomicUserData;
  fake.records = false; // what the fake itself does, allocates
  const uint64_t before = allocationCount();
  for (uint64_t i = 1; i < 10; ++i) {
    fake.lastAtomicUserData = cookie + i;
    show();
  }
  EXPECT_EQ(allocationCount(), before);
  EXPECT_EQ(panel->counters().flips, 12U);
}

} // namespace
