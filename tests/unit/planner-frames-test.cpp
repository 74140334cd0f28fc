#include <gtest/gtest.h>

#include <random>

#include "protected-path/base/clock.h"
#include "protected-path/planes/layer_fit.h"
#include "tests/unit/allocation_counter.h"
#include "tests/unit/picture_oracle.h"
#include "tests/unit/plane_builder.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

// ---- From frame to frame

/** A planner with its counts. */
struct Frames {
  explicit Frames(std::vector<Plane> hardware) : planes(std::move(hardware)), planner(makeOutput(), planes) {}
  const FramePlan& next() {
    tests = 0;
    planner.plan(
        layers, time,
        [this](const FramePlan&) {
          ++tests;
          return answer;
        },
        plan);
    return plan;
  }
  std::vector<Plane> planes;
  Planner planner;
  std::vector<Layer> layers;
  FramePlan plan;
  unsigned tests = 0;
  Result<> answer;
  Nanoseconds time = 0;
};

TEST(PlannerMemory, SteadyStateAsksAndAllocatesNothing) {
  Frames frames(fullHardware());
  frames.layers = {makeShm(1, whole), makeProtected(2, box), makeShm(3, strip), makePanel(9, pointer)};
  frames.next();
  EXPECT_EQ(frames.tests, 1U);
  PlanTest test = [](const FramePlan&) { return ADD_FAILURE() << "asked", verdict(true); };
  FramePlan plan = frames.plan;
  const uint64_t before = allocationCount();
  for (int i = 0; i < 100; ++i)
    frames.planner.plan(frames.layers, frames.time, test, plan);
  EXPECT_EQ(allocationCount(), before);
  EXPECT_EQ(plan.layers[1].planeId, underlayId);
}

TEST(PlannerMemory, KnownShapesAskAndAllocateNothing) {
  Frames frames(fullHardware());
  frames.layers = {makeProtected(2, box), makeShm(3, strip)};
  std::vector<Layer> withoutPanel = {frames.layers[0]};
  frames.next();
  frames.layers.swap(withoutPanel);
  frames.next();
  EXPECT_EQ(frames.tests, 1U);
  PlanTest test = [](const FramePlan&) { return ADD_FAILURE() << "asked", verdict(true); };
  const uint64_t before = allocationCount();
  for (int i = 0; i < 10; ++i) { // a panel that blinks
    frames.layers.swap(withoutPanel);
    frames.planner.plan(frames.layers, frames.time, test, frames.plan);
  }
  EXPECT_EQ(allocationCount(), before);
}

TEST(PlannerMemory, RefusalsAreRemembered) {
  Frames frames(overlayHardware(3));
  frames.answer = verdict(false);
  frames.layers = {makeProtected(2, box)};
  frames.next();
  EXPECT_EQ(frames.tests, 3U);
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
  frames.planner.forget();
  frames.answer = verdict(true);
  EXPECT_EQ(frames.next().layers[0].planeId, overlayA);
  EXPECT_EQ(frames.tests, 1U);
}

TEST(PlannerMemory, ATransientErrorIsNoAnswer) {
  Frames frames(overlayHardware(1));
  frames.answer = systemError("DRM_IOCTL_MODE_ADDFB2", "a buffer", ENOMEM);
  frames.layers = {makeProtected(2, box)};
  EXPECT_EQ(frames.next().layers[0].refusal, Refusal::PlaneTestRefused);
  EXPECT_TRUE(frames.planner.isProvisional());
  EXPECT_EQ(frames.next().layers[0].refusal, Refusal::PlaneTestRefused);
  EXPECT_GT(frames.tests, 0U) << "asked again";
  frames.answer = verdict(true);
  EXPECT_EQ(frames.next().layers[0].planeId, overlayA);
  EXPECT_EQ(frames.tests, 1U);
  EXPECT_FALSE(frames.planner.isProvisional());
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
}

TEST(PlannerMemory, HardwareThatAnotherOutputHasIsAnAnswer) {
  Frames frames(overlayHardware(1));
  frames.answer = systemError("DRM_IOCTL_MODE_ATOMIC", "a plan", EBUSY);
  frames.layers = {makeProtected(2, box)};
  EXPECT_EQ(frames.next().layers[0].refusal, Refusal::PlaneTestRefused);
  EXPECT_FALSE(frames.planner.isProvisional());
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
}

TEST(PlannerMemory, MovesAskNothing) {
  Frames frames(fullHardware());
  frames.layers = {makeVideo(2, box), makePanel(9, pointer)};
  frames.next();
  EXPECT_EQ(frames.tests, 1U);
  for (int i = 0; i < 60; ++i) {
    frames.layers[1].destination.x += 3; // over the video, and out of it
    frames.layers[1].destination.y += 12;
    const bool outside = !overlaps(frames.layers[1].destination, frames.layers[0].destination);
    EXPECT_EQ(frames.next().layers[1].planeId, cursorId);
    EXPECT_LE(frames.tests, outside ? 1U : 0U) << i;
  }
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
}

// Some controllers refuse odd corners of subsampled formats.
TEST(PlannerMemory, OddCornersOfSubsampledFormatsAreOtherShapes) {
  Frames frames(fullHardware());
  frames.layers = {makeVideo(2, box)};
  frames.next();
  frames.layers[0].destination.x += 1;
  frames.next();
  EXPECT_EQ(frames.tests, 1U);
  frames.layers[0].destination.x += 1;
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
}

TEST(PlannerMemory, JitterOfRatesChangesNothing) {
  Frames frames(overlayHardware(1));
  frames.layers = {makeVideo(2, box), makeVideo(3, corner)};
  frames.next();
  for (const double rate : {24.0, 25.0, 29.97, 30.0, 33.0}) {
    frames.layers[0].changesPerSecond = rate;
    EXPECT_EQ(frames.next().layers[0].planeId, overlayA);
    EXPECT_EQ(frames.tests, 0U) << rate;
  }
}

TEST(PlannerMemory, SlowLayersStayWhereTheyAre) {
  Frames frames(overlayHardware(1));
  frames.layers = {makeVideo(2, box)};
  const auto pathAt = [&](double rate) {
    frames.layers[0].changesPerSecond = rate;
    return frames.next().layers[0].path;
  };
  EXPECT_EQ(pathAt(0.9), Path::Composited);
  EXPECT_EQ(pathAt(1.1), Path::Plane);
  EXPECT_EQ(pathAt(0.9), Path::Plane);
  EXPECT_EQ(pathAt(0.4), Path::Composited);
  EXPECT_EQ(pathAt(0.9), Path::Composited);
  EXPECT_EQ(pathAt(std::numeric_limits<double>::quiet_NaN()), Path::Composited);
}

TEST(PlannerMemory, TestsAreBounded) {
  Frames frames(overlayHardware(12));
  frames.answer = verdict(false);
  for (int i = 0; i < 12; ++i)
    frames.layers.push_back(makeProtected(static_cast<uint64_t>(i), {i * 100, 0, 90 - i, 90}));
  frames.next();
  EXPECT_EQ(frames.tests, Planner::maximumTests);
  for (const auto& outcome : frames.plan.layers)
    EXPECT_EQ(outcome.refusal, Refusal::PlaneTestRefused);
  int frameCount = 1;
  for (; frames.planner.isProvisional(); ++frameCount) {
    ASSERT_LT(frameCount, 20);
    frames.next();
    EXPECT_LE(frames.tests, Planner::maximumTests);
  }
  EXPECT_GT(frameCount, 1) << "the search goes on where tests ran out";
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
}

// ---- A display that lies (profile untrusted-display)

TEST(PlannerCommitFailed, SameFrameComposesAndTheReasonStays) {
  Frames frames(fullHardware());
  frames.layers = {makeVideo(1, corner), makeProtected(2, box)};
  frames.next();
  ASSERT_EQ(frames.plan.planesUsed(), 2U);

  frames.planner.commitFailed(frames.layers, frames.plan);
  frames.next(); // the same frame
  EXPECT_EQ(frames.tests, 0U);
  EXPECT_EQ(frames.plan.planesUsed(), 0U);
  EXPECT_TRUE(frames.plan.composes());
  EXPECT_EQ(frames.plan.layers[0].path, Path::Composited);
  EXPECT_EQ(frames.plan.layers[0].refusal, Refusal::PlaneCommitFailed);
  EXPECT_EQ(frames.plan.layers[1].path, Path::Placeholder);
  EXPECT_EQ(frames.plan.layers[1].refusal, Refusal::PlaneCommitFailed);

  frames.next(); // the next one: the mandatory layer alone
  EXPECT_EQ(frames.plan.layers[1].path, Path::Plane);
  EXPECT_EQ(frames.plan.layers[0].refusal, Refusal::PlaneCommitFailed);
  frames.planner.commitFailed(frames.layers, frames.plan);
  frames.next();
  EXPECT_EQ(frames.plan.planesUsed(), 0U);

  frames.next(); // the other one alone, which this display can show
  EXPECT_EQ(frames.plan.layers[0].path, Path::Plane);
  EXPECT_EQ(frames.plan.layers[1].path, Path::Placeholder);
  EXPECT_EQ(frames.plan.layers[1].refusal, Refusal::PlaneCommitFailed);
  frames.next();
  EXPECT_EQ(frames.tests, 0U);
}

TEST(PlannerCommitFailed, HoldsWhereverTheSurfaceGoes) {
  Frames frames(fullHardware());
  frames.layers = {makeProtected(2, box)};
  frames.next();
  frames.planner.commitFailed(frames.layers, frames.plan);
  frames.next();
  for (int x = 0; x < 5; ++x) {
    frames.layers[0].destination.x = x;
    frames.next();
    EXPECT_EQ(frames.plan.layers[0].refusal, Refusal::PlaneCommitFailed);
    EXPECT_EQ(frames.tests, 0U);
  }
  frames.layers[0].id = 3; // another surface is another try
  EXPECT_EQ(frames.next().layers[0].path, Path::Plane);
}

TEST(PlannerCommitFailed, ATransientFailureIsForgottenWithItsFrame) {
  Frames frames(fullHardware());
  frames.layers = {makeProtected(2, box)};
  frames.next();
  ASSERT_EQ(frames.plan.planesUsed(), 1U);
  frames.planner.commitFailed(frames.layers, frames.plan, true);
  frames.next();
  EXPECT_EQ(frames.plan.planesUsed(), 0U) << "the same frame again (R7)";
  EXPECT_EQ(frames.plan.layers[0].refusal, Refusal::PlaneCommitFailed);
  EXPECT_TRUE(frames.planner.isProvisional());
  frames.next();
  EXPECT_EQ(frames.plan.planesUsed(), 1U);
  EXPECT_FALSE(frames.planner.isProvisional());
  EXPECT_EQ(frames.tests, 0U);
}

// A display that fails every commit with planes must come to rest, each frame with at most two commits.
TEST(PlannerCommitFailed, ComesToRest) {
  Frames frames(fullHardware());
  frames.layers = {makeProtected(2, box), makeVideo(3, corner), makePanel(9, pointer),
                   makeVideo(4, {0, 900, 120, 100})};
  int failingFrames = 0;
  while (frames.next().planesUsed() != 0) {
    ASSERT_LE(++failingFrames, 5); // all together, then each alone
    frames.planner.commitFailed(frames.layers, frames.plan);
    ASSERT_EQ(frames.next().planesUsed(), 0U);
  }
  std::printf("frames until a lying display is known: %d\n", failingFrames);
  EXPECT_EQ(frames.next().planesUsed(), 0U);
}

// ---- Properties over random lists

struct Random {
  explicit Random(uint32_t seed) : engine(seed) {}
  int upTo(int most) { return std::uniform_int_distribution<int>(0, most)(engine); }
  bool oneIn(int n) { return upTo(n - 1) == 0; }
  std::mt19937 engine;
};

std::vector<Plane> randomPlanes(Random& random) {
  std::vector<Plane> planes = {makePrimary(static_cast<uint32_t>(random.upTo(2)))};
  const int overlays = random.upTo(5);
  for (int i = 0; i < overlays; ++i) {
    const auto stacking = static_cast<uint32_t>(i) + (static_cast<uint32_t>(i) >= planes[0].stacking ? 1 : 0);
    Plane plane = makeOverlay(100 + static_cast<uint32_t>(i), stacking);
    if (random.oneIn(4)) plane.formats = {{DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR}};
    if (random.oneIn(3)) giveAlpha(plane);
    planes.push_back(plane);
  }
  if (random.oneIn(2)) planes.push_back(makeCursor(50));
  if (random.oneIn(2)) return planes;
  for (Plane& plane : planes) { // zpos that can be written
    if (random.oneIn(3)) continue;
    plane.zpos.minimum = static_cast<uint32_t>(random.upTo(3));
    plane.zpos.maximum = plane.zpos.minimum + static_cast<uint32_t>(random.upTo(8));
  }
  return planes;
}

Layer randomLayer(Random& random, uint64_t id) {
  const Rect where{random.upTo(2000) - 100, random.upTo(1200) - 100, 1 + random.upTo(1000), 1 + random.upTo(700)};
  Layer layer = random.oneIn(8) ? makeVideo(id, whole) : makeVideo(id, where);
  layer.changesPerSecond = random.oneIn(3) ? 0 : random.upTo(120);
  if (random.oneIn(2)) layer.fourcc = DRM_FORMAT_ARGB8888;
  if (random.oneIn(3)) layer.opaque = false;
  if (random.oneIn(6)) layer.alpha = 0x4000;
  if (random.oneIn(4)) layer.composeRefusal = Refusal::GpuNoProtectedMemory;
  if (random.oneIn(6)) layer.planeRefusal = Refusal::PlaneNotDmabuf;
  if (random.oneIn(8)) layer.showRefusal = Refusal::OutputNotAllowed;
  if (random.oneIn(8)) layer.source = SourceRect::whole({100, 100});
  if (random.oneIn(8)) layer.destination.width = layer.destination.height = 48;
  return layer;
}

/** What holds for every plan, also for those that are only asked for. */
void checkPlan(std::span<const Plane> planes, std::span<const Layer> layers, const FramePlan& plan) {
  ASSERT_EQ(plan.layers.size(), layers.size());
  EXPECT_EQ(PictureOracle(planes, layers, outputSize).fault(plan), "");
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    EXPECT_EQ(outcome.path == Path::Plane, outcome.refusal == Refusal::None);
    EXPECT_FALSE(isMandatory(layers[i]) && outcome.path == Path::Composited);
    if (layers[i].showRefusal != Refusal::None) {
      EXPECT_EQ(outcome.refusal, layers[i].showRefusal);
    }
    if (outcome.path != Path::Plane) continue;
    EXPECT_EQ(layers[i].planeRefusal, Refusal::None);
    if (outcome.planeId == planes[0].id) {
      EXPECT_TRUE(layers[i].destination.contains(whole)) << "the primary takes what covers the output";
    }
  }
}

TEST(PlannerProperties, RandomLists) {
  const char* given = std::getenv("VITRINE_SEED");
  const uint32_t seed =
      given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::printf("VITRINE_SEED=%u\n", seed);
  Random random(seed);
  for (int round = 0; round < 3000 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const std::vector<Plane> planes = randomPlanes(random);
    std::vector<Layer> layers;
    const int count = random.upTo(12);
    for (int i = 0; i < count; ++i)
      layers.push_back(randomLayer(random, static_cast<uint64_t>(i)));
    PlannerOutput output = makeOutput();
    if (random.oneIn(2)) {
      output.upperFourcc = DRM_FORMAT_ARGB8888;
      output.upperModifier = DRM_FORMAT_MOD_LINEAR;
    }
    Planner planner(output, planes);
    const int refuseOneIn = 1 + random.upTo(3);
    std::vector<FramePlan> refused;
    unsigned tests = 0;
    PlanTest test = [&](const FramePlan& candidate) {
      ++tests;
      checkPlan(planes, layers, candidate);
      return verdict(refuseOneIn > 3 || !random.oneIn(refuseOneIn));
    };
    FramePlan plan;
    planner.plan(layers, 0, test, plan);
    EXPECT_LE(tests, Planner::maximumTests);
    checkPlan(planes, layers, plan);
    for (int frames = 0; planner.isProvisional(); ++frames) {
      ASSERT_LT(frames, 100);
      planner.plan(layers, 0, test, plan);
    }

    const FramePlan first = plan;
    tests = 0;
    const uint64_t before = allocationCount();
    planner.plan(layers, 0, test, plan);
    EXPECT_EQ(allocationCount(), before);
    EXPECT_EQ(tests, 0U);
    for (size_t i = 0; i < layers.size(); ++i)
      EXPECT_EQ(plan.layers[i].planeId, first.layers[i].planeId);

    if (plan.planesUsed() == 0) continue;
    planner.commitFailed(layers, plan);
    planner.plan(layers, 0, test, plan);
    EXPECT_EQ(plan.planesUsed(), 0U);
    EXPECT_EQ(tests, 0U);
    checkPlan(planes, layers, plan);
  }
}

// ---- Cost

TEST(PlannerCost, ThirtyTwoLayersOnTenPlanes) {
  const auto cpuMicroseconds = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(toNanoseconds(time)) / 1000;
  };
  std::vector<Plane> planes = {makeOverlay(1, 0), makeOverlay(2, 1), makePrimary(2)};
  for (uint32_t i = 3; i < 9; ++i)
    planes.push_back(makeOverlay(100 + i, i));
  planes.push_back(makeCursor(9));
  Random random(1);
  double worst = 0;
  double total = 0;
  double steady = 0;
  constexpr int rounds = 500;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Layer> layers;
    for (uint64_t i = 0; i < 32; ++i)
      layers.push_back(randomLayer(random, i));
    Planner planner(makeOutput(), planes);
    PlanTest test = [&](const FramePlan&) { return verdict(round % 2 == 0); };
    FramePlan plan;
    const double start = cpuMicroseconds();
    planner.plan(layers, 0, test, plan);
    const double middle = cpuMicroseconds();
    planner.plan(layers, 0, test, plan);
    steady += cpuMicroseconds() - middle;
    total += middle - start;
    worst = std::max(worst, middle - start);
  }
  std::printf("32 layers, 10 planes: new shape mean %.1f us, worst %.1f us; same shape mean %.2f us\n", total / rounds,
              worst, steady / rounds);
  RecordProperty("new_shape_mean_us", std::to_string(total / rounds));
  RecordProperty("same_shape_mean_us", std::to_string(steady / rounds));
}

} // namespace
