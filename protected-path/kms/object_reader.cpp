#include "protected-path/kms/object_reader.h"

#include <algorithm>
#include <cstring>
#include <format>

#include <drm_fourcc.h>

#include "protected-path/base/log.h"
#include "protected-path/kms/in_formats.h"

namespace vitrine {
namespace {

// The order of the enums in kms_object.h.
constexpr std::array<std::string_view, static_cast<size_t>(PlaneProperty::Count)> planePropertyNames = {
    "type",     "FB_ID",          "CRTC_ID",     "SRC_X",          "SRC_Y",       "SRC_W", "SRC_H", "CRTC_X",
    "CRTC_Y",   "CRTC_W",         "CRTC_H",      "IN_FORMATS",     "IN_FENCE_FD", "zpos",  "alpha", "pixel blend mode",
    "rotation", "COLOR_ENCODING", "COLOR_RANGE", "FB_DAMAGE_CLIPS"};
constexpr std::array<std::string_view, static_cast<size_t>(CrtcProperty::Count)> crtcPropertyNames = {
    "ACTIVE", "MODE_ID",   "OUT_FENCE_PTR", "BACKGROUND_COLOR", "DEGAMMA_LUT",
    "CTM",    "GAMMA_LUT", "VRR_ENABLED",   "GAMMA_LUT_SIZE"};
constexpr std::array<std::string_view, static_cast<size_t>(ConnectorProperty::Count)> connectorPropertyNames = {
    "CRTC_ID",
    "DPMS",
    "link-status",
    "non-desktop",
    "Content Protection",
    "HDCP Content Type",
    "HDR_OUTPUT_METADATA",
    "Colorspace",
    "max bpc",
    "Broadcast RGB",
    "panel orientation",
    "WRITEBACK_FB_ID",
    "WRITEBACK_OUT_FENCE_PTR",
    "WRITEBACK_PIXEL_FORMATS"};

KmsPropertyInfo propertyInfo(const drmModePropertyRes& description, uint64_t value) {
  KmsPropertyInfo info;
  info.id = description.prop_id;
  info.value = value;
  info.immutable = (description.flags & DRM_MODE_PROP_IMMUTABLE) != 0;
  if ((description.flags & DRM_MODE_PROP_RANGE) != 0 && description.count_values >= 2) {
    info.rangeMinimum = description.values[0];
    info.rangeMaximum = description.values[1];
  }
  for (int i = 0; i < description.count_enums; ++i) {
    const auto& entry = description.enums[i];
    info.enumValues.emplace_back(std::string(entry.name, strnlen(entry.name, sizeof entry.name)), entry.value);
  }
  return info;
}

/** Files `info` under the enum whose name it has; other properties are not ours. */
template<typename Property, size_t count>
void store(KmsProperties<Property>& properties, const std::array<std::string_view, count>& names, std::string_view name,
           const drmModePropertyRes& description, uint64_t value) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return;
  properties[static_cast<Property>(found - names.begin())] = propertyInfo(description, value);
}

/** Exact to the millihertz: the kernel's own `vrefresh` is whole hertz. */
uint32_t refreshMilliHertz(const drmModeModeInfo& mode) {
  const uint64_t pixels = uint64_t{mode.htotal} * mode.vtotal;
  if (pixels == 0) return mode.vrefresh * 1000;
  uint64_t numerator = uint64_t{mode.clock} * 1'000'000; // clock is in kHz
  uint64_t denominator = pixels;
  if ((mode.flags & DRM_MODE_FLAG_INTERLACE) != 0) numerator *= 2;
  if ((mode.flags & DRM_MODE_FLAG_DBLSCAN) != 0) denominator *= 2;
  if (mode.vscan > 1) denominator *= mode.vscan;
  return static_cast<uint32_t>((numerator + denominator / 2) / denominator);
}

Mode modeFrom(const drmModeModeInfo& info) {
  static_assert(sizeof(drmModeModeInfo) == sizeof(Mode::raw) && sizeof(drm_mode_modeinfo) == sizeof(Mode::raw));
  Mode mode{{info.hdisplay, info.vdisplay},
            refreshMilliHertz(info),
            (info.type & DRM_MODE_TYPE_PREFERRED) != 0,
            std::string(info.name, strnlen(info.name, sizeof info.name)),
            {}};
  std::memcpy(mode.raw.data(), &info, sizeof info);
  return mode;
}

std::string connectorName(const drmModeConnector& connector) {
  const char* type = drmModeGetConnectorTypeName(connector.connector_type);
  return std::format("{}-{}", type != nullptr ? type : "Unknown", connector.connector_type_id);
}

} // namespace

Result<const drmModePropertyRes*> ObjectReader::description(uint32_t propertyId) {
  auto& entry = descriptions_[propertyId];
  if (!entry) entry.reset(drmModeGetProperty(fd_, propertyId));
  if (!entry) return systemError("DRM_IOCTL_MODE_GETPROPERTY", std::format("property {}", propertyId));
  return entry.get();
}

Result<std::vector<ObjectReader::NamedProperty>> ObjectReader::properties(uint32_t objectId, uint32_t objectType) {
  const DrmPointer<drmModeObjectProperties> list(drmModeObjectGetProperties(fd_, objectId, objectType));
  if (!list) return systemError("DRM_IOCTL_MODE_OBJ_GETPROPERTIES", std::format("object {}", objectId));
  std::vector<NamedProperty> named;
  named.reserve(list->count_props);
  for (uint32_t i = 0; i < list->count_props; ++i) {
    const auto entry = description(list->props[i]);
    if (!entry) return std::unexpected(entry.error());
    const char* name = (*entry)->name;
    named.push_back({{name, strnlen(name, DRM_PROP_NAME_LEN)}, *entry, list->prop_values[i]});
  }
  return named;
}

std::vector<std::byte> ObjectReader::blob(uint64_t id) const {
  if (id == 0) return {};
  const DrmPointer<drmModePropertyBlobRes> data(drmModeGetPropertyBlob(fd_, static_cast<uint32_t>(id)));
  if (!data) return {}; // replaced by a hotplug meanwhile; its uevent makes us read again
  const auto* bytes = static_cast<const std::byte*>(data->data);
  return {bytes, bytes + data->length};
}

Result<Plane> ObjectReader::plane(uint32_t id, bool hasModifiers) {
  const DrmPointer<drmModePlane> raw(drmModeGetPlane(fd_, id));
  if (!raw) return systemError("DRM_IOCTL_MODE_GETPLANE", std::format("plane {}", id));
  const auto named = properties(id, DRM_MODE_OBJECT_PLANE);
  if (!named) return std::unexpected(named.error());

  Plane plane;
  plane.id = id;
  plane.possibleCrtcs = raw->possible_crtcs;
  for (const auto& [name, description, value] : *named) {
    store(plane.properties, planePropertyNames, name, *description, value);
  }
  plane.type = static_cast<PlaneType>(plane.properties[PlaneProperty::Type].value);

  if (hasModifiers && plane.properties.has(PlaneProperty::InFormats)) {
    const auto data = blob(plane.properties[PlaneProperty::InFormats].value);
    auto formats = parseInFormats(data);
    if (formats) {
      plane.formats = std::move(*formats);
      return plane;
    }
    log("kms").warn("plane {}: {}; its plain list is used", id, formats.error().text());
  }
  for (uint32_t i = 0; i < raw->count_formats; ++i)
    plane.formats.push_back({raw->formats[i], DRM_FORMAT_MOD_LINEAR});
  std::ranges::sort(plane.formats);
  return plane;
}

Result<std::vector<Plane>> ObjectReader::planes(bool hasModifiers) {
  const DrmPointer<drmModePlaneRes> list(drmModeGetPlaneResources(fd_));
  if (!list) return systemError("DRM_IOCTL_MODE_GETPLANERESOURCES", "planes");
  std::vector<Plane> planes;
  for (uint32_t i = 0; i < list->count_planes; ++i) {
    auto next = plane(list->planes[i], hasModifiers);
    if (!next) return std::unexpected(next.error());
    planes.push_back(std::move(*next));
  }
  return planes;
}

Result<std::vector<Crtc>> ObjectReader::crtcs(std::span<const uint32_t> ids) {
  std::vector<Crtc> crtcs;
  for (const uint32_t id : ids) {
    const auto named = properties(id, DRM_MODE_OBJECT_CRTC);
    if (!named) return std::unexpected(named.error());
    Crtc crtc{id, static_cast<uint32_t>(crtcs.size()), {}};
    for (const auto& [name, description, value] : *named) {
      store(crtc.properties, crtcPropertyNames, name, *description, value);
    }
    crtcs.push_back(std::move(crtc));
  }
  return crtcs;
}

Result<Connector> ObjectReader::connector(uint32_t id, bool probe) {
  const DrmPointer<drmModeConnector> raw(probe ? drmModeGetConnector(fd_, id) : drmModeGetConnectorCurrent(fd_, id));
  if (!raw) return systemError("DRM_IOCTL_MODE_GETCONNECTOR", std::format("connector {}", id));
  const auto named = properties(id, DRM_MODE_OBJECT_CONNECTOR);
  if (!named) return std::unexpected(named.error());

  Connector connector;
  connector.id = id;
  connector.name = connectorName(*raw);
  connector.type = raw->connector_type;
  connector.connected = raw->connection == DRM_MODE_CONNECTED;
  connector.writeback = raw->connector_type == DRM_MODE_CONNECTOR_WRITEBACK;
  connector.physicalSizeMillimetres = {raw->mmWidth, raw->mmHeight};
  connector.possibleCrtcs = drmModeConnectorGetPossibleCrtcs(fd_, raw.get());
  for (int i = 0; i < raw->count_modes; ++i)
    connector.modes.push_back(modeFrom(raw->modes[i]));
  for (const auto& [name, description, value] : *named) {
    store(connector.properties, connectorPropertyNames, name, *description, value);
    if (name != "EDID") continue;
    const auto bytes = blob(value);
    connector.edid.resize(bytes.size());
    std::ranges::transform(bytes, connector.edid.begin(),
                           [](std::byte byte) { return std::to_integer<uint8_t>(byte); });
  }
  return connector;
}

Result<std::vector<Connector>> ObjectReader::connectors(std::span<const uint32_t> ids,
                                                        const std::function<bool(uint32_t)>& isProbed) {
  std::vector<Connector> connectors;
  for (const uint32_t id : ids) {
    auto next = connector(id, isProbed(id));
    if (next) {
      connectors.push_back(std::move(*next));
    } else if (next.error().number != ENOENT) { // a DisplayPort MST connector may vanish between two calls
      return std::unexpected(next.error());
    }
  }
  return connectors;
}

void decideStacking(std::vector<Plane>& planes) {
  const bool known =
      std::ranges::all_of(planes, [](const Plane& plane) { return plane.properties.has(PlaneProperty::Zpos); });
  const auto key = [known](const Plane& plane) -> std::pair<uint64_t, uint32_t> {
    constexpr std::array<uint64_t, 3> conventional = {1, 0, 2}; // overlay, primary, cursor
    if (known) return {plane.properties[PlaneProperty::Zpos].value, plane.id};
    return {conventional.at(static_cast<size_t>(plane.type)), plane.id};
  };
  for (Plane& plane : planes) {
    plane.stackingKnown = known;
    plane.stacking = static_cast<uint32_t>(
        std::ranges::count_if(planes, [&](const Plane& other) { return key(other) < key(plane); }));
    const KmsPropertyInfo& zpos = plane.properties[PlaneProperty::Zpos];
    const auto value = static_cast<uint32_t>(known ? zpos.value : plane.stacking);
    plane.zpos = {value, value};
    // A range of one value is as fixed as an immutable one: some drivers refuse to be told it (vc4's primary).
    if (known && !zpos.immutable && zpos.rangeMinimum < zpos.rangeMaximum) {
      plane.zpos = {static_cast<uint32_t>(zpos.rangeMinimum), static_cast<uint32_t>(zpos.rangeMaximum)};
    }
  }
}

} // namespace vitrine
