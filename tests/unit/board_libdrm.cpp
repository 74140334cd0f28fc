// libdrm's mode setting functions, answered from a board's plane table. They are in the program itself, so that libliftoff
// calls them instead of libdrm's.
#include "tests/unit/board_libdrm.h"

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace vitrine::test {

BoardDevice boardDevice;

FramePlan planOf(const BoardDevice& device, std::span<const uint32_t> framebuffers) {
  const std::vector<Plane>& planes = device.board->planes;
  FramePlan plan;
  plan.composedCount = 0;
  plan.layers.resize(device.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    if (device.layers[i].composeRefusal != Refusal::None) plan.layers[i].path = Path::Placeholder;
  }
  std::vector<size_t> stack;
  for (size_t p = 0; p < planes.size(); ++p) {
    if (framebuffers[p] != 0) stack.push_back(p);
  }
  std::ranges::sort(stack, {}, [&](size_t p) { return std::pair(BoardDevice::zposOf(planes[p]), planes[p].id); });
  for (size_t position = 0; position < stack.size(); ++position) {
    const Plane& plane = planes[stack[position]];
    const uint32_t fb = framebuffers[stack[position]];
    const auto place = static_cast<uint8_t>(position);
    if (fb == BoardDevice::compositionFb) {
      plan.composedCount = 1;
      plan.composedBuffers[0] = {.planeId = plane.id, .zpos = BoardDevice::zposOf(plane), .position = place};
    } else {
      plan.layers[(fb - BoardDevice::layerFb(0, false)) / 2] = {
          .path = Path::Plane, .planeId = plane.id, .zpos = BoardDevice::zposOf(plane), .position = place};
    }
  }
  return plan;
}

namespace {

// Properties of planes, by id. Those that a plane lacks are not listed for it.
enum PropertyId : uint32_t {
  typeId = 1,
  fbId,
  crtcIdId,
  firstBoxId,
  inFormatsId = firstBoxId + 8,
  zposId,
  alphaId,
  rotationId,
  encodingId,
  rangeId
};
constexpr std::array boxNames = {"SRC_X", "SRC_Y", "SRC_W", "SRC_H", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H"};

template<typename T>
T* make(size_t count = 1) {
  return static_cast<T*>(std::calloc(count, sizeof(T)));
}

const Plane* planeById(uint32_t id) {
  const auto found = std::ranges::find(boardDevice.board->planes, id, &Plane::id);
  return found != boardDevice.board->planes.end() ? &*found : nullptr;
}

void setName(drmModePropertyRes& property, std::string_view name) {
  name.copy(property.name, sizeof property.name - 1);
}

void setValues(drmModePropertyRes& property, std::initializer_list<uint64_t> values) {
  property.values = make<uint64_t>(values.size());
  std::ranges::copy(values, property.values);
  property.count_values = static_cast<int>(values.size());
}

void setEnums(drmModePropertyRes& property, const std::vector<std::pair<std::string, uint64_t>>& values) {
  property.enums = make<drm_mode_property_enum>(std::max<size_t>(values.size(), 1));
  property.count_enums = static_cast<int>(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    property.enums[i].value = values[i].second;
    values[i].first.copy(property.enums[i].name, sizeof property.enums[i].name - 1);
  }
}

/** The first plane's values stand for all: boards give each plane the same ones, or none. */
const KmsPropertyInfo* anyOf(PlaneProperty property) {
  for (const Plane& plane : boardDevice.board->planes) {
    if (plane.properties.has(property)) return &plane.properties[property];
  }
  return nullptr;
}

} // namespace
} // namespace vitrine::test

using namespace vitrine;
using namespace vitrine::test;

struct _drmModeAtomicReq {
  struct Setting {
    uint32_t object;
    uint32_t property;
    uint64_t value;
  };
  std::vector<Setting> settings;
};

extern "C" {

drmModeResPtr drmModeGetResources(int) {
  auto* resources = make<drmModeRes>();
  resources->count_crtcs = 1;
  resources->crtcs = make<uint32_t>();
  resources->crtcs[0] = BoardDevice::crtcId;
  return resources;
}

void drmModeFreeResources(drmModeResPtr resources) {
  std::free(resources->crtcs);
  std::free(resources);
}

drmModePlaneResPtr drmModeGetPlaneResources(int) {
  const auto& planes = boardDevice.board->planes;
  auto* resources = make<drmModePlaneRes>();
  resources->planes = make<uint32_t>(planes.size());
  for (const Plane& plane : planes)
    resources->planes[resources->count_planes++] = plane.id;
  return resources;
}

void drmModeFreePlaneResources(drmModePlaneResPtr resources) {
  std::free(resources->planes);
  std::free(resources);
}

drmModePlanePtr drmModeGetPlane(int, uint32_t id) {
  auto* plane = make<drmModePlane>();
  plane->plane_id = id;
  plane->possible_crtcs = 1;
  return plane;
}

void drmModeFreePlane(drmModePlanePtr plane) {
  std::free(plane);
}

drmModeObjectPropertiesPtr drmModeObjectGetProperties(int, uint32_t id, uint32_t) {
  const Plane& plane = *planeById(id);
  auto* list = make<drmModeObjectProperties>();
  list->props = make<uint32_t>(32);
  list->prop_values = make<uint64_t>(32);
  const auto add = [list](uint32_t property, uint64_t value) {
    list->props[list->count_props] = property;
    list->prop_values[list->count_props++] = value;
  };
  const uint64_t types[] = {DRM_PLANE_TYPE_PRIMARY, DRM_PLANE_TYPE_OVERLAY, DRM_PLANE_TYPE_CURSOR};
  add(typeId, types[plane.type == PlaneType::Primary ? 0 : plane.type == PlaneType::Overlay ? 1 : 2]);
  add(fbId, 0);
  add(crtcIdId, 0);
  for (uint32_t i = 0; i < boxNames.size(); ++i)
    add(firstBoxId + i, 0);
  add(inFormatsId, id); // the blob's id is the plane's
  add(zposId, BoardDevice::zposOf(plane));
  if (plane.properties.has(PlaneProperty::Alpha)) add(alphaId, 0xffff);
  if (plane.properties.has(PlaneProperty::Rotation)) add(rotationId, DRM_MODE_ROTATE_0);
  if (plane.properties.has(PlaneProperty::ColorEncoding)) add(encodingId, 0);
  if (plane.properties.has(PlaneProperty::ColorRange)) add(rangeId, 0);
  return list;
}

void drmModeFreeObjectProperties(drmModeObjectPropertiesPtr list) {
  std::free(list->props);
  std::free(list->prop_values);
  std::free(list);
}

drmModePropertyPtr drmModeGetProperty(int, uint32_t id) {
  auto* property = make<drmModePropertyRes>();
  property->prop_id = id;
  property->flags = DRM_MODE_PROP_RANGE;
  const auto asEnum = [property](const char* name, PlaneProperty of, uint32_t flags) {
    setName(*property, name);
    property->flags = flags;
    if (const KmsPropertyInfo* info = anyOf(of)) setEnums(*property, info->enumValues);
  };
  if (id >= firstBoxId && id < firstBoxId + boxNames.size()) {
    setName(*property, boxNames[id - firstBoxId]);
    setValues(*property, {0, UINT32_MAX});
    if (id - firstBoxId == 4 || id - firstBoxId == 5) {
      property->flags = DRM_MODE_PROP_SIGNED_RANGE;
      property->values[0] = static_cast<uint64_t>(INT32_MIN);
      property->values[1] = INT32_MAX;
    }
    return property;
  }
  switch (id) {
  case typeId:
    setName(*property, "type");
    property->flags = DRM_MODE_PROP_ENUM | DRM_MODE_PROP_IMMUTABLE;
    break;
  case fbId:
  case crtcIdId:
    setName(*property, id == fbId ? "FB_ID" : "CRTC_ID");
    property->flags = DRM_MODE_PROP_OBJECT;
    break;
  case inFormatsId:
    setName(*property, "IN_FORMATS");
    property->flags = DRM_MODE_PROP_BLOB | DRM_MODE_PROP_IMMUTABLE;
    break;
  case zposId:
    setName(*property, "zpos");
    setValues(*property, {0, 255});
    break;
  case alphaId:
    setName(*property, "alpha");
    setValues(*property, {0, 0xffff});
    break;
  case rotationId:
    asEnum("rotation", PlaneProperty::Rotation, DRM_MODE_PROP_BITMASK);
    break;
  case encodingId:
    asEnum("COLOR_ENCODING", PlaneProperty::ColorEncoding, DRM_MODE_PROP_ENUM);
    break;
  default:
    asEnum("COLOR_RANGE", PlaneProperty::ColorRange, DRM_MODE_PROP_ENUM);
    break;
  }
  return property;
}

void drmModeFreeProperty(drmModePropertyPtr property) {
  if (property == nullptr) return;
  std::free(property->values);
  std::free(property->enums);
  std::free(property);
}

drmModePropertyBlobPtr drmModeGetPropertyBlob(int, uint32_t id) {
  // As the kernel writes it: one entry for each modifier, with a bit for each format. Boards have fewer than 64.
  using Header = drm_format_modifier_blob;
  std::vector<uint32_t> fourccs;
  std::vector<drm_format_modifier> modifiers;
  for (const auto& [fourcc, modifier] : planeById(id)->formats) {
    auto format = std::ranges::find(fourccs, fourcc);
    if (format == fourccs.end()) format = fourccs.insert(fourccs.end(), fourcc);
    auto entry = std::ranges::find(modifiers, modifier, &drm_format_modifier::modifier);
    if (entry == modifiers.end()) entry = modifiers.insert(modifiers.end(), {0, 0, 0, modifier});
    entry->formats |= uint64_t{1} << (format - fourccs.begin());
  }
  if (fourccs.size() % 2 != 0) fourccs.push_back(0); // entries are aligned to 8 bytes
  const auto formatBytes = static_cast<uint32_t>(fourccs.size() * sizeof(uint32_t));
  const auto modifierBytes = static_cast<uint32_t>(modifiers.size() * sizeof(drm_format_modifier));
  constexpr auto headerBytes = static_cast<uint32_t>(sizeof(Header));
  const Header header{FORMAT_BLOB_CURRENT,
                      0,
                      static_cast<uint32_t>(fourccs.size()),
                      headerBytes,
                      static_cast<uint32_t>(modifiers.size()),
                      headerBytes + formatBytes};
  auto* blob = make<drmModePropertyBlobRes>();
  blob->id = id;
  blob->length = headerBytes + formatBytes + modifierBytes;
  auto* bytes = make<std::byte>(blob->length);
  std::memcpy(bytes, &header, sizeof header);
  std::memcpy(bytes + sizeof header, fourccs.data(), formatBytes);
  std::memcpy(bytes + sizeof header + formatBytes, modifiers.data(), modifierBytes);
  blob->data = bytes;
  return blob;
}

void drmModeFreePropertyBlob(drmModePropertyBlobPtr blob) {
  if (blob == nullptr) return;
  std::free(blob->data);
  std::free(blob);
}

drmModeFB2Ptr drmModeGetFB2(int, uint32_t id) {
  auto* fb = make<drmModeFB2>();
  fb->fb_id = id;
  fb->flags = DRM_MODE_FB_MODIFIERS;
  fb->handles[0] = id;
  if (id == BoardDevice::compositionFb) {
    const PlannerOutput& output = boardDevice.board->output;
    fb->width = output.size.width;
    fb->height = output.size.height;
    fb->pixel_format = output.composedFourcc;
    fb->modifier = output.composedModifier;
    return fb;
  }
  const Layer& layer = boardDevice.layers[(id - BoardDevice::layerFb(0, false)) / 2];
  const FormatInfo* format = formatInfo(layer.fourcc);
  fb->width = layer.bufferSize.width;
  fb->height = layer.bufferSize.height;
  fb->pixel_format = layer.fourcc;
  if (layer.opaque && format != nullptr && format->opaque != 0) fb->pixel_format = format->opaque;
  fb->modifier = layer.modifier;
  return fb;
}

void drmModeFreeFB2(drmModeFB2Ptr fb) {
  std::free(fb);
}

int drmCloseBufferHandle(int, uint32_t) {
  return 0;
}

drmModeAtomicReqPtr drmModeAtomicAlloc() {
  return new _drmModeAtomicReq;
}

void drmModeAtomicFree(drmModeAtomicReqPtr request) {
  delete request;
}

int drmModeAtomicGetCursor(drmModeAtomicReqPtr request) {
  return static_cast<int>(request->settings.size());
}

void drmModeAtomicSetCursor(drmModeAtomicReqPtr request, int cursor) {
  request->settings.resize(static_cast<size_t>(cursor));
}

int drmModeAtomicAddProperty(drmModeAtomicReqPtr request, uint32_t object, uint32_t property, uint64_t value) {
  request->settings.push_back({object, property, value});
  return static_cast<int>(request->settings.size());
}

int drmModeAtomicCommit(int, drmModeAtomicReqPtr request, uint32_t, void*) {
  const auto start = std::chrono::steady_clock::now();
  ++boardDevice.tests;
  const auto& planes = boardDevice.board->planes;
  std::vector<uint32_t> framebuffers(planes.size(), 0);
  for (const auto& setting : request->settings) {
    if (setting.property != fbId) continue;
    const auto plane = std::ranges::find(planes, setting.object, &Plane::id) - planes.begin();
    framebuffers[static_cast<size_t>(plane)] = static_cast<uint32_t>(setting.value);
  }
  const bool accepted = accepts(*boardDevice.board, boardDevice.layers, planOf(boardDevice, framebuffers));
  boardDevice.secondsInTests += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return accepted ? 0 : -EINVAL;
}

} // extern "C"
