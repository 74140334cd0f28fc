#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <xf86drmMode.h>

#include "protected-path/kms/in_formats.h"
#include "protected-path/kms/kms_object.h"
#include "protected-path/kms/object_reader.h"

using namespace vitrine;

namespace {

// ---- IN_FORMATS

struct Blob {
  drm_format_modifier_blob header{FORMAT_BLOB_CURRENT, 0, 2, sizeof header, 1, sizeof header + 8};
  uint32_t formats[2] = {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12};
  drm_format_modifier modifier{3, 0, 0, 7};
};

TEST(InFormats, Cases) {
  const auto parse = [](const Blob& blob, size_t sizeBytes = sizeof(Blob)) {
    const auto result = parseInFormats(std::as_bytes(std::span(&blob, 1)).first(sizeBytes));
    if (!result) return result.error().detail;
    std::string text;
    for (const auto& pair : *result)
      text += fourccName(pair.fourcc) + ":" + std::to_string(pair.modifier) + " ";
    return text;
  };
  const auto with = [](auto change) {
    Blob blob;
    change(blob);
    return blob;
  };
  EXPECT_EQ(parse({}), "NV12:7 XRGB8888:7 ");
  EXPECT_EQ(parse(with([](Blob& b) { b.modifier.formats = 1; })), "XRGB8888:7 ");
  EXPECT_EQ(parse(with([](Blob& b) { b.modifier = {1, 1, 0, 7}; })), "NV12:7 ");
  EXPECT_EQ(parse(with([](Blob& b) { b.formats[1] = b.formats[0]; })), "XRGB8888:7 ");
  EXPECT_EQ(parse(with([](Blob& b) { b.header.count_modifiers = 0; })), "");
  EXPECT_EQ(parse({}, 0), "shorter than its header");
  EXPECT_EQ(parse({}, sizeof(drm_format_modifier_blob) - 1), "shorter than its header");
  EXPECT_EQ(parse({}, sizeof(drm_format_modifier_blob) + 7), "formats pass its end");
  EXPECT_EQ(parse({}, sizeof(Blob) - 1), "modifiers pass its end");
  EXPECT_EQ(parse(with([](Blob& b) { b.header.version = 2; })), "version 2 is not known");
  EXPECT_EQ(parse(with([](Blob& b) { b.header.formats_offset = UINT32_MAX; })), "formats pass its end");
  EXPECT_EQ(parse(with([](Blob& b) { b.header.count_formats = UINT32_MAX; })), "formats pass its end");
  EXPECT_EQ(parse(with([](Blob& b) { b.header.modifiers_offset = UINT32_MAX; })), "modifiers pass its end");
  EXPECT_EQ(parse(with([](Blob& b) { b.header.count_modifiers = UINT32_MAX; })), "modifiers pass its end");
  EXPECT_EQ(parse(with([](Blob& b) { b.modifier.formats = 4; })), "a modifier names a format that it does not have");
  EXPECT_EQ(parse(with([](Blob& b) { b.modifier.offset = UINT32_MAX; })),
            "a modifier names a format that it does not have");
}

// ---- Rotation

TEST(PlaneRotation, ByTransform) {
  Plane plane;
  EXPECT_EQ(plane.rotationFor(Transform::Normal), DRM_MODE_ROTATE_0); // without the property
  EXPECT_EQ(plane.rotationFor(Transform::R180), std::nullopt);
  auto& values = plane.properties[PlaneProperty::Rotation].enumValues;
  values = {{"rotate-0", 0}, {"reflect-x", 4}, {"reflect-y", 5}};
  EXPECT_EQ(plane.rotationFor(Transform::R180), DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_X | DRM_MODE_REFLECT_Y);
  EXPECT_EQ(plane.rotationFor(Transform::Flipped180), DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_Y);
  EXPECT_EQ(plane.rotationFor(Transform::R90), std::nullopt);
  values = {{"rotate-0", 0},   {"rotate-90", 1}, {"rotate-180", 2},
            {"rotate-270", 3}, {"reflect-x", 4}, {"reflect-y", 5}};
  EXPECT_EQ(plane.rotationFor(Transform::Normal), DRM_MODE_ROTATE_0);
  EXPECT_EQ(plane.rotationFor(Transform::R90), DRM_MODE_ROTATE_90);
  EXPECT_EQ(plane.rotationFor(Transform::R270), DRM_MODE_ROTATE_270);
  EXPECT_EQ(plane.rotationFor(Transform::Flipped), DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_X);
  EXPECT_EQ(plane.rotationFor(Transform::Flipped90), DRM_MODE_ROTATE_90 | DRM_MODE_REFLECT_X);
}

TEST(Connector, IsUsable) {
  Connector monitor{.connected = true, .modes = {Mode{.size = {640, 480}}}};
  EXPECT_TRUE(monitor.isUsable());
  const auto without = [&](auto change) {
    Connector other = monitor;
    change(other);
    return other.isUsable();
  };
  EXPECT_FALSE(without([](Connector& c) { c.connected = false; }));
  EXPECT_FALSE(without([](Connector& c) { c.writeback = true; }));
  EXPECT_FALSE(without([](Connector& c) { c.modes.clear(); }));
  EXPECT_FALSE(without([](Connector& c) { c.properties[ConnectorProperty::NonDesktop].value = 1; }));
}

TEST(Connector, PanelTransform) {
  Connector panel;
  EXPECT_EQ(panel.panelTransform(), Transform::Normal); // it does not say
  KmsPropertyInfo& orientation = panel.properties[ConnectorProperty::PanelOrientation];
  orientation = {.id = 5, .enumValues = {{"Normal", 0}, {"Upside Down", 1}, {"Left Side Up", 2}, {"Right Side Up", 3}}};
  const Transform expected[] = {Transform::Normal, Transform::R180, Transform::R90, Transform::R270};
  for (orientation.value = 0; orientation.value < 4; ++orientation.value)
    EXPECT_EQ(panel.panelTransform(), expected[orientation.value]) << orientation.value;
}

TEST(Connector, IsSameMonitor) {
  const Connector monitor{.connected = true, .modes = {Mode{.size = {640, 480}}}, .edid = {1, 2}};
  Connector other = monitor;
  other.properties[ConnectorProperty::LinkStatus].value = 1;
  EXPECT_TRUE(monitor.isSameMonitor(other));
  other.edid = {1, 3};
  EXPECT_FALSE(monitor.isSameMonitor(other));
  other = monitor;
  other.modes[0].raw[0] = std::byte{1};
  EXPECT_FALSE(monitor.isSameMonitor(other));
}

// ---- zpos

Plane planeWithZpos(uint32_t id, uint64_t value, uint64_t minimum, uint64_t maximum, bool immutable = false) {
  Plane plane;
  plane.id = id;
  plane.properties[PlaneProperty::Zpos] = {
      .id = 5, .value = value, .immutable = immutable, .rangeMinimum = minimum, .rangeMaximum = maximum};
  return plane;
}

TEST(DecideStacking, RangesAreReadAndFixedOnesAreNotWritten) {
  std::vector<Plane> planes = {planeWithZpos(1, 0, 0, 0), // vc4's primary: not immutable, and EINVAL where it is set
                               planeWithZpos(2, 3, 1, 9), planeWithZpos(3, 9, 9, 9, true)};
  decideStacking(planes);
  EXPECT_FALSE(planes[0].zpos.isMutable());
  EXPECT_TRUE(planes[1].zpos.isMutable());
  EXPECT_EQ(planes[1].zpos.minimum, 1U);
  EXPECT_EQ(planes[1].zpos.maximum, 9U);
  EXPECT_FALSE(planes[2].zpos.isMutable());
  EXPECT_EQ(planes[2].zpos.minimum, 9U);
  EXPECT_EQ(planes[1].stacking, 1U);
}

// Where a plane lacks zpos, the values of the others say nothing about their order to it.
TEST(DecideStacking, WithoutZposOnEachPlaneThereIsTheConvention) {
  std::vector<Plane> planes = {planeWithZpos(1, 7, 0, 7), Plane{.id = 2, .type = PlaneType::Primary}};
  decideStacking(planes);
  EXPECT_FALSE(planes[0].stackingKnown);
  EXPECT_FALSE(planes[0].zpos.isMutable());
  EXPECT_EQ(planes[0].zpos.minimum, 1U);
  EXPECT_EQ(planes[1].zpos.minimum, 0U);
}

} // namespace
