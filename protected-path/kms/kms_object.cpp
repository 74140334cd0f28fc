#include "protected-path/kms/kms_object.h"

#include <algorithm>

#include <drm_mode.h>

namespace vitrine {
namespace {

constexpr uint64_t rotationMask = DRM_MODE_ROTATE_MASK;

/**
 * wl_output.transform and KMS agree: mirror left-right first, then turn counter-clockwise
 * ("drm_plane_create_rotation_property").
 */
uint64_t kmsRotation(Transform transform) {
  const auto number = static_cast<unsigned>(transform);
  return (uint64_t{DRM_MODE_ROTATE_0} << (number & 3U)) | (number >= 4 ? DRM_MODE_REFLECT_X : 0);
}

/** The other way to say it: mirroring both ways is half a turn. */
uint64_t otherWay(uint64_t rotation) {
  const uint64_t turn = rotation & rotationMask;
  const uint64_t opposite = (turn << 2 | turn >> 2) & rotationMask;
  return opposite | ((rotation & ~rotationMask) ^ (DRM_MODE_REFLECT_X | DRM_MODE_REFLECT_Y));
}

} // namespace

const char* planeTypeName(PlaneType type) {
  switch (type) {
  case PlaneType::Overlay:
    return "overlay";
  case PlaneType::Primary:
    return "primary";
  case PlaneType::Cursor:
    return "cursor";
  }
  return "unknown";
}

bool Plane::hasFormat(uint32_t fourcc) const {
  return std::ranges::any_of(formats, [fourcc](const FormatModifier& pair) { return pair.fourcc == fourcc; });
}

bool Plane::hasFormat(uint32_t fourcc, uint64_t modifier) const {
  return std::ranges::find(formats, FormatModifier{fourcc, modifier}) != formats.end();
}

std::optional<uint64_t> Plane::rotationFor(Transform transform) const {
  uint64_t supported = 0;
  for (const auto& [name, bit] : properties[PlaneProperty::Rotation].enumValues) {
    if (bit < 64) supported |= uint64_t{1} << bit;
  }
  const uint64_t wanted = kmsRotation(transform);
  if ((wanted & ~supported) == 0) return wanted;
  if ((otherWay(wanted) & ~supported) == 0) return otherWay(wanted);
  if (transform == Transform::Normal) return DRM_MODE_ROTATE_0;
  return std::nullopt;
}

std::optional<uint64_t> Plane::encodingValue(ColorEncoding encoding) const {
  // Names: kernel, drivers/gpu/drm/drm_color_mgmt.c, color_encoding_name.
  switch (encoding) {
  case ColorEncoding::Bt601:
    return properties.enumValue(PlaneProperty::ColorEncoding, "ITU-R BT.601 YCbCr");
  case ColorEncoding::Bt709:
    return properties.enumValue(PlaneProperty::ColorEncoding, "ITU-R BT.709 YCbCr");
  case ColorEncoding::Bt2020:
    return properties.enumValue(PlaneProperty::ColorEncoding, "ITU-R BT.2020 YCbCr");
  }
  return std::nullopt;
}

std::optional<uint64_t> Plane::rangeValue(ColorRange range) const {
  return properties.enumValue(PlaneProperty::ColorRange,
                              range == ColorRange::Limited ? "YCbCr limited range" : "YCbCr full range");
}

bool Connector::isUsable() const {
  return connected && !writeback && !modes.empty() && properties[ConnectorProperty::NonDesktop].value == 0;
}

Transform Connector::panelTransform() const {
  const auto is = [this](std::string_view entry) {
    const auto value = properties.enumValue(ConnectorProperty::PanelOrientation, entry);
    return value && *value == properties[ConnectorProperty::PanelOrientation].value;
  };
  if (is("Upside Down")) return Transform::R180;
  if (is("Left Side Up")) return Transform::R90;
  if (is("Right Side Up")) return Transform::R270;
  return Transform::Normal;
}

ContentProtection Connector::contentProtection() const {
  const auto is = [this](std::string_view entry) {
    const auto value = properties.enumValue(ConnectorProperty::ContentProtection, entry);
    return value && *value == properties[ConnectorProperty::ContentProtection].value;
  };
  if (is("Enabled")) return ContentProtection::Enabled;
  if (is("Desired")) return ContentProtection::Desired;
  return is("Undesired") ? ContentProtection::Undesired : ContentProtection::Unsupported;
}

bool Connector::isSameMonitor(const Connector& other) const {
  return edid == other.edid && std::ranges::equal(modes, other.modes, {}, &Mode::raw, &Mode::raw);
}

} // namespace vitrine
