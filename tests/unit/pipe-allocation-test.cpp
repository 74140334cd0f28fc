#include <gtest/gtest.h>

#include "protected-path/kms/pipe_allocation.h"
#include "tests/unit/plane_builder.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

using Crtcs = std::vector<std::optional<uint32_t>>;
constexpr std::optional<uint32_t> none;

Plane planeFor(uint32_t id, PlaneType type, uint32_t possibleCrtcs) {
  Plane plane = makePlane(id, type, id, {DRM_FORMAT_XRGB8888});
  plane.possibleCrtcs = possibleCrtcs;
  return plane;
}

TEST(AllocateCrtcs, Cases) {
  const struct {
    const char* name;
    std::vector<ConnectorWish> wishes;
    uint32_t usable;
    Crtcs expected;
  } cases[] = {
      {"nothing to light", {}, 3, {}},
      {"one", {{3, none}}, 3, {0}},
      {"two, in order", {{3, none}, {3, none}}, 3, {0, 1}},
      {"the picky one comes second", {{3, none}, {1, none}}, 3, {1, 0}},
      {"a chain of three", {{7, none}, {3, none}, {1, none}}, 7, {2, 1, 0}},
      {"what the firmware has set up stays", {{3, 1}, {3, 0}}, 3, {1, 0}},
      {"unless another would get none", {{3, 0}, {1, none}}, 3, {1, 0}},
      {"both say that they have the same", {{3, 1}, {3, 1}}, 3, {1, 0}},
      {"more connectors than CRTCs", {{3, none}, {3, none}, {3, none}}, 3, {0, 1, none}},
      {"those that are on come first", {{1, none}, {1, 0}}, 1, {none, 0}},
      {"a CRTC without a primary plane", {{3, 0}, {3, none}}, 2, {1, none}},
      {"a current CRTC that is not possible", {{2, 0}}, 3, {1}},
      {"no CRTC at all", {{0, none}, {1, none}}, 1, {none, 0}},
  };
  for (const auto& one : cases)
    EXPECT_EQ(allocateCrtcs(one.wishes, one.usable), one.expected) << one.name;
}

TEST(AllocateFixedPlanes, Cases) {
  const auto primary = [](uint32_t id, uint32_t crtcs) { return planeFor(id, PlaneType::Primary, crtcs); };
  const struct {
    const char* name;
    std::vector<Plane> planes;
    std::vector<uint32_t> expected; ///< ids per CRTC, 0: none
  } cases[] = {
      {"one per CRTC", {primary(5, 1), primary(6, 2)}, {5, 6}},
      {"any could take any: in order", {primary(5, 3), primary(6, 3)}, {5, 6}},
      {"the first is only for the second CRTC", {primary(5, 2), primary(6, 3)}, {6, 5}},
      {"the first is needed by the second CRTC", {primary(5, 3), primary(6, 1)}, {6, 5}},
      {"one for two", {primary(5, 3)}, {5, 0}},
      {"overlays are none", {planeFor(4, PlaneType::Overlay, 3), primary(5, 2)}, {0, 5}},
  };
  for (const auto& one : cases) {
    std::vector<uint32_t> ids;
    for (const Plane* plane : allocateFixedPlanes(one.planes, PlaneType::Primary, 2))
      ids.push_back(plane != nullptr ? plane->id : 0);
    EXPECT_EQ(ids, one.expected) << one.name;
  }
}

TEST(AllocateOverlays, Cases) {
  const Plane own0 = planeFor(1, PlaneType::Overlay, 1);
  const Plane own1 = planeFor(2, PlaneType::Overlay, 2);
  const Plane shared = planeFor(3, PlaneType::Overlay, 3);
  const Plane primary = planeFor(4, PlaneType::Primary, 3);
  const struct {
    const char* name;
    std::vector<Plane> planes;
    std::vector<OverlayDemand> demands;
    Crtcs current;
    Crtcs expected;
  } cases[] = {
      {"nobody is on", {own0, shared}, {}, {}, {none, none}},
      {"one output has all that it can use", {own0, own1, shared, primary}, {{0}}, {}, {0, none, 0, none}},
      {"two share evenly", {shared, shared, shared, shared}, {{0}, {1}}, {}, {0, 1, 0, 1}},
      {"own planes count", {own0, shared}, {{0}, {1}}, {}, {0, 1}},
      {"protected content comes first", {shared, shared}, {{0, 0, 2}, {1, 2, 2}}, {}, {1, 1}},
      {"mandatory layers of both", {shared, shared}, {{0, 2, 2}, {1, 2, 2}}, {}, {0, 1}},
      {"a wish comes before an even share", {shared, shared, shared}, {{0}, {1, 0, 3}}, {}, {1, 1, 1}},
      {"planes stay where they are", {shared, shared}, {{0}, {1}}, {1, 0}, {1, 0}},
      {"one goes to the output that comes", {shared, shared}, {{0}, {1}}, {0, 0}, {0, 1}},
      {"all come back when it goes", {shared, shared}, {{0}}, {1, 0}, {0, 0}},
      {"a protected layer takes an idle plane over", {shared}, {{0}, {1, 1, 1}}, {0}, {1}},
      {"but not a protected layer's", {shared}, {{0, 1, 1}, {1, 1, 1}}, {0}, {0}},
  };
  for (const auto& one : cases)
    EXPECT_EQ(allocateOverlays(one.planes, one.demands, one.current), one.expected) << one.name;
}

} // namespace
