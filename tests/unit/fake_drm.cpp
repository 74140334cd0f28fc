#include "tests/unit/fake_drm.h"

#include <dlfcn.h>
#include <drm_fourcc.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace vitrine::test {
namespace {

FakeDrm* instance = nullptr;

uint64_t inodeOf(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/** The kernel's way to return a list: always its length, its entries only where they fit. */
template<typename T>
void fill(uint64_t pointer, uint32_t& count, const std::vector<T>& entries) {
  if (pointer != 0 && count >= entries.size() && !entries.empty()) {
    std::memcpy(reinterpret_cast<void*>(pointer), entries.data(), entries.size() * sizeof(T));
  }
  count = static_cast<uint32_t>(entries.size());
}

template<typename T>
std::vector<T> take(uint64_t pointer, uint32_t count) {
  const T* entries = reinterpret_cast<const T*>(pointer);
  return {entries, entries + count};
}

template<typename T>
std::vector<std::byte> bytesOf(const T& value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  return {bytes, bytes + sizeof value};
}

drm_mode_modeinfo makeMode(uint32_t clock, uint16_t width, uint16_t htotal, uint16_t height, uint16_t vtotal,
                           uint32_t flags, uint32_t type) {
  drm_mode_modeinfo mode{};
  mode.clock = clock;
  mode.hdisplay = width;
  mode.htotal = htotal;
  mode.vdisplay = height;
  mode.vtotal = vtotal;
  mode.flags = flags;
  mode.type = type;
  mode.vrefresh = 60;
  std::strcpy(mode.name, flags != 0 ? "odd" : "even");
  return mode;
}

struct InFormats {
  drm_format_modifier_blob header{
      FORMAT_BLOB_CURRENT, 0, 2, sizeof(drm_format_modifier_blob), 1, sizeof(drm_format_modifier_blob) + 8};
  uint32_t formats[2] = {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12};
  drm_format_modifier modifier{3, 0, 0, DRM_FORMAT_MOD_LINEAR};
};

} // namespace

FakeDrm::FakeDrm(Options options) : options_(options) {
  if (instance != nullptr) std::abort();
  instance = this;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  deviceFd_ = ends[0];
  device_.reset(ends[0]);
  events_.reset(ends[1]);

  for (const uint32_t id : options.twoOutputs ? std::vector<uint32_t>{crtc, secondCrtc} : std::vector<uint32_t>{crtc}) {
    objects_[id].type = DRM_MODE_OBJECT_CRTC;
    give(id, {"ACTIVE", DRM_MODE_PROP_RANGE, {0, 1}, {}}, 0);
    give(id, {"MODE_ID", DRM_MODE_PROP_BLOB, {}, {}}, 0);
  }
  makePlane(primary, DRM_PLANE_TYPE_PRIMARY, 5);
  makePlane(overlay, DRM_PLANE_TYPE_OVERLAY, 2);
  makePlane(cursor, DRM_PLANE_TYPE_CURSOR, 9);
  for (const uint32_t id : {panel, writeback}) {
    objects_[id].type = DRM_MODE_OBJECT_CONNECTOR;
    give(id, {"CRTC_ID", DRM_MODE_PROP_OBJECT, {}, {}}, 0);
  }
  give(panel, {"EDID", DRM_MODE_PROP_BLOB | DRM_MODE_PROP_IMMUTABLE, {}, {}}, blob({std::byte{0}, std::byte{0xff}}));
  give(writeback, {"WRITEBACK_FB_ID", DRM_MODE_PROP_OBJECT, {}, {}}, 0);
  if (options.twoOutputs) makeSecondOutput();
  ownBlobs_ = blobs_.size();
}

FakeDrm::~FakeDrm() {
  instance = nullptr;
}

UniqueFd FakeDrm::takeDevice() {
  return std::move(device_);
}

uint32_t FakeDrm::property(const Property& property) {
  for (const auto& [id, known] : properties_) {
    if (known.name == property.name && known.flags == property.flags) return id;
  }
  properties_[nextId_] = property;
  return nextId_++;
}

void FakeDrm::give(uint32_t object, const Property& given, uint64_t value) {
  objects_[object].properties.emplace_back(property(given), value);
}

uint32_t FakeDrm::blob(std::vector<std::byte> data) {
  blobs_[nextId_] = std::move(data);
  return nextId_++;
}

std::span<const std::byte> FakeDrm::blobData(uint32_t id) const {
  const auto found = blobs_.find(id);
  return found != blobs_.end() ? std::span<const std::byte>(found->second) : std::span<const std::byte>();
}

void FakeDrm::makePlane(uint32_t id, uint64_t type, uint64_t zpos) {
  objects_[id].type = DRM_MODE_OBJECT_PLANE;
  give(id, {"type", DRM_MODE_PROP_ENUM | DRM_MODE_PROP_IMMUTABLE, {}, {"Overlay", "Primary", "Cursor"}}, type);
  for (const char* name : {"FB_ID", "CRTC_ID"})
    give(id, {name, DRM_MODE_PROP_OBJECT, {}, {}}, 0);
  for (const char* name : {"SRC_X", "SRC_Y", "SRC_W", "SRC_H", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H"}) {
    give(id, {name, DRM_MODE_PROP_RANGE, {0, UINT32_MAX}, {}}, 0);
  }
  auto formats = bytesOf(InFormats());
  if (options_.brokenInFormats) formats.resize(30);
  give(id, {"IN_FORMATS", DRM_MODE_PROP_BLOB | DRM_MODE_PROP_IMMUTABLE, {}, {}}, blob(formats));
  if (options_.zpos || options_.twoOutputs) give(id, {"zpos", DRM_MODE_PROP_RANGE, {0, 9}, {}}, zpos);
  if (options_.twoOutputs && id != secondOverlay) give(id, {"FB_DAMAGE_CLIPS", DRM_MODE_PROP_BLOB, {}, {}}, 0);
  if (id != overlay && id != secondOverlay) return;
  give(id, {"COLOR_ENCODING", DRM_MODE_PROP_ENUM, {}, {"ITU-R BT.601 YCbCr", "ITU-R BT.709 YCbCr"}}, 0);
  give(id, {"COLOR_RANGE", DRM_MODE_PROP_ENUM, {}, {"YCbCr limited range", "YCbCr full range"}}, 0);
}

UniqueFd FakeDrm::makeDmabuf(uint64_t sizeBytes) {
  UniqueFd fd(memfd_create("fake dma-buf", MFD_CLOEXEC));
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(sizeBytes)) != 0) std::abort();
  dmabufInodes_.insert(inodeOf(fd.get()));
  return fd;
}

Dmabuf FakeDrm::makeNv12(Size size, bool twoDmabufs) {
  const uint64_t lumaBytes = uint64_t{size.width} * size.height;
  DmabufAttributes attributes{size, DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR, 2, {}};
  attributes.planes[0] = {makeDmabuf(lumaBytes * 3 / 2), 0, size.width};
  const auto chroma = twoDmabufs ? 0 : static_cast<uint32_t>(lumaBytes);
  UniqueFd second = twoDmabufs ? makeDmabuf(lumaBytes / 2) : UniqueFd(dup(attributes.planes[0].fd.get()));
  attributes.planes[1] = {std::move(second), chroma, size.width};
  auto buffer = Dmabuf::create(std::move(attributes));
  if (!buffer) std::abort();
  return std::move(*buffer);
}

void FakeDrm::makeSecondOutput() {
  makePlane(secondPrimary, DRM_PLANE_TYPE_PRIMARY, 1);
  makePlane(secondOverlay, DRM_PLANE_TYPE_OVERLAY, 3);
  objects_[monitor].type = DRM_MODE_OBJECT_CONNECTOR;
  give(monitor, {"CRTC_ID", DRM_MODE_PROP_OBJECT, {}, {}}, 0);
  give(monitor, {"EDID", DRM_MODE_PROP_BLOB | DRM_MODE_PROP_IMMUTABLE, {}, {}}, blob({std::byte{1}}));
  for (const uint32_t id : {panel, monitor}) {
    give(id, {"link-status", DRM_MODE_PROP_ENUM, {}, {"Good", "Bad"}}, 0);
    give(id, {"HDR_OUTPUT_METADATA", DRM_MODE_PROP_BLOB, {}, {}}, 0);
    give(id, {"Colorspace", DRM_MODE_PROP_ENUM, {}, {"Default", "BT2020_RGB"}}, 0);
    give(id, {"max bpc", DRM_MODE_PROP_RANGE, {6, 12}, {}}, 12);
  }
  give(monitor, {"Content Protection", DRM_MODE_PROP_ENUM, {}, {"Undesired", "Desired", "Enabled"}}, 0);
  give(monitor, {"HDCP Content Type", DRM_MODE_PROP_ENUM, {}, {"HDCP Type0", "HDCP Type1"}}, 1);
  for (const uint32_t id : {crtc, secondCrtc}) {
    for (const char* name : {"DEGAMMA_LUT", "CTM", "GAMMA_LUT"})
      give(id, {name, DRM_MODE_PROP_BLOB, {}, {}}, 0);
    give(id, {"GAMMA_LUT_SIZE", DRM_MODE_PROP_RANGE | DRM_MODE_PROP_IMMUTABLE, {0, 4096}, {}}, gammaSize);
    give(id, {"VRR_ENABLED", DRM_MODE_PROP_RANGE, {0, 1}, {}}, 0);
  }
}

void FakeDrm::sendFlip(uint32_t crtcId, uint64_t userData) {
  drm_event_vblank flip{};
  flip.base = {DRM_EVENT_FLIP_COMPLETE, sizeof flip};
  flip.user_data = userData;
  flip.crtc_id = crtcId;
  sendEvents(std::as_bytes(std::span(&flip, 1)));
}

void FakeDrm::sendEvents(std::span<const std::byte> bytes) {
  if (send(events_.get(), bytes.data(), bytes.size(), 0) < 0) std::abort();
}

std::string FakeDrm::leaks() const {
  std::string text;
  if (!framebuffers_.empty()) text += std::to_string(framebuffers_.size()) + " framebuffers ";
  if (!handles_.empty()) text += std::to_string(handles_.size()) + " GEM handles ";
  if (blobs_.size() != ownBlobs_) text += std::to_string(blobs_.size() - ownBlobs_) + " blobs";
  return text;
}

bool FakeDrm::isDmabuf(int fd) const {
  return dmabufInodes_.contains(inodeOf(fd));
}

int FakeDrm::describeProperty(drm_mode_get_property& request) const {
  const auto found = properties_.find(request.prop_id);
  if (found == properties_.end()) return ENOENT;
  request.flags = found->second.flags;
  std::strcpy(request.name, found->second.name.c_str());
  std::vector<drm_mode_property_enum> enums;
  for (const std::string& name : found->second.enums) {
    enums.push_back({enums.size(), {}});
    std::strcpy(enums.back().name, name.c_str());
  }
  std::vector<uint64_t> values = found->second.values;
  for (const auto& entry : enums)
    values.push_back(entry.value);
  fill(request.values_ptr, request.count_values, values);
  fill(request.enum_blob_ptr, request.count_enum_blobs, enums);
  return 0;
}

int FakeDrm::describeConnector(drm_mode_get_connector& request) {
  const auto found = objects_.find(request.connector_id);
  if (found == objects_.end() || found->second.type != DRM_MODE_OBJECT_CONNECTOR) return ENOENT;
  if (request.count_modes == 0) probed.push_back(request.connector_id);
  const bool isPanel = request.connector_id == panel;
  const bool isMonitor = request.connector_id == monitor;
  request.connector_type = isPanel     ? DRM_MODE_CONNECTOR_eDP
                           : isMonitor ? DRM_MODE_CONNECTOR_HDMIA
                                       : DRM_MODE_CONNECTOR_WRITEBACK;
  request.connector_type_id = 1;
  request.connection = isPanel || isMonitor ? DRM_MODE_CONNECTED : DRM_MODE_UNKNOWNCONNECTION;
  if (disconnected_.contains(request.connector_id)) request.connection = DRM_MODE_DISCONNECTED;
  request.mm_width = isPanel ? 300 : 0;
  request.mm_height = isPanel ? 200 : 0;
  std::vector<drm_mode_modeinfo> modes;
  if (isPanel) {
    modes = {makeMode(148500, 1920, 2200, 1080, 1125, 0, DRM_MODE_TYPE_PREFERRED),
             makeMode(74176, 1280, 1650, 720, 750, 0, 0),
             makeMode(74250, 1920, 2200, 1080, 1125, DRM_MODE_FLAG_INTERLACE, 0),
             makeMode(27000, 720, 858, 240, 262, DRM_MODE_FLAG_DBLSCAN, 0), makeMode(1, 1, 0, 1, 0, 0, 0)};
  }
  for (uint16_t i = 0; isMonitor && i < 40; ++i) // the best is the last, as a monitor with a wrong EDID says it
    modes.push_back(makeMode(148500, static_cast<uint16_t>(800 + 16 * i), 2200, 600, 1125, 0,
                             i == 39 ? DRM_MODE_TYPE_PREFERRED : 0));
  if (request.connection == DRM_MODE_DISCONNECTED) modes.clear();
  std::vector<uint32_t> ids;
  std::vector<uint64_t> values;
  for (const auto& [id, value] : found->second.properties) {
    ids.push_back(id);
    values.push_back(value);
  }
  uint32_t valueCount = request.count_props;
  fill(request.prop_values_ptr, valueCount, values);
  fill(request.props_ptr, request.count_props, ids);
  fill(request.modes_ptr, request.count_modes, modes);
  fill(request.encoders_ptr, request.count_encoders, std::vector<uint32_t>{encoder});
  return 0;
}

int FakeDrm::atomic(const drm_mode_atomic& request) {
  if (!records) return (request.flags & DRM_MODE_ATOMIC_TEST_ONLY) != 0 ? testErrno : commitErrno;
  std::vector<Setting> settings;
  const auto objects = take<uint32_t>(request.objs_ptr, request.count_objs);
  const auto counts = take<uint32_t>(request.count_props_ptr, request.count_objs);
  if (!std::ranges::is_sorted(objects) || std::ranges::adjacent_find(objects) != objects.end()) std::abort();
  size_t next = 0;
  for (size_t i = 0; i < objects.size(); ++i) {
    for (uint32_t n = 0; n < counts[i]; ++n, ++next) {
      const uint32_t id = reinterpret_cast<const uint32_t*>(request.props_ptr)[next];
      settings.push_back(
          {objects[i], properties_[id].name, reinterpret_cast<const uint64_t*>(request.prop_values_ptr)[next]});
      if (!value(objects[i], properties_[id].name)) return ENOENT;
    }
  }
  lastAtomic = settings;
  lastAtomicFlags = request.flags;
  lastAtomicUserData = request.user_data;
  const bool test = (request.flags & DRM_MODE_ATOMIC_TEST_ONLY) != 0;
  int number = test ? testErrno : commitErrno;
  if (number == 0 && options_.twoOutputs) number = checkRules(settings, request.flags);
  if (number != 0 || test) return number;
  for (const Setting& setting : settings)
    setValue(setting.object, setting.property, setting.value);
  return 0;
}

int FakeDrm::answerBuffers(unsigned long request, void* argument) {
  switch (request) {
  case DRM_IOCTL_PRIME_FD_TO_HANDLE: {
    auto& prime = *static_cast<drm_prime_handle*>(argument);
    if (!isDmabuf(prime.fd)) return EINVAL;
    for (const auto& [handle, memory] : handles_) {
      prime.handle = handle;
      if (inodeOf(memory.get()) == inodeOf(prime.fd)) return 0;
    }
    prime.handle = nextId_++;
    handles_[prime.handle].reset(dup(prime.fd));
    return 0;
  }
  case DRM_IOCTL_MODE_CREATE_DUMB: {
    auto& dumb = *static_cast<drm_mode_create_dumb*>(argument);
    dumb.pitch = dumb.width * dumb.bpp / 8;
    dumb.size = uint64_t{dumb.pitch} * dumb.height;
    dumb.handle = nextId_++;
    handles_[dumb.handle] = makeDmabuf(dumb.size);
    return 0;
  }
  case DRM_IOCTL_PRIME_HANDLE_TO_FD: {
    auto& prime = *static_cast<drm_prime_handle*>(argument);
    if (!handles_.contains(prime.handle)) return ENOENT;
    prime.fd = dup(handles_[prime.handle].get());
    return 0;
  }
  case DRM_IOCTL_GEM_CLOSE:
    return handles_.erase(static_cast<drm_gem_close*>(argument)->handle) == 1 ? 0 : EINVAL;
  case DRM_IOCTL_MODE_DESTROY_DUMB:
    return handles_.erase(static_cast<drm_mode_destroy_dumb*>(argument)->handle) == 1 ? 0 : EINVAL;
  case DRM_IOCTL_MODE_ADDFB2: {
    auto& command = *static_cast<drm_mode_fb_cmd2*>(argument);
    if (addFramebufferErrno != 0) return addFramebufferErrno;
    Added entry{command.pixel_format, command.flags, command.modifier[0], {}};
    for (const uint32_t handle : command.handles) {
      if (handle == 0) continue;
      if (!handles_.contains(handle)) return ENOENT;
      entry.handles.push_back(handle);
    }
    added.push_back(entry);
    command.fb_id = *framebuffers_.insert(nextId_++).first;
    return 0;
  }
  case DRM_IOCTL_MODE_RMFB:
    return framebuffers_.erase(*static_cast<uint32_t*>(argument)) == 1 ? 0 : ENOENT;
  case DRM_IOCTL_MODE_CLOSEFB:
    if (!options_.closeFb) return EINVAL;
    return framebuffers_.erase(static_cast<drm_mode_closefb*>(argument)->fb_id) == 1 ? 0 : ENOENT;
  default:
    return ENOTTY;
  }
}

int FakeDrm::answerDevice(unsigned long request, void* argument) const {
  switch (request) {
  case DRM_IOCTL_VERSION: {
    auto& version = *static_cast<drm_version*>(argument);
    if (version.name != nullptr && version.name_len >= 4) std::memcpy(version.name, "fake", 4);
    version.name_len = 4;
    version.date_len = version.desc_len = 0;
    return 0;
  }
  case DRM_IOCTL_SET_CLIENT_CAP:
    return static_cast<drm_set_client_cap*>(argument)->capability != DRM_CLIENT_CAP_ATOMIC || options_.atomic
               ? 0
               : EOPNOTSUPP;
  case DRM_IOCTL_GET_CAP: {
    auto& cap = *static_cast<drm_get_cap*>(argument);
    cap.value = 1;
    if (cap.capability == DRM_CAP_PRIME) cap.value = options_.import ? DRM_PRIME_CAP_IMPORT | DRM_PRIME_CAP_EXPORT : 0;
    if (cap.capability == DRM_CAP_ADDFB2_MODIFIERS) cap.value = options_.modifiers ? 1 : 0;
    return 0;
  }
  default:
    return ENOTTY;
  }
}

int FakeDrm::answer(unsigned long request, void* argument) {
  ++calls[request];
  int number = answerDevice(request, argument);
  if (number == ENOTTY) number = answerObjects(request, argument);
  if (number == ENOTTY) number = answerBuffers(request, argument);
  return number;
}

int FakeDrm::answerObjects(unsigned long request, void* argument) {
  switch (request) {
  case DRM_IOCTL_MODE_GETRESOURCES: {
    auto& list = *static_cast<drm_mode_card_res*>(argument);
    fill(list.fb_id_ptr, list.count_fbs, std::vector<uint32_t>{});
    fill(list.crtc_id_ptr, list.count_crtcs, idsOfType(DRM_MODE_OBJECT_CRTC));
    fill(list.encoder_id_ptr, list.count_encoders, std::vector<uint32_t>{encoder});
    fill(list.connector_id_ptr, list.count_connectors, idsOfType(DRM_MODE_OBJECT_CONNECTOR));
    return 0;
  }
  case DRM_IOCTL_MODE_GETPLANERESOURCES: {
    auto& list = *static_cast<drm_mode_get_plane_res*>(argument);
    fill(list.plane_id_ptr, list.count_planes, idsOfType(DRM_MODE_OBJECT_PLANE));
    return 0;
  }
  case DRM_IOCTL_MODE_GETPLANE: {
    auto& plane = *static_cast<drm_mode_get_plane*>(argument);
    plane.possible_crtcs = options_.twoOutputs ? 3 : 1;
    fill(plane.format_type_ptr, plane.count_format_types, std::vector<uint32_t>{DRM_FORMAT_ARGB8888});
    return 0;
  }
  case DRM_IOCTL_MODE_GETENCODER:
    static_cast<drm_mode_get_encoder*>(argument)->possible_crtcs = options_.twoOutputs ? 3 : 1;
    return 0;
  case DRM_IOCTL_MODE_GETCONNECTOR:
    return describeConnector(*static_cast<drm_mode_get_connector*>(argument));
  case DRM_IOCTL_MODE_GETPROPERTY:
    return describeProperty(*static_cast<drm_mode_get_property*>(argument));
  case DRM_IOCTL_MODE_OBJ_GETPROPERTIES: {
    auto& list = *static_cast<drm_mode_obj_get_properties*>(argument);
    std::vector<uint32_t> ids;
    std::vector<uint64_t> values;
    for (const auto& [id, value] : objects_[list.obj_id].properties) {
      ids.push_back(id);
      values.push_back(value);
    }
    uint32_t valueCount = list.count_props;
    fill(list.prop_values_ptr, valueCount, values);
    fill(list.props_ptr, list.count_props, ids);
    return 0;
  }
  case DRM_IOCTL_MODE_GETPROPBLOB: {
    auto& get = *static_cast<drm_mode_get_blob*>(argument);
    if (!blobs_.contains(get.blob_id)) return ENOENT;
    fill(get.data, get.length, blobs_[get.blob_id]);
    return 0;
  }
  case DRM_IOCTL_MODE_CREATEPROPBLOB: {
    auto& create = *static_cast<drm_mode_create_blob*>(argument);
    create.blob_id = blob(take<std::byte>(create.data, create.length));
    return 0;
  }
  case DRM_IOCTL_MODE_DESTROYPROPBLOB:
    return blobs_.erase(static_cast<drm_mode_destroy_blob*>(argument)->blob_id) == 1 ? 0 : ENOENT;
  case DRM_IOCTL_MODE_ATOMIC:
    return atomic(*static_cast<drm_mode_atomic*>(argument));
  default:
    return ENOTTY;
  }
}

} // namespace vitrine::test

// ---- In front of libc

using vitrine::test::instance;

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (instance != nullptr && instance->isDevice(fd)) {
    const int number = instance->answer(request, argument);
    if (number != 0) errno = number;
    return number == 0 ? 0 : -1;
  }
  using Ioctl = int (*)(int, unsigned long, void*);
  static const auto next = reinterpret_cast<Ioctl>(dlsym(RTLD_NEXT, "ioctl"));
  return next(fd, request, argument);
}

// With 64-bit file offsets this is what fstatfs() is called.
extern "C" int fstatfs64(int fd, struct statfs64* status) noexcept {
  using Fstatfs = int (*)(int, struct statfs64*);
  static const auto next = reinterpret_cast<Fstatfs>(dlsym(RTLD_NEXT, "fstatfs64"));
  const int result = next(fd, status);
  if (result == 0 && instance != nullptr && instance->isDmabuf(fd)) status->f_type = DMA_BUF_MAGIC;
  return result;
}
