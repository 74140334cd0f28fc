#include "protected-path/planes/planner.h"

#include <gtest/gtest.h>

#include "protected-path/planes/layer_fit.h"
#include "tests/unit/plane_builder.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

/** What one layer is expected to become. */
struct Expected {
  Path path;
  Refusal refusal = Refusal::None;
  uint32_t planeId = 0;
  bool underlay = false;
};

Expected onPlane(uint32_t id) {
  return {Path::Plane, Refusal::None, id, false};
}
Expected onUnderlay(uint32_t id) {
  return {Path::Plane, Refusal::None, id, true};
}
Expected composed(Refusal refusal) {
  return {Path::Composited, refusal};
}
Expected placeholder(Refusal refusal) {
  return {Path::Placeholder, refusal};
}

using Accepts = bool (*)(std::span<const Layer>, const FramePlan&);

bool acceptAll(std::span<const Layer>, const FramePlan&) {
  return true;
}
bool refuseAll(std::span<const Layer>, const FramePlan&) {
  return false;
}
bool refuseScaling(std::span<const Layer> layers, const FramePlan& plan) {
  for (size_t i = 0; i < layers.size(); ++i) {
    if (plan.layers[i].path == Path::Plane && needsScaling(layers[i])) return false;
  }
  return true;
}
bool atMostOnePlane(std::span<const Layer>, const FramePlan& plan) {
  return plan.planesUsed() <= 1;
}
bool onlyComposed(std::span<const Layer>, const FramePlan& plan) {
  return plan.composes();
}
bool onlyOverlayB(std::span<const Layer>, const FramePlan& plan) {
  return std::ranges::all_of(plan.layers, [](const auto& o) { return o.path != Path::Plane || o.planeId == overlayB; });
}

struct Case {
  const char* name;
  std::vector<Plane> planes;
  std::vector<Layer> layers;
  std::vector<Expected> expected;
  struct Rest {
    bool composes = true;
    unsigned tests = 1;
    Accepts accepts = acceptAll;
    uint32_t composedFourcc = DRM_FORMAT_ARGB8888;
  } rest = {};
};

template<typename Change>
Layer with(Layer layer, Change change) {
  change(layer);
  return layer;
}
template<typename Change>
std::vector<Plane> eachPlane(std::vector<Plane> planes, Change change) {
  for (Plane& plane : planes)
    change(plane);
  return planes;
}

// clang-format off: a table is read row by row
std::vector<Case> pathCases() {
  const Layer desktop = with(makeShm(1, whole), [](Layer& l) { l.opaque = true; });
  const Layer video = makeVideo(2, box);
  const Layer secret = makeProtected(2, box);
  const Layer arrow = makePanel(9, pointer);
  const auto translucent = [](Layer& l) { l.opaque = false; };
  const auto notAllowed = [](Layer& l) { l.showRefusal = Refusal::OutputNotAllowed; };
  const auto configuredOff = [](Layer& l) { l.planeRefusal = Refusal::PlaneConfiguredOff; };
  const auto colour = [](Layer& l) { l.fourcc = 0; };
  const Expected shm = composed(Refusal::PlaneNotDmabuf);
  const Expected notWorthIt = composed(Refusal::PlaneNotWorthIt);
  const std::vector<Plane> full = fullHardware();
  const std::vector<Plane> two = overlayHardware(2);
  const std::vector<Plane> noPrimary = {makeOverlay(overlayA, 2)};
  return {
      {"nothing to show", full, {}, {}, {.tests = 0}},
      {"video over desktop", full, {desktop, video}, {shm, onPlane(overlayA)}},
      {"static is not worth it", full, {desktop, makePanel(2, box), makeShm(3, pointer)}, {shm, notWorthIt, shm}, {.tests = 0}},
      {"composed panel above: underlay", full, {video, makeShm(3, strip)}, {onUnderlay(underlayId), shm}},
      {"composed content elsewhere: overlay", full, {video, makeShm(3, corner)}, {onPlane(overlayA), shm}},
      {"no underlay: the panel goes along", two, {video, makePanel(3, strip)}, {onPlane(overlayA), onPlane(overlayB)}},
      {"no underlay, panel in shm", two, {video, makeShm(3, strip)}, {composed(Refusal::PlaneCovered), shm}, {.tests = 0}},
      {"the same, mandatory", two, {secret, makeShm(3, strip)}, {placeholder(Refusal::PlaneCovered), shm}, {.tests = 0}},
      {"underlay needs an opaque layer", full, {with(secret, translucent), makeShm(3, strip)},
       {placeholder(Refusal::PlaneBlending), shm}, {.tests = 0}},
      {"underlay needs a composed format with alpha", full, {secret, makeShm(3, strip)},
       {placeholder(Refusal::PlaneCovered), shm}, {.tests = 0, .composedFourcc = DRM_FORMAT_XRGB8888}},
      {"one underlay for two covered", full,
       {secret, makeProtected(3, corner), makeShm(4, strip), makeShm(5, corner)},
       {onUnderlay(underlayId), placeholder(Refusal::PlaneNone), shm, shm}},
      {"what covers one goes along, so that the other has the underlay", full,
       {makeProtected(2, {0, 0, 400, 400}), makeProtected(3, {500, 0, 300, 300}), makePanel(4, {0, 0, 50, 50}),
        makeShm(5, {500, 0, 50, 50})},
       {onPlane(overlayA), onUnderlay(underlayId), onPlane(cursorId), shm}},
      {"partly off the output", full, {makeProtected(2, {-100, 900, 1280, 720})}, {onPlane(overlayA)}},
      {"off the output", full, {makeProtected(2, {2000, 0, 100, 100}), makeVideo(3, {-100, 0, 100, 100})},
       {placeholder(Refusal::PlaneOffScreen), notWorthIt}, {.tests = 0}},
      {"hidden", full, {secret, makeVideo(3, corner), desktop}, {placeholder(Refusal::PlaneCovered), notWorthIt, shm}, {.tests = 0}},
      {"stacked as listed", full, {video, makeVideo(3, strip)}, {onPlane(overlayA), onPlane(overlayB)}},
      {"no overlay over an underlay that is above it in the list", full,
       {video, makeProtected(3, {200, 700, 1600, 100}), makeShm(4, {1600, 720, 10, 10})},
       {composed(Refusal::PlaneCovered), onUnderlay(underlayId), shm}},
      {"the placeholder counts as composed", full, {secret, with(makeProtected(3, strip), notAllowed)},
       {onUnderlay(underlayId), placeholder(Refusal::OutputNotAllowed)}},
      {"may not be shown", full, {with(video, notAllowed)}, {placeholder(Refusal::OutputNotAllowed)}, {.tests = 0}},
      {"configured off", full, {with(video, configuredOff), with(makeProtected(3, corner), configuredOff)},
       {composed(Refusal::PlaneConfiguredOff), placeholder(Refusal::PlaneConfiguredOff)}, {.tests = 0}},
      {"a colour is no dma-buf", full, {with(video, colour)}, {shm}, {.tests = 0}},
      {"cursor", full, {desktop, video, arrow}, {shm, onPlane(overlayA), onPlane(cursorId)}},
      {"small, but something is above", full, {arrow, makeShm(3, pointer)}, {notWorthIt, shm}, {.tests = 0}},
      {"too large for a cursor plane", full, {makePanel(2, {0, 0, 513, 64})}, {notWorthIt}, {.tests = 0}},
      {"no primary for this CRTC", noPrimary, {video, makeProtected(3, corner)},
       {composed(Refusal::PlaneNone), placeholder(Refusal::PlaneNone)}, {.tests = 0}},
  };
}

std::vector<Case> refusalCases() {
  const Layer video = makeVideo(2, box);
  const Layer secret = makeProtected(2, box);
  const auto scaled = [](Layer& l) { l.source = SourceRect::whole({640, 360}); };
  const auto cropped = [](Layer& l) { l.source.x = Fixed16_16::fromDouble(0.5); };
  const auto turned = [](Layer& l) { l.transform = Transform::R180; };
  const auto faded = [](Layer& l) { l.alpha = 0x8000; };
  const auto wide = [](Layer& l) { l.encoding = ColorEncoding::Bt2020; };
  const auto fullRange = [](Layer& l) { l.range = ColorRange::Full; };
  const auto planar = [](Layer& l) { l.fourcc = DRM_FORMAT_YUV420; };
  const auto tiled = [](Layer& l) { l.modifier = I915_FORMAT_MOD_X_TILED; };
  const auto implicit = [](Layer& l) { l.modifier = DRM_FORMAT_MOD_INVALID; };
  const auto fast = [](Layer& l) { l.changesPerSecond = 60; };
  const auto slow = [](Layer& l) { l.changesPerSecond = 2; };
  const std::vector<Plane> full = fullHardware();
  const std::vector<Plane> one = overlayHardware(1);
  const std::vector<Plane> noColours = eachPlane(full, [](Plane& p) { p.properties = {}; });
  const std::vector<Plane> limited = eachPlane(full, takeFullRange);
  const std::vector<Plane> turning = eachPlane(full, giveHalfTurn);
  const std::vector<Plane> fading = eachPlane(full, giveAlpha);
  const Expected shm = composed(Refusal::PlaneNotDmabuf);
  const Layer large = makeVideo(2, {0, 0, 400, 400});
  const Layer small = makeVideo(3, {500, 0, 200, 200});
  return {
      {"format", full, {with(secret, planar)}, {placeholder(Refusal::PlaneFormat)}, {.tests = 0}},
      {"modifier", full, {with(video, tiled)}, {composed(Refusal::PlaneModifier)}, {.tests = 0}},
      {"implicit modifier", full, {with(video, implicit)}, {onPlane(overlayA)}},
      {"transform", full, {with(secret, turned)}, {placeholder(Refusal::PlaneTransform)}, {.tests = 0}},
      {"transform that planes can do", turning, {with(secret, turned)}, {onPlane(overlayA)}},
      {"alpha", full, {with(video, faded)}, {composed(Refusal::PlaneAlpha)}, {.tests = 0}},
      {"alpha that planes can do", fading, {with(video, faded)}, {onPlane(overlayA)}},
      {"alpha has no place below", fading, {with(secret, faded), makeShm(3, strip)},
       {placeholder(Refusal::PlaneBlending), shm}, {.tests = 0}},
      {"encoding unknown, ordinary", noColours, {video}, {composed(Refusal::PlaneEncoding)}, {.tests = 0}},
      {"encoding unknown, mandatory", noColours, {secret}, {onPlane(overlayA)}},
      {"encoding that no plane has", full, {with(secret, wide)}, {placeholder(Refusal::PlaneEncoding)}, {.tests = 0}},
      {"range that no plane has, ordinary", limited, {with(video, fullRange)}, {composed(Refusal::PlaneEncoding)}, {.tests = 0}},
      {"range that no plane has, mandatory", limited, {with(secret, fullRange)}, {placeholder(Refusal::PlaneEncoding)}, {.tests = 0}},
      {"the range that planes have left", limited, {video}, {onPlane(overlayA)}},
      {"range that planes can do", full, {with(video, fullRange)}, {onPlane(overlayA)}},
      {"range is nothing to RGB", limited, {with(with(makePanel(2, box), fast), fullRange)}, {onPlane(overlayA)}},
      {"range unknown, mandatory", noColours, {with(secret, fullRange)}, {onPlane(overlayA)}},
      {"encoding is nothing to RGB", noColours, {with(makePanel(2, box), fast)}, {onPlane(overlayA)}},
      {"scaling, mandatory", one, {with(secret, scaled)}, {placeholder(Refusal::PlaneScaling)}, {.accepts = refuseScaling}},
      {"scaling, ordinary", one, {with(video, scaled)}, {composed(Refusal::PlaneScaling)}, {.accepts = refuseScaling}},
      {"fractional crop", one, {with(video, cropped)}, {composed(Refusal::PlaneScaling)}, {.accepts = refuseScaling}},
      {"test says no", one, {secret}, {placeholder(Refusal::PlaneTestRefused)}, {.accepts = refuseAll}},
      {"each plane is tried", overlayHardware(3), {secret}, {placeholder(Refusal::PlaneTestRefused)}, {.tests = 3, .accepts = refuseAll}},
      {"another plane can", full, {with(secret, scaled)}, {onPlane(overlayB)}, {.tests = 2, .accepts = onlyOverlayB}},
      {"the one to blame stays behind", overlayHardware(2), {with(video, scaled), makeVideo(3, corner)},
       {composed(Refusal::PlaneScaling), onPlane(overlayA)}, {.tests = 4, .accepts = refuseScaling}},
      {"planes run out", one, {video, makeVideo(3, corner)}, {onPlane(overlayA), composed(Refusal::PlaneNone)}},
      {"area counts", one, {small, large}, {composed(Refusal::PlaneNone), onPlane(overlayA)}},
      {"rate counts", one, {with(large, slow), small}, {composed(Refusal::PlaneNone), onPlane(overlayA)}},
      {"mandatory first", one, {video, makeProtected(3, corner)}, {composed(Refusal::PlaneNone), onPlane(overlayA)}},
      {"hardware takes one only", overlayHardware(3), {video, makeProtected(3, corner)},
       {composed(Refusal::PlaneTestRefused), onPlane(overlayA)}, {.tests = 4, .accepts = atMostOnePlane}},
  };
}

std::vector<Case> directCases() {
  const Layer desktop = with(makeShm(1, whole), [](Layer& l) { l.opaque = true; });
  const Layer arrow = makePanel(9, pointer);
  const Layer video = makeVideo(2, whole);
  const Layer secret = makeProtected(2, whole);
  const auto translucent = [](Layer& l) { l.opaque = false; };
  const auto argb = [](Layer& l) { l.fourcc = DRM_FORMAT_ARGB8888; };
  const Layer window = with(makeVideo(2, box), argb);
  const Expected shm = composed(Refusal::PlaneNotDmabuf);
  const std::vector<Plane> full = fullHardware();
  const std::vector<Plane> single = overlayHardware(0);
  const std::vector<Plane> noAlpha = {makePrimary(0), makePlane(overlayA, PlaneType::Overlay, 1, {DRM_FORMAT_XRGB8888})};
  return {
      {"fullscreen", full, {desktop, secret}, {shm, onPlane(primaryId)}, {.composes = false}},
      {"fullscreen on the only plane", single, {video}, {onPlane(primaryId)}, {.composes = false}},
      {"larger than the output", single, {makeVideo(2, {-10, -10, 1940, 1100})}, {onPlane(primaryId)}, {.composes = false}},
      {"not quite fullscreen", single, {makeProtected(2, {0, 0, 1920, 1079})}, {placeholder(Refusal::PlaneNone)}, {.tests = 0}},
      {"translucent", single, {with(secret, translucent)}, {placeholder(Refusal::PlaneBlending)}, {.tests = 0}},
      {"single plane, something above", single, {secret, makeShm(3, strip)}, {placeholder(Refusal::PlaneCovered), shm}, {.tests = 0}},
      {"with cursor and overlay", full, {video, makePanel(3, strip), arrow},
       {onPlane(primaryId), onPlane(overlayA), onPlane(cursorId)}, {.composes = false}},
      {"shm above: underlay", full, {secret, makeShm(3, strip)}, {onUnderlay(underlayId), shm}},
      {"primary refused: overlay", full, {secret}, {onPlane(overlayA)}, {.tests = 2, .accepts = onlyComposed}},
      {"all refused", single, {secret}, {placeholder(Refusal::PlaneTestRefused)}, {.accepts = refuseAll}},
      {"opaque window, plane without alpha", noAlpha, {window}, {onPlane(overlayA)}},
      {"translucent window, the same", noAlpha, {with(window, translucent)}, {composed(Refusal::PlaneFormat)}, {.tests = 0}},
  };
}
// clang-format on

void check(const Case& one) {
  SCOPED_TRACE(one.name);
  PlannerOutput output = makeOutput();
  output.composedFourcc = one.rest.composedFourcc;
  Planner planner(output, one.planes);
  unsigned tests = 0;
  FramePlan plan;
  planner.plan(
      one.layers, 0,
      [&](const FramePlan& candidate) {
        ++tests;
        return verdict(one.rest.accepts(one.layers, candidate));
      },
      plan);
  EXPECT_EQ(plan.composes(), one.rest.composes);
  EXPECT_EQ(tests, one.rest.tests);
  ASSERT_EQ(plan.layers.size(), one.expected.size());
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    SCOPED_TRACE("layer " + std::to_string(i));
    EXPECT_STREQ(pathName(plan.layers[i].path), pathName(one.expected[i].path));
    EXPECT_EQ(refusalName(plan.layers[i].refusal), refusalName(one.expected[i].refusal));
    EXPECT_EQ(plan.layers[i].planeId, one.expected[i].planeId);
    EXPECT_EQ(plan.layers[i].underlay, one.expected[i].underlay);
  }
}

TEST(Planner, Paths) {
  std::ranges::for_each(pathCases(), check);
}
TEST(Planner, Refusals) {
  std::ranges::for_each(refusalCases(), check);
}
TEST(Planner, Direct) {
  std::ranges::for_each(directCases(), check);
}

TEST(Planner, OpaqueFormatIsSaid) {
  const std::vector<Plane> planes = {makePrimary(0), makePlane(overlayA, PlaneType::Overlay, 1, {DRM_FORMAT_XRGB8888})};
  Planner planner(makeOutput(), planes);
  std::vector<Layer> layers = {makeVideo(2, box)};
  layers[0].fourcc = DRM_FORMAT_ARGB8888;
  FramePlan plan;
  planner.plan(layers, 0, [](const FramePlan&) { return verdict(true); }, plan);
  EXPECT_TRUE(plan.layers[0].opaqueFormat);
  EXPECT_EQ(planner.primary()->id, primaryId);
}

} // namespace
