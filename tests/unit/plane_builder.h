#pragma once

#include <drm_fourcc.h>

#include <cerrno>
#include <initializer_list>

#include "protected-path/planes/planner.h"

namespace vitrine::test {

inline constexpr Size outputSize{1920, 1080};

/** Places on it. */
inline constexpr Rect whole{0, 0, 1920, 1080};
inline constexpr Rect box{200, 100, 1280, 720};
inline constexpr Rect strip{200, 700, 1280, 100}; // over the box
inline constexpr Rect corner{0, 0, 100, 100};     // outside the box
inline constexpr Rect pointer{600, 300, 64, 64};  // over the box

/** Planes made by hand; ids tell what they are. */
enum PlaneId : uint32_t { underlayId = 10, primaryId = 20, overlayA = 31, overlayB = 32, overlayC = 33, cursorId = 40 };

/** A TEST_ONLY's answer, as PlanTest gives it. */
inline Result<> verdict(bool accepted) {
  if (!accepted) return systemError("DRM_IOCTL_MODE_ATOMIC", "a plan", EINVAL);
  return {};
}

inline Plane makePlane(uint32_t id, PlaneType type, uint32_t stacking, std::initializer_list<uint32_t> fourccs) {
  Plane plane;
  plane.id = id;
  plane.type = type;
  plane.possibleCrtcs = 1;
  plane.stacking = stacking;
  plane.stackingKnown = true;
  plane.zpos = {stacking, stacking};
  for (const uint32_t fourcc : fourccs)
    plane.formats.push_back({fourcc, DRM_FORMAT_MOD_LINEAR});
  return plane;
}

inline void giveColours(Plane& plane) {
  KmsPropertyInfo encoding{.id = 90};
  encoding.enumValues = {{"ITU-R BT.601 YCbCr", 0}, {"ITU-R BT.709 YCbCr", 1}};
  plane.properties[PlaneProperty::ColorEncoding] = encoding;
  KmsPropertyInfo range{.id = 91};
  range.enumValues = {{"YCbCr limited range", 0}, {"YCbCr full range", 1}};
  plane.properties[PlaneProperty::ColorRange] = range;
}

inline void takeFullRange(Plane& plane) {
  std::erase_if(plane.properties[PlaneProperty::ColorRange].enumValues,
                [](const auto& value) { return value.first == "YCbCr full range"; });
}

inline void giveAlpha(Plane& plane) {
  plane.properties[PlaneProperty::Alpha] = {.id = 92, .rangeMaximum = 0xffff};
}

inline void giveHalfTurn(Plane& plane) {
  KmsPropertyInfo rotation{.id = 93};
  rotation.enumValues = {{"rotate-0", 0}, {"reflect-x", 4}, {"reflect-y", 5}};
  plane.properties[PlaneProperty::Rotation] = rotation;
}

inline Plane makeOverlay(uint32_t id, uint32_t stacking) {
  Plane plane = makePlane(id, PlaneType::Overlay, stacking,
                          {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12, DRM_FORMAT_P010});
  giveColours(plane);
  return plane;
}

inline Plane makePrimary(uint32_t stacking) {
  Plane plane =
      makePlane(primaryId, PlaneType::Primary, stacking, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12});
  giveColours(plane);
  return plane;
}

inline Plane makeCursor(uint32_t stacking) {
  return makePlane(cursorId, PlaneType::Cursor, stacking, {DRM_FORMAT_ARGB8888});
}

/** Underlay, primary, three overlays, cursor: what the virtual platform has. */
inline std::vector<Plane> fullHardware() {
  return {makeOverlay(underlayId, 0), makePrimary(1),           makeOverlay(overlayA, 2),
          makeOverlay(overlayB, 3),   makeOverlay(overlayC, 4), makeCursor(5)};
}

/** Primary and `overlays` overlays above it. */
inline std::vector<Plane> overlayHardware(unsigned overlays) {
  std::vector<Plane> planes = {makePrimary(0)};
  for (unsigned i = 0; i < overlays; ++i)
    planes.push_back(makeOverlay(overlayA + i, 1 + i));
  return planes;
}

/** An opaque NV12 video at 30 frames per second, unscaled. */
inline Layer makeVideo(uint64_t id, Rect where) {
  Layer layer;
  layer.id = id;
  layer.destination = where;
  layer.bufferSize = {static_cast<uint32_t>(where.width), static_cast<uint32_t>(where.height)};
  layer.source = SourceRect::whole(layer.bufferSize);
  layer.fourcc = DRM_FORMAT_NV12;
  layer.modifier = DRM_FORMAT_MOD_LINEAR;
  layer.opaque = true;
  layer.changesPerSecond = 30;
  return layer;
}

/** A video that may not be composed. */
inline Layer makeProtected(uint64_t id, Rect where) {
  Layer layer = makeVideo(id, where);
  layer.protectedContent = true;
  layer.composeRefusal = Refusal::GpuNoProtectedMemory;
  return layer;
}

/** A translucent ARGB dma-buf that never changes. */
inline Layer makePanel(uint64_t id, Rect where) {
  Layer layer = makeVideo(id, where);
  layer.fourcc = DRM_FORMAT_ARGB8888;
  layer.opaque = false;
  layer.changesPerSecond = 0;
  return layer;
}

/** The same in shared memory. */
inline Layer makeShm(uint64_t id, Rect where) {
  Layer layer = makePanel(id, where);
  layer.planeRefusal = Refusal::PlaneNotDmabuf;
  return layer;
}

inline PlannerOutput makeOutput() {
  return {outputSize, primaryId, DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR};
}

} // namespace vitrine::test
