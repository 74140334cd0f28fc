#include "protected-path/kms/kms_device.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <format>
#include <map>

#include "protected-path/kms/drm_pointer.h"
#include "protected-path/kms/object_reader.h"

namespace vitrine {
namespace {

bool capability(int fd, uint64_t which, uint64_t bits) {
  uint64_t value = 0;
  return drmGetCap(fd, which, &value) == 0 && (value & bits) == bits;
}

std::span<const uint32_t> idsOf(const uint32_t* ids, int count) {
  return {ids, static_cast<size_t>(std::max(0, count))};
}

/** Calls `handler` for each flip of what one read() returned; the kernel returns whole events only. */
Result<> parseEvents(std::span<const std::byte> bytes, const std::string& node,
                     const std::function<void(const FlipEvent&)>& handler) {
  while (!bytes.empty()) {
    drm_event header{};
    if (bytes.size() < sizeof header) return invalid("read", node, "an event is cut short");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.length < sizeof header || header.length > bytes.size()) {
      return invalid("read", node, std::format("an event says that it has {} bytes", header.length));
    }
    if (header.type == DRM_EVENT_FLIP_COMPLETE && header.length >= sizeof(drm_event_vblank)) {
      drm_event_vblank flip{};
      std::memcpy(&flip, bytes.data(), sizeof flip);
      handler({flip.crtc_id, flip.sequence, int64_t{flip.tv_sec} * 1'000'000'000 + int64_t{flip.tv_usec} * 1000,
               flip.user_data});
    }
    bytes = bytes.subspan(header.length);
  }
  return {};
}

/** Owns a GEM handle until the buffer lives on through its dma-buf. */
class DumbBuffer {
public:
  DumbBuffer(int fd, uint32_t handle) : fd_(fd), handle_(handle) {}
  DumbBuffer(const DumbBuffer&) = delete;
  DumbBuffer& operator=(const DumbBuffer&) = delete;
  ~DumbBuffer() { drmModeDestroyDumbBuffer(fd_, handle_); }

private:
  int fd_;
  uint32_t handle_;
};

} // namespace

KmsDevice::KmsDevice(UniqueFd fd, std::string node) : fd_(std::move(fd)), node_(std::move(node)) {}

Result<std::unique_ptr<KmsDevice>> KmsDevice::open(UniqueFd fd, std::string node) {
  std::unique_ptr<KmsDevice> device(new KmsDevice(std::move(fd), std::move(node)));
  if (auto read = device->readCapabilities(); !read) return std::unexpected(read.error());
  if (auto read = device->readObjects(); !read) return std::unexpected(read.error());
  return device;
}

Result<> KmsDevice::readCapabilities() {
  const DrmPointer<drmVersion> version(drmGetVersion(fd_.get()));
  if (!version) return systemError("DRM_IOCTL_VERSION", node_);
  driverName_.assign(version->name, static_cast<size_t>(version->name_len));
  struct stat status{};
  if (fstat(fd_.get(), &status) != 0) return systemError("fstat", node_);
  // dispatchEvents() reads until there is nothing left.
  const int flags = fcntl(fd_.get(), F_GETFL);
  if (flags < 0 || fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK) != 0) return systemError("fcntl", node_);
  deviceNumber_ = status.st_rdev;

  const auto lacks = [this](std::string_view what) {
    return missing("open", std::format("{} ({})", node_, driverName_), what);
  };
  if (drmSetClientCap(fd_.get(), DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1) != 0) return lacks("it has no universal planes");
  if (drmSetClientCap(fd_.get(), DRM_CLIENT_CAP_ATOMIC, 1) != 0) return lacks("its driver is not atomic");
  if (!capability(fd_.get(), DRM_CAP_PRIME, DRM_PRIME_CAP_IMPORT)) return lacks("it cannot import dma-bufs");
  if (!capability(fd_.get(), DRM_CAP_TIMESTAMP_MONOTONIC, 1)) return lacks("its timestamps are not CLOCK_MONOTONIC");
  hasModifiers_ = capability(fd_.get(), DRM_CAP_ADDFB2_MODIFIERS, 1);
  // A device without writeback connectors refuses nothing here, an old kernel may: either way there are none.
  (void)drmSetClientCap(fd_.get(), DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1);
  return {};
}

Result<> KmsDevice::readObjects() {
  const DrmPointer<drmModeRes> resources(drmModeGetResources(fd_.get()));
  if (!resources) return systemError("DRM_IOCTL_MODE_GETRESOURCES", node_);
  ObjectReader reader(fd_.get());
  auto crtcs = reader.crtcs(idsOf(resources->crtcs, resources->count_crtcs));
  if (!crtcs) return std::unexpected(crtcs.error());
  auto planes = reader.planes(hasModifiers_);
  if (!planes) return std::unexpected(planes.error());
  auto connectors = reader.connectors(idsOf(resources->connectors, resources->count_connectors));
  if (!connectors) return std::unexpected(connectors.error());
  decideStacking(*planes);
  crtcs_ = std::move(*crtcs);
  planes_ = std::move(*planes);
  connectors_ = std::move(*connectors);
  return {};
}

Result<> KmsDevice::rescanConnectors(Probe probe, uint32_t id) {
  const DrmPointer<drmModeRes> resources(drmModeGetResources(fd_.get()));
  if (!resources) return systemError("DRM_IOCTL_MODE_GETRESOURCES", node_);
  const auto isProbed = [&](uint32_t each) {
    const bool known = std::ranges::contains(connectors_, each, &Connector::id);
    return probe == Probe::All || (probe == Probe::One && (each == id || !known));
  };
  auto connectors =
      ObjectReader(fd_.get()).connectors(idsOf(resources->connectors, resources->count_connectors), isProbed);
  if (!connectors) return std::unexpected(connectors.error());
  connectors_ = std::move(*connectors);
  beginEpoch();
  return {};
}

Result<> KmsDevice::rereadProperties(uint32_t connectorId) {
  const std::string object = std::format("connector {}", connectorId);
  const auto connector = std::ranges::find(connectors_, connectorId, &Connector::id);
  if (connector == connectors_.end()) return missing("read properties", object, "the device does not have it");
  const DrmPointer<drmModeObjectProperties> list(
      drmModeObjectGetProperties(fd_.get(), connectorId, DRM_MODE_OBJECT_CONNECTOR));
  if (!list) return systemError("DRM_IOCTL_MODE_OBJ_GETPROPERTIES", object);
  for (uint32_t i = 0; i < list->count_props; ++i)
    connector->properties.setValue(list->props[i], list->prop_values[i]);
  return {};
}

std::vector<std::string> KmsDevice::listNodes() {
  // sysfs names connectors card0-eDP-1. Opening the nodes instead would make us DRM master of each for a moment.
  std::map<unsigned, std::string> nodes;
  std::error_code ignored; // without /sys/class/drm there are none
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/drm", ignored)) {
    const std::string name = entry.path().filename();
    const size_t dash = name.find('-');
    if (!name.starts_with("card") || dash == std::string::npos || name.substr(dash).starts_with("-Writeback-"))
      continue;
    unsigned number = 0;
    if (std::from_chars(name.data() + 4, name.data() + dash, number).ptr != name.data() + dash) continue;
    nodes[number] = "/dev/dri/" + name.substr(0, dash);
  }
  std::vector<std::string> list;
  list.reserve(nodes.size());
  for (const auto& [number, node] : nodes)
    list.push_back(node);
  return list;
}

Result<> KmsDevice::dispatchEvents(const std::function<void(const FlipEvent&)>& handler) {
  while (true) {
    alignas(drm_event_vblank) std::array<std::byte, 1024> bytes; // as libdrm: 32 flips
    const ssize_t length = read(fd_.get(), bytes.data(), bytes.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return {};
    if (length < 0) return systemError("read", node_);
    if (length == 0) return systemError("read", node_, ENODEV, "the device is gone");
    const auto parsed = parseEvents(std::span(bytes).first(static_cast<size_t>(length)), node_, handler);
    if (!parsed) return parsed;
  }
}

Result<Dmabuf> KmsDevice::createDumbBuffer(Size size, uint32_t fourcc, uint32_t rowMultiple) const {
  const std::string object = std::format("{}x{} {}", size.width, size.height, fourccName(fourcc));
  const FormatInfo* format = formatInfo(fourcc);
  if (format == nullptr || format->planes != 1 || format->isYuv || format->bytesPerSample[0] != 4) {
    return invalid("create dumb buffer", object, "not a 32-bit RGB format");
  }
  const uint32_t rows = (size.height + rowMultiple - 1) / rowMultiple * rowMultiple;
  uint32_t handle = 0;
  uint32_t pitch = 0;
  uint64_t sizeBytes = 0;
  const int failed = drmModeCreateDumbBuffer(fd_.get(), size.width, rows, 32, 0, &handle, &pitch, &sizeBytes);
  if (failed != 0) return systemError("DRM_IOCTL_MODE_CREATE_DUMB", object, -failed);
  const DumbBuffer handleOwner(fd_.get(), handle);
  int exported = -1;
  if (drmPrimeHandleToFD(fd_.get(), handle, DRM_CLOEXEC | DRM_RDWR, &exported) != 0) {
    return systemError("DRM_IOCTL_PRIME_HANDLE_TO_FD", object);
  }
  DmabufAttributes attributes{size, fourcc, DRM_FORMAT_MOD_LINEAR, 1, {}};
  attributes.planes[0] = {UniqueFd(exported), 0, pitch};
  return Dmabuf::create(std::move(attributes));
}

} // namespace vitrine
