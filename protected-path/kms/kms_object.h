#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/refusal.h"

namespace vitrine {

/** Properties by the names of the kernel's KMS documentation ("Plane Abstraction", "Standard Connector Properties"). */
enum class PlaneProperty : uint8_t {
  Type,
  FbId,
  CrtcId,
  SrcX,
  SrcY,
  SrcW,
  SrcH,
  CrtcX,
  CrtcY,
  CrtcW,
  CrtcH,
  InFormats,
  InFenceFd,
  Zpos,
  Alpha,
  PixelBlendMode,
  Rotation,
  ColorEncoding,
  ColorRange,
  FbDamageClips,
  Count,
};
enum class CrtcProperty : uint8_t {
  Active,
  ModeId,
  OutFencePtr,
  BackgroundColor,
  DegammaLut,
  Ctm,
  GammaLut,
  VrrEnabled,
  GammaLutSize,
  Count
};
enum class ConnectorProperty : uint8_t {
  CrtcId,
  Dpms,
  LinkStatus,
  NonDesktop,
  ContentProtection,
  HdcpContentType,
  HdrOutputMetadata,
  Colorspace,
  MaxBpc,
  BroadcastRgb,
  PanelOrientation,
  WritebackFbId,
  WritebackOutFencePtr,
  WritebackPixelFormats,
  Count,
};

/** One property of one object as the kernel described it. */
struct KmsPropertyInfo {
  uint32_t id = 0;    ///< 0 = the object does not have it
  uint64_t value = 0; ///< when it was read; stale after the first commit
  bool immutable = false;
  uint64_t rangeMinimum = 0; ///< range properties only
  uint64_t rangeMaximum = 0;
  std::vector<std::pair<std::string, uint64_t>> enumValues; ///< enum: value; bitmask: bit number
};

/** The properties of an object, indexed by its enum. */
template<typename Property>
class KmsProperties {
public:
  [[nodiscard]] const KmsPropertyInfo& operator[](Property property) const {
    return table_[static_cast<size_t>(property)];
  }
  [[nodiscard]] KmsPropertyInfo& operator[](Property property) { return table_[static_cast<size_t>(property)]; }
  [[nodiscard]] bool has(Property property) const { return (*this)[property].id != 0; }
  /** The numeric value of an enum entry by name (`ITU-R BT.709 YCbCr`), or empty. */
  [[nodiscard]] std::optional<uint64_t> enumValue(Property property, std::string_view name) const {
    for (const auto& [entry, value] : (*this)[property].enumValues) {
      if (entry == name) return value;
    }
    return std::nullopt;
  }
  /** Notes another value of the property with this id, if the object has it. */
  void setValue(uint32_t id, uint64_t value) {
    for (KmsPropertyInfo& property : table_) {
      if (property.id == id) property.value = value;
    }
  }

private:
  std::array<KmsPropertyInfo, static_cast<size_t>(Property::Count)> table_;
};

enum class PlaneType : uint8_t { Overlay = 0, Primary = 1, Cursor = 2 };
[[nodiscard]] const char* planeTypeName(PlaneType type);

/** Values of a plane's property `zpos`: where it can lie in the stack. */
struct ZposRange {
  uint32_t minimum = 0;
  uint32_t maximum = 0; ///< equal to `minimum` where the place is fixed
  [[nodiscard]] bool isMutable() const { return minimum != maximum; }
};

/**
 * A hardware plane: what it can do, as far as the kernel says. What it does not say (scale limits, bandwidth,
 * combinations) only TEST_ONLY answers.
 */
struct Plane {
  uint32_t id = 0;
  PlaneType type = PlaneType::Overlay;
  uint32_t possibleCrtcs = 0;          ///< bit n: the device's n-th CRTC
  std::vector<FormatModifier> formats; ///< from IN_FORMATS; without it the plain list, with LINEAR
  /** Default place in the stack, 0 lowest, unique per device; from zpos, else primary, overlays by id, cursor. */
  uint32_t stacking = 0;
  /** Places that it can have. Planes with equal zpos are ordered by id (kernel: "zpos"). `stacking` without zpos. */
  ZposRange zpos;
  bool stackingKnown = false; ///< the kernel said so (zpos); else it is the convention above
  KmsProperties<PlaneProperty> properties;

  [[nodiscard]] bool hasFormat(uint32_t fourcc) const;
  [[nodiscard]] bool hasFormat(uint32_t fourcc, uint64_t modifier) const;
  /** The value of the `rotation` property that shows a buffer with `transform`, or empty where it cannot. */
  [[nodiscard]] std::optional<uint64_t> rotationFor(Transform transform) const;
  [[nodiscard]] std::optional<uint64_t> encodingValue(ColorEncoding encoding) const;
  [[nodiscard]] std::optional<uint64_t> rangeValue(ColorRange range) const;
};

struct Crtc {
  uint32_t id = 0;
  uint32_t index = 0; ///< its bit in possibleCrtcs
  KmsProperties<CrtcProperty> properties;
};

/** A display mode; `raw` is handed to the kernel as it came (struct drm_mode_modeinfo). */
struct Mode {
  Size size;
  uint32_t refreshMilliHertz = 0;
  bool preferred = false;
  std::string name;
  std::array<std::byte, 68> raw{};
};

/** The HDCP of a connector, in the words of its property "Content Protection". */
enum class ContentProtection : uint8_t {
  Unsupported, ///< the connector does not have the property
  Undesired,
  Desired, ///< asked for, and the link is not protected (yet, or any more)
  Enabled, ///< the kernel vouches for the link
};

struct Connector {
  uint32_t id = 0;
  std::string name;  ///< `eDP-1`, `Virtual-1`: type and number, as the kernel's sysfs has it
  uint32_t type = 0; ///< DRM_MODE_CONNECTOR_*
  bool connected = false;
  bool writeback = false;
  Size physicalSizeMillimetres;
  std::vector<Mode> modes;
  uint32_t possibleCrtcs = 0;
  std::vector<uint8_t> edid; ///< empty where there is none
  KmsProperties<ConnectorProperty> properties;

  /** Whether a desktop can be shown there: connected, with a mode, and no headset or other special display ("non-desktop"). */
  [[nodiscard]] bool isUsable() const;
  /** How a picture is turned to be upright on a panel that is mounted another way ("panel orientation"). */
  [[nodiscard]] Transform panelTransform() const;
  [[nodiscard]] ContentProtection contentProtection() const;
  /** Whether the same monitor is connected, as far as EDID and modes tell. */
  [[nodiscard]] bool isSameMonitor(const Connector& other) const;
};

} // namespace vitrine
