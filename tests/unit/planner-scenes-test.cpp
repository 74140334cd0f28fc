// Named scenes: each is the smallest one in which a planner lost a plane, a mandatory layer or the right picture.
#include <gtest/gtest.h>

#include "protected-path/planes/layer_fit.h"
#include "tests/unit/picture_oracle.h"
#include "tests/unit/plane_builder.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

using Accepts = std::function<bool(std::span<const Layer>, const FramePlan&)>;

/** A planner with hardware that answers by a rule. */
struct Scene {
  Scene(std::vector<Plane> hardware, std::vector<Layer> list, Accepts rule = {}, PlannerOutput output = makeOutput())
      : planes(std::move(hardware)), layers(std::move(list)), accepts(std::move(rule)), planner(output, planes) {}

  const FramePlan& next() {
    tests = 0;
    const auto test = [this](const FramePlan& candidate) {
      ++tests;
      return verdict(!accepts || accepts(layers, candidate));
    };
    planner.plan(layers, time, test, plan);
    EXPECT_EQ(PictureOracle(planes, layers, outputSize).fault(plan), "");
    return plan;
  }
  /** The plane of each layer, 0 where it has none. */
  std::vector<uint32_t> planesOf() const {
    std::vector<uint32_t> ids;
    for (const LayerOutcome& outcome : plan.layers)
      ids.push_back(outcome.planeId);
    return ids;
  }

  std::vector<Plane> planes;
  std::vector<Layer> layers;
  Accepts accepts;
  Planner planner;
  FramePlan plan;
  Nanoseconds time = 1;
  unsigned tests = 0;
};

using Ids = std::vector<uint32_t>;

/** A rule for each layer on a plane. */
Accepts eachLayer(bool (*takes)(const Layer&, const LayerOutcome&)) {
  return [takes](std::span<const Layer> layers, const FramePlan& plan) {
    for (size_t i = 0; i < layers.size(); ++i) {
      if (plan.layers[i].path == Path::Plane && !takes(layers[i], plan.layers[i])) return false;
    }
    return true;
  };
}

/** Cursor planes take a few sizes only. */
bool takesCursorSizes(const Layer& layer, const LayerOutcome& outcome) {
  const int32_t width = layer.destination.width;
  return outcome.planeId != cursorId ||
         ((width == 64 || width == 128 || width == 256) && layer.destination.height == width);
}

template<uint32_t... scaling>
bool scalesOn(const Layer& layer, const LayerOutcome& outcome) {
  return !needsScaling(layer) || ((outcome.planeId == scaling) || ...);
}

Layer changing(Layer layer) {
  layer.changesPerSecond = 60;
  return layer;
}
Layer scaled(Layer layer) {
  layer.source = SourceRect::whole({33, 33});
  return layer;
}
Layer opaque(Layer layer) {
  layer.opaque = true;
  return layer;
}
/** An opaque XRGB8888 layer at 60 frames per second. */
Layer makeGame(uint64_t id, Rect where) {
  Layer layer = makeVideo(id, where);
  layer.fourcc = DRM_FORMAT_XRGB8888;
  layer.changesPerSecond = 60;
  return layer;
}
Layer mandatory(Layer layer) {
  layer.protectedContent = true;
  layer.composeRefusal = Refusal::GpuNoProtectedMemory;
  return layer;
}

const Layer desktop = opaque(makeShm(1, whole));

// ---- No composition, found only with other planes than the first

TEST(PlannerScenes, NoCompositionAfterAnotherPlaneForTheLayerAbove) {
  Plane videoOnly = makePlane(overlayA, PlaneType::Overlay, 1, {DRM_FORMAT_NV12});
  giveColours(videoOnly);
  Scene scene({makePrimary(0), videoOnly, makeOverlay(overlayB, 2)}, {makeGame(1, whole), scaled(makeVideo(2, corner))},
              eachLayer(scalesOn<overlayB>));
  EXPECT_FALSE(scene.next().composes());
  EXPECT_EQ(scene.planesOf(), (Ids{primaryId, overlayB}));
  EXPECT_EQ(scene.tests, 2U);
}

// libliftoff's test "zpos-2x-reverse".
TEST(PlannerScenes, NoCompositionWhereOnlyTheLastOverlayTakesTheSmallLayer) {
  std::vector<Plane> planes = overlayHardware(2);
  planes.push_back(makeCursor(3));
  Scene scene(planes, {makeGame(1, whole), changing(makePanel(2, corner))},
              eachLayer([](const Layer& layer, const LayerOutcome& outcome) {
                return layer.id == 1 ? outcome.planeId == primaryId : outcome.planeId == overlayB;
              }));
  EXPECT_FALSE(scene.next().composes());
  EXPECT_EQ(scene.planesOf(), (Ids{primaryId, overlayB}));
}

// ---- Cursor planes

// The way of Intel and AMD: a protected fullscreen video with a small translucent dma-buf above it.
TEST(PlannerScenes, ProtectedFullscreenVideoKeepsItsPlaneUnderABadge) {
  for (const unsigned overlays : {1U, 4U}) {
    for (const Rect where : {corner, Rect{0, 0, 300, 80}}) {
      for (const double rate : {0.0, 60.0}) {
        std::vector<Plane> planes = overlayHardware(overlays);
        planes.push_back(makeCursor(10));
        Layer badge = makePanel(2, where);
        badge.changesPerSecond = rate;
        Scene scene(planes, {mandatory(makeGame(1, whole)), badge}, eachLayer(takesCursorSizes));
        EXPECT_FALSE(scene.next().composes());
        EXPECT_EQ(scene.planesOf(), (Ids{primaryId, overlayA}));
        EXPECT_LE(scene.tests, 2U);
      }
    }
  }
}

TEST(PlannerScenes, ACursorPlaneWithAllFormatsIsAnOverlay) {
  Plane cursor = makeOverlay(cursorId, 1);
  cursor.type = PlaneType::Cursor;
  for (const Layer& layer : {mandatory(makeGame(2, box)), makeProtected(2, box)}) {
    Scene scene({makePrimary(0), cursor}, {desktop, layer});
    scene.next();
    EXPECT_EQ(scene.planesOf(), (Ids{0, cursorId}));
  }
}

// ---- What earlier steps of the search found out

TEST(PlannerScenes, ALayerStaysOnThePlaneThatAcceptedItWhenAnotherIsAdded) {
  for (const Rect where : {Rect{300, 200, 1280, 720}, Rect{1500, 100, 300, 300}}) {
    Scene scene(overlayHardware(3), {desktop, makeVideo(2, box), scaled(makeVideo(3, where))},
                eachLayer(scalesOn<overlayC>));
    scene.next();
    EXPECT_NE(scene.plan.layers[1].planeId, 0U);
    EXPECT_EQ(scene.plan.layers[2].planeId, overlayC);
  }
}

TEST(PlannerScenes, TwoScaledVideosOnTheTwoPlanesThatScale) {
  constexpr uint32_t overlayD = overlayC + 1;
  Scene scene(overlayHardware(4), {desktop, scaled(makeVideo(2, box)), scaled(makeVideo(3, {1500, 100, 300, 300}))},
              eachLayer(scalesOn<overlayC, overlayD>));
  scene.next();
  EXPECT_EQ(scene.plan.planesUsed(), 2U);
  const unsigned tests = scene.tests;
  scene.layers[2].destination.x += 2;
  scene.next();
  EXPECT_EQ(scene.plan.planesUsed(), 2U);
  EXPECT_EQ(scene.tests, 0U) << "of " << tests;
}

// ---- Alpha

TEST(PlannerScenes, ALayerWithAlphaZeroIsNotThere) {
  Layer invisible = makePanel(3, whole);
  invisible.alpha = 0;
  Scene scene(overlayHardware(1), {desktop, makeVideo(2, box), invisible});
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{0, overlayA, 0}));
}

// The set-top box: video below, the user interface in the primary above it, nothing composed.
TEST(PlannerScenes, ATranslucentLayerOnThePrimaryAboveAnUnderlay) {
  Scene scene({makeOverlay(underlayId, 0), makePrimary(1)}, {makeVideo(1, whole), changing(makePanel(2, whole))});
  EXPECT_FALSE(scene.next().composes());
  EXPECT_EQ(scene.planesOf(), (Ids{underlayId, primaryId}));
  EXPECT_EQ(scene.tests, 1U);
}

// ---- Moving

TEST(PlannerScenes, ARefusedLayerThatMovesAsksNothing) {
  Scene scene(overlayHardware(1), {makeGame(1, whole), scaled(makeVideo(2, corner))}, eachLayer(scalesOn<>));
  scene.next();
  for (int i = 0; i < 60; ++i) {
    scene.layers[1].destination.x += 2;
    scene.next();
    EXPECT_EQ(scene.tests, 0U);
  }
}

TEST(PlannerScenes, ThreeScaledVideosWithTwoScalersThatMove) {
  const auto twoScalers = [](std::span<const Layer> layers, const FramePlan& plan) {
    int used = 0;
    for (size_t i = 0; i < layers.size(); ++i)
      used += plan.layers[i].path == Path::Plane && needsScaling(layers[i]) ? 1 : 0;
    return used <= 2;
  };
  std::vector<Layer> layers = {desktop};
  for (int i = 0; i < 3; ++i)
    layers.push_back(scaled(makeVideo(2 + static_cast<uint64_t>(i), {i * 500, 100, 300 - 40 * i, 300})));
  Scene scene(overlayHardware(4), layers, twoScalers);
  scene.next();
  EXPECT_EQ(scene.plan.planesUsed(), 2U);
  for (int i = 0; i < 60; ++i) {
    scene.layers[3].destination.y += 2;
    scene.next();
    EXPECT_EQ(scene.plan.planesUsed(), 2U);
    EXPECT_EQ(scene.tests, 0U);
  }
}

TEST(PlannerScenes, AnAcceptedShapeThatFailsElsewhereIsAskedThere) {
  // Planes of this display do not reach the right half.
  const auto leftHalf = [](std::span<const Layer> layers, const FramePlan& plan) {
    return plan.layers[1].path != Path::Plane || layers[1].destination.right() <= 960;
  };
  Scene scene(overlayHardware(1), {desktop, makeVideo(2, corner)}, leftHalf);
  scene.next();
  ASSERT_EQ(scene.planesOf(), (Ids{0, overlayA}));
  scene.layers[1].destination.x = 1000;
  scene.next();
  ASSERT_EQ(scene.planesOf(), (Ids{0, overlayA}));
  ASSERT_EQ(scene.tests, 0U);
  scene.planner.commitFailed(scene.layers, scene.plan);
  scene.next();
  EXPECT_EQ(scene.plan.planesUsed(), 0U) << "the same frame again";
  scene.next();
  EXPECT_EQ(scene.tests, 1U);
  EXPECT_EQ(scene.plan.layers[1].refusal, Refusal::PlaneTestRefused) << "not PlaneCommitFailed: it did not lie";
}

// ---- Answers age

TEST(PlannerScenes, RefusalsAreAskedAgainAfterTwoTenAndSixtySeconds) {
  constexpr Nanoseconds second = 1'000'000'000;
  Scene scene(overlayHardware(1), {makeProtected(2, box)}, [](auto, const FramePlan&) { return false; });
  scene.next();
  EXPECT_EQ(scene.tests, 1U);
  for (const Nanoseconds wait : {2, 10, 60, 60}) {
    EXPECT_EQ(scene.planner.retryAt(), scene.time + wait * second);
    scene.time += wait * second - 1;
    scene.next();
    EXPECT_EQ(scene.tests, 0U) << wait;
    scene.time += 1;
    scene.next();
    EXPECT_EQ(scene.tests, 1U) << wait;
  }
  scene.accepts = {};
  scene.time += 60 * second;
  scene.next();
  EXPECT_EQ(scene.planesOf(), Ids{overlayA});
  EXPECT_EQ(scene.planner.retryAt(), 0);
}

TEST(PlannerScenes, FailedCommitsAreTriedAgainAfterTwoTenAndSixtySeconds) {
  constexpr Nanoseconds second = 1'000'000'000;
  Scene scene(overlayHardware(1), {makeProtected(2, box)});
  for (const Nanoseconds wait : {2, 10, 60, 60}) {
    scene.next();
    ASSERT_EQ(scene.plan.planesUsed(), 1U) << wait;
    scene.planner.commitFailed(scene.layers, scene.plan);
    scene.next();
    scene.next();
    EXPECT_EQ(scene.plan.layers[0].refusal, Refusal::PlaneCommitFailed);
    EXPECT_EQ(scene.planner.retryAt(), scene.time + wait * second);
    scene.time += wait * second;
  }
}

// ---- Tests that ran out

TEST(PlannerScenes, ASearchThatRanOutOfTestsGoesOnInTheNextFrame) {
  std::vector<Layer> layers = {desktop};
  for (int i = 0; i < 10; ++i)
    layers.push_back(scaled(makeVideo(2 + static_cast<uint64_t>(i), {i * 150, 0, 140 - i, 400})));
  layers.push_back(makeVideo(20, {0, 900, 64, 64}));
  Scene scene(overlayHardware(3), layers, eachLayer(scalesOn<>));
  for (int frames = 0; scene.next().layers.back().planeId == 0; ++frames) {
    ASSERT_TRUE(scene.planner.isProvisional());
    ASSERT_LT(frames, 5);
  }
  scene.next();
  EXPECT_FALSE(scene.planner.isProvisional());
  EXPECT_EQ(scene.tests, 0U);
}

// ---- zpos

Plane mobile(Plane plane, uint32_t minimum, uint32_t maximum) {
  plane.zpos = {minimum, maximum};
  return plane;
}

TEST(PlannerScenes, AnOverlayWithMutableZposIsAnUnderlayWhereOneIsNeeded) {
  const std::vector<Plane> planes = {mobile(makePrimary(0), 0, 7), mobile(makeOverlay(overlayA, 1), 0, 7)};
  Scene scene(planes, {desktop, makeProtected(2, box), makeShm(3, strip)});
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{0, overlayA, 0}));
  EXPECT_TRUE(scene.plan.layers[1].underlay);
  EXPECT_LT(scene.plan.layers[1].zpos, scene.plan.composed()[0].zpos);
  EXPECT_EQ(scene.tests, 1U);

  scene.layers.pop_back(); // nothing above it any more
  scene.next();
  EXPECT_FALSE(scene.plan.layers[1].underlay);
  EXPECT_GT(scene.plan.layers[1].zpos, scene.plan.composed()[0].zpos);
}

TEST(PlannerScenes, ZposStaysWithinTheRangesAndBelowACursorThatIsFixed) {
  std::vector<Plane> planes = {mobile(makePrimary(0), 0, 0), mobile(makeOverlay(overlayA, 1), 1, 2),
                               mobile(makeOverlay(overlayB, 2), 1, 2), mobile(makeCursor(3), 3, 3)};
  Scene scene(planes, {desktop, makeVideo(2, box), makeVideo(3, strip), makePanel(9, pointer)});
  scene.next();
  EXPECT_EQ(scene.plan.planesUsed(), 3U);
  EXPECT_EQ(scene.plan.layers[1].zpos, 1U);
  EXPECT_EQ(scene.plan.layers[2].zpos, 2U);
  EXPECT_EQ(scene.plan.layers[3].zpos, 3U);
}

TEST(PlannerScenes, NoRoomBelowThePrimaryIsNoUnderlay) {
  const std::vector<Plane> planes = {mobile(makePrimary(0), 0, 0), mobile(makeOverlay(overlayA, 1), 1, 7)};
  Scene scene(planes, {desktop, makeProtected(2, box), makeShm(3, strip)});
  scene.next();
  EXPECT_EQ(scene.plan.layers[1].refusal, Refusal::PlaneCovered);
  EXPECT_EQ(scene.tests, 0U);
}

// Where nothing but the order differs it is another plan, and asked for.
TEST(PlannerScenes, ARestackIsAnotherShape) {
  const std::vector<Plane> planes = {mobile(makePrimary(0), 0, 7), mobile(makeOverlay(overlayA, 1), 0, 7),
                                     mobile(makeOverlay(overlayB, 2), 0, 7)};
  Scene scene(planes, {desktop, makeVideo(2, box), makeGame(3, {100, 650, 400, 100})});
  scene.next();
  const auto lower = scene.plan.layers[1];
  std::swap(scene.layers[1], scene.layers[2]);
  scene.next();
  EXPECT_EQ(scene.plan.planesUsed(), 2U);
  EXPECT_GT(scene.plan.layers[2].position, scene.plan.layers[1].position);
  EXPECT_EQ(lower.position, 1);
}

// ---- Composed content on other planes than the primary

PlannerOutput outputWithUpper() {
  PlannerOutput output = makeOutput();
  output.upperFourcc = DRM_FORMAT_ARGB8888;
  output.upperModifier = DRM_FORMAT_MOD_LINEAR;
  return output;
}

// The set-top box on a board without underlays.
TEST(PlannerScenes, FullscreenVideoOnThePrimaryUnderComposedControls) {
  for (const Layer& video : {makeProtected(1, whole), makeVideo(1, whole)}) {
    Scene scene(overlayHardware(1), {video, makeShm(2, strip)}, {}, outputWithUpper());
    scene.next();
    EXPECT_EQ(scene.planesOf(), (Ids{primaryId, 0}));
    ASSERT_EQ(scene.plan.composed().size(), 1U);
    EXPECT_EQ(scene.plan.composed()[0].planeId, overlayA);
    EXPECT_FALSE(scene.plan.composed()[0].bottom);
    EXPECT_TRUE(scene.plan.composed()[0].blends);
    EXPECT_EQ(scene.tests, 1U);
  }
}

TEST(PlannerScenes, AProtectedWindowBetweenTwoComposedBuffers) {
  Scene scene(overlayHardware(2), {desktop, makeProtected(2, box), makeShm(3, strip)}, {}, outputWithUpper());
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{0, overlayA, 0}));
  ASSERT_EQ(scene.plan.composed().size(), 2U);
  EXPECT_EQ(scene.plan.composed()[0].planeId, primaryId);
  EXPECT_EQ(scene.plan.composed()[1].planeId, overlayB);
  EXPECT_EQ(scene.plan.composed()[1].first, 2U);
}

TEST(PlannerScenes, OneUnderlayIsCheaperThanTwoComposedBuffers) {
  Scene scene(fullHardware(), {desktop, makeProtected(2, box), makeShm(3, strip)}, {}, outputWithUpper());
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{0, underlayId, 0}));
  EXPECT_EQ(scene.plan.composed().size(), 1U);
}

TEST(PlannerScenes, TwoComposedBuffersWhereTheUnderlayIsRefused) {
  const auto noUnderlay = [](std::span<const Layer>, const FramePlan& plan) {
    return std::ranges::none_of(plan.layers, &LayerOutcome::underlay);
  };
  Scene scene(fullHardware(), {desktop, makeProtected(2, box), makeShm(3, strip)}, noUnderlay, outputWithUpper());
  scene.next();
  EXPECT_EQ(scene.plan.layers[1].path, Path::Plane);
  EXPECT_EQ(scene.plan.composed().size(), 2U);
}

// A second buffer as large as the output costs more than it saves.
TEST(PlannerScenes, OrdinaryContentIsNotWorthASecondComposedBuffer) {
  Scene scene(overlayHardware(2), {desktop, makeVideo(2, box), makeShm(3, strip)}, {}, outputWithUpper());
  scene.next();
  EXPECT_EQ(scene.plan.layers[1].refusal, Refusal::PlaneCovered);
  EXPECT_EQ(scene.plan.composed().size(), 1U);
}

TEST(PlannerScenes, ATranslucentProtectedWindowNeedsNoHoleBetweenTwoBuffers) {
  Layer window = makeProtected(2, box);
  window.fourcc = DRM_FORMAT_ARGB8888;
  window.opaque = false;
  Scene scene(fullHardware(), {desktop, window, makeShm(3, strip)}, {}, outputWithUpper());
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{0, overlayA, 0}));
}

TEST(PlannerScenes, TheOtherPlaneForTheUpperBufferIsTried) {
  const auto onlyB = [](std::span<const Layer>, const FramePlan& plan) {
    return std::ranges::all_of(plan.composed(),
                               [](const ComposedBuffer& one) { return one.bottom || one.planeId == overlayB; });
  };
  Scene scene(overlayHardware(2), {makeProtected(1, whole), makeShm(2, strip)}, onlyB, outputWithUpper());
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{primaryId, 0}));
  EXPECT_EQ(scene.plan.composed()[0].planeId, overlayB);
}

// ---- What broke other compositors

// ivi-homescreen#590: a score that decayed on success walked away from the plane that worked.
TEST(PlannerScenes, APlaneThatWorksKeepsItsLayer) {
  Scene scene(overlayHardware(3), {desktop, makeVideo(2, box)});
  scene.next();
  for (int i = 0; i < 1000; ++i) {
    scene.time += 16'666'667;
    scene.layers[1].changesPerSecond = 24 + i % 3;
    EXPECT_EQ(scene.next().layers[1].planeId, overlayA);
    EXPECT_EQ(scene.tests, 0U);
  }
}

// drm-cxx#239: without zpos that can be written, another order of the same layers needs other planes.
TEST(PlannerScenes, ARestackOnFixedPlanesMovesTheLayers) {
  Scene scene(overlayHardware(2), {desktop, makeVideo(2, box), makeGame(3, {100, 650, 400, 100})});
  scene.next();
  ASSERT_EQ(scene.planesOf(), (Ids{0, overlayA, overlayB}));
  std::swap(scene.layers[1], scene.layers[2]);
  scene.next();
  EXPECT_EQ(scene.planesOf(), (Ids{0, overlayA, overlayB})) << "by place in the list: the layers have changed planes";
  EXPECT_EQ(scene.layers[1].id, 3U);
}

// ivi-homescreen#567, RK3588: the primary takes AFBC alone, overlays take linear alone.
TEST(PlannerScenes, EachModifierOnThePlanesThatHaveIt) {
  constexpr uint64_t afbc = DRM_FORMAT_MOD_ARM_AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_16x16);
  std::vector<Plane> planes = overlayHardware(1);
  for (FormatModifier& format : planes[0].formats)
    format.modifier = afbc;
  Layer game = makeGame(1, whole);
  game.modifier = afbc;
  Scene scene(planes, {game, makeVideo(2, box)});
  EXPECT_FALSE(scene.next().composes());
  EXPECT_EQ(scene.planesOf(), (Ids{primaryId, overlayA}));
  scene.layers[0].modifier = DRM_FORMAT_MOD_LINEAR;
  EXPECT_TRUE(scene.next().composes());
  EXPECT_EQ(scene.plan.layers[0].refusal, Refusal::PlaneNone);
  EXPECT_EQ(scene.plan.layers[1].planeId, overlayA);
}

// xbmc#24431, RK35xx: NV12 only on planes of type cursor above the primary; the user interface must go below.
TEST(PlannerScenes, VideoOnACursorPlaneUnderComposedContent) {
  Plane video = makePlane(cursorId, PlaneType::Cursor, 1, {DRM_FORMAT_NV12});
  giveColours(video);
  Plane primary = makePlane(primaryId, PlaneType::Primary, 0, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888});
  Scene fixed({primary, video}, {desktop, makeProtected(2, box), makeShm(3, strip)});
  EXPECT_EQ(fixed.next().layers[1].refusal, Refusal::PlaneCovered);
  Scene scene({mobile(primary, 0, 3), mobile(video, 0, 3)}, {desktop, makeProtected(2, box), makeShm(3, strip)});
  EXPECT_EQ(scene.next().layers[1].planeId, cursorId);
  EXPECT_TRUE(scene.plan.layers[1].underlay);
}

// libliftoff#66, amdgpu: the cursor plane over NV12 is refused, an overlay for the pointer is not.
TEST(PlannerScenes, APointerThatTheCursorPlaneCannotShowOverVideoGoesToAnOverlay) {
  std::vector<Plane> planes = overlayHardware(1);
  planes.push_back(makeCursor(10));
  const auto noCursor = [](std::span<const Layer>, const FramePlan& plan) {
    return plan.layers[1].planeId != cursorId || plan.layers[0].path != Path::Plane;
  };
  Scene scene(planes, {makeProtected(1, whole), makePanel(9, pointer)}, noCursor);
  EXPECT_FALSE(scene.next().composes());
  EXPECT_EQ(scene.planesOf(), (Ids{primaryId, overlayA}));
  for (int i = 0; i < 60; ++i) {
    scene.layers[1].destination.x += 5;
    EXPECT_EQ(scene.next().layers[0].planeId, primaryId);
    EXPECT_EQ(scene.tests, 0U);
  }
}

// Planes that only know straight alpha show premultiplied pixels too bright at their edges.
TEST(PlannerScenes, TranslucentContentNeedsPremultipliedBlending) {
  std::vector<Plane> planes = overlayHardware(1);
  planes[1].properties[PlaneProperty::PixelBlendMode] = {.id = 94};
  planes[1].properties[PlaneProperty::PixelBlendMode].enumValues = {{"None", 0}, {"Coverage", 2}};
  Scene scene(planes, {desktop, changing(makePanel(2, box))});
  EXPECT_EQ(scene.next().layers[1].refusal, Refusal::PlaneBlending);
  scene.layers[1].opaque = true;
  EXPECT_EQ(scene.next().layers[1].planeId, overlayA);
}

// ---- Cost

TEST(PlannerScenes, AThousandMovingSurfacesCostABoundedNumberOfSteps) {
  constexpr int count = 1000;
  std::vector<Layer> layers;
  for (int i = 0; i < count; ++i)
    layers.push_back(makeVideo(static_cast<uint64_t>(i), {i % 40 * 40, i / 40 * 40, 60 + i % 7, 60}));
  Scene scene(fullHardware(), layers);
  uint64_t most = 0;
  for (int frame = 0; frame < 10; ++frame) {
    for (Layer& layer : scene.layers)
      layer.destination.x += 1 + static_cast<int32_t>(layer.id % 5);
    unsigned tests = 0;
    scene.planner.plan(
        scene.layers, frame,
        [&](const FramePlan&) {
          ++tests;
          return verdict(true);
        },
        scene.plan);
    EXPECT_LE(tests, Planner::maximumTests);
    most = std::max(most, scene.planner.steps());
  }
  // Each layer is compared with the candidates, of which there are four for each of the six planes, and the covers.
  EXPECT_LE(most, static_cast<uint64_t>(count) * (6 * 4 + 16) + 256 * 6 + 4096);
  RecordProperty("steps", std::to_string(most));
}

} // namespace
