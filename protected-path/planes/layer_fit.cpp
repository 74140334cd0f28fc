#include "protected-path/planes/layer_fit.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine {
namespace {

constexpr int32_t largestCursor = 512;
constexpr int8_t fastestClass = 12;

bool takes(const Plane& plane, uint32_t fourcc, uint64_t modifier) {
  return modifier == DRM_FORMAT_MOD_INVALID ? plane.hasFormat(fourcc) : plane.hasFormat(fourcc, modifier);
}

LayerFit fitFormat(const Layer& layer, const Plane& plane) {
  const FormatInfo* format = formatInfo(layer.fourcc);
  const uint32_t opaque = layer.opaque && format != nullptr ? format->opaque : layer.fourcc;
  if (opaque != layer.fourcc && takes(plane, opaque, layer.modifier)) return {Refusal::None, true};
  if (takes(plane, layer.fourcc, layer.modifier)) return {};
  const bool known = plane.hasFormat(layer.fourcc) || plane.hasFormat(opaque);
  return {known ? Refusal::PlaneModifier : Refusal::PlaneFormat};
}

/** Some planes of type cursor are overlays like any other (Rockchip VOP, vkms, vc4). */
bool takesCursorsOnly(const Plane& plane) {
  return plane.type == PlaneType::Cursor && std::ranges::all_of(plane.formats, [](const FormatModifier& format) {
           return format.fourcc == DRM_FORMAT_ARGB8888;
         });
}

/** A cursor plane takes small ARGB images, unscaled; which sizes, only TEST_ONLY knows. */
bool isCursorImage(const Layer& layer) {
  return layer.fourcc == DRM_FORMAT_ARGB8888 && layer.destination.width <= largestCursor &&
         layer.destination.height <= largestCursor && !needsScaling(layer);
}

bool showsColours(const Layer& layer, const Plane& plane) {
  const FormatInfo* format = formatInfo(layer.fourcc);
  if (format == nullptr || !format->isYuv) return true;
  const bool unknownWillDo = isMandatory(layer);
  const bool encoding = plane.properties.has(PlaneProperty::ColorEncoding)
                            ? plane.encodingValue(layer.encoding).has_value()
                            : unknownWillDo;
  const bool range =
      plane.properties.has(PlaneProperty::ColorRange) ? plane.rangeValue(layer.range).has_value() : unknownWillDo;
  return encoding && range;
}

} // namespace

bool blendsPremultiplied(const Plane& plane) {
  // Without the property, pixels are premultiplied (kernel: "pixel blend mode").
  return !plane.properties.has(PlaneProperty::PixelBlendMode) ||
         plane.properties.enumValue(PlaneProperty::PixelBlendMode, "Pre-multiplied").has_value();
}

LayerFit fitLayer(const Layer& layer, const Plane& plane) {
  if (takesCursorsOnly(plane) && !isCursorImage(layer)) return {Refusal::PlaneNone};
  const LayerFit fit = fitFormat(layer, plane);
  if (fit.refusal != Refusal::None) return fit;
  if (!plane.rotationFor(layer.transform)) return {Refusal::PlaneTransform};
  const bool translucent = layer.alpha != 0xffff;
  if (translucent && !plane.properties.has(PlaneProperty::Alpha)) return {Refusal::PlaneAlpha};
  if (!showsColours(layer, plane)) return {Refusal::PlaneEncoding};
  const FormatInfo* format = formatInfo(layer.fourcc);
  const bool blends = format != nullptr && format->hasAlpha && !layer.opaque;
  if (blends && !blendsPremultiplied(plane)) return {Refusal::PlaneBlending};
  return fit;
}

unsigned fitProgress(Refusal refusal) {
  switch (refusal) {
  case Refusal::PlaneFormat:
    return 1;
  case Refusal::PlaneModifier:
    return 2;
  case Refusal::PlaneTransform:
    return 3;
  case Refusal::PlaneAlpha:
    return 4;
  case Refusal::PlaneEncoding:
    return 5;
  case Refusal::PlaneBlending:
    return 6;
  default:
    return 0;
  }
}

bool needsScaling(const Layer& layer) {
  const SourceRect& source = layer.source;
  if (!source.x.isWhole() || !source.y.isWhole()) return true;
  auto width = Fixed16_16::fromInt(static_cast<uint32_t>(std::max(0, layer.destination.width)));
  auto height = Fixed16_16::fromInt(static_cast<uint32_t>(std::max(0, layer.destination.height)));
  if (swapsAxes(layer.transform)) std::swap(width, height);
  return source.width != width || source.height != height;
}

int8_t changeClass(double changesPerSecond, bool wasOnPlane) {
  const bool changes = changesPerSecond >= (wasOnPlane ? 0.5 : 1.0); // false for NaN
  if (!changes) return 0;
  return static_cast<int8_t>(1 + std::clamp<int>(std::ilogb(changesPerSecond / 1.25), 0, fastestClass));
}

double classRate(int8_t changeClass) {
  // The usual rate in each class; 5 and 60 are what the display list has most.
  constexpr std::array<double, 8> usual = {0.25, 1.5, 3, 5, 12, 30, 60, 120};
  const auto index = static_cast<size_t>(changeClass);
  return index < usual.size() ? usual[index]
                              : std::ldexp(usual.back(), changeClass - static_cast<int>(usual.size()) + 1);
}

} // namespace vitrine
