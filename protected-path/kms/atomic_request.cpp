#include "protected-path/kms/atomic_request.h"

#include <algorithm>
#include <format>
#include <utility>

#include "protected-path/kms/drm_pointer.h"

namespace vitrine {

Result<PropertyBlob> PropertyBlob::create(const KmsDevice& device, const void* data, size_t sizeBytes) {
  uint32_t id = 0;
  const int failed = drmModeCreatePropertyBlob(device.fd(), data, sizeBytes, &id);
  if (failed != 0) return systemError("DRM_IOCTL_MODE_CREATEPROPBLOB", std::format("{} bytes", sizeBytes), -failed);
  return PropertyBlob(device.fd(), id);
}

PropertyBlob::PropertyBlob(PropertyBlob&& other) noexcept
    : deviceFd_(other.deviceFd_), id_(std::exchange(other.id_, 0)) {}

PropertyBlob& PropertyBlob::operator=(PropertyBlob&& other) noexcept {
  std::swap(deviceFd_, other.deviceFd_);
  std::swap(id_, other.id_);
  return *this;
}

PropertyBlob::~PropertyBlob() {
  if (id_ != 0) drmModeDestroyPropertyBlob(deviceFd_, id_);
}

AtomicRequest::AtomicRequest(const KmsDevice& device, AtomicCounters& counters)
    : device_(device), counters_(counters) {}

void AtomicRequest::clear() {
  entries_.clear();
  poison_.reset();
}

void AtomicRequest::set(const Plane& plane, PlaneProperty property, uint64_t value) {
  add(plane.id, plane.properties[property].id, value, "plane");
}

void AtomicRequest::set(const Crtc& crtc, CrtcProperty property, uint64_t value) {
  add(crtc.id, crtc.properties[property].id, value, "crtc");
}

void AtomicRequest::set(const Connector& connector, ConnectorProperty property, uint64_t value) {
  add(connector.id, connector.properties[property].id, value, "connector");
}

void AtomicRequest::disable(const Plane& plane) {
  set(plane, PlaneProperty::FbId, 0);
  set(plane, PlaneProperty::CrtcId, 0);
}

std::optional<uint64_t> AtomicRequest::value(const Plane& plane, PlaneProperty property) const {
  const uint32_t propertyId = plane.properties[property].id;
  for (const Entry& entry : std::ranges::equal_range(entries_, plane.id, {}, &Entry::objectId)) {
    if (entry.propertyId == propertyId) return entry.value;
  }
  return std::nullopt;
}

// Entries are sorted by object, because the kernel accepts each object once, and within an object by the order of
// setting.
void AtomicRequest::add(uint32_t objectId, uint32_t propertyId, uint64_t value, const char* what) {
  if (propertyId == 0) {
    if (!poison_) {
      poison_ = Error{ErrorKind::Missing,
                      0,
                      "set property",
                      std::format("{} {}", what, objectId),
                      "the object does not have it",
                      {}};
    }
    return;
  }
  const auto ofObject = std::ranges::equal_range(entries_, objectId, {}, &Entry::objectId);
  const auto same = std::ranges::find(ofObject, propertyId, &Entry::propertyId);
  if (same != ofObject.end()) {
    same->value = value;
  } else {
    entries_.insert(ofObject.end(), {objectId, propertyId, value});
  }
}

Result<> AtomicRequest::submit(uint32_t flags, uint64_t userData) {
  if (poison_) return std::unexpected(*poison_);
  objects_.clear();
  counts_.clear();
  properties_.clear();
  values_.clear();
  for (const Entry& entry : entries_) {
    if (objects_.empty() || objects_.back() != entry.objectId) {
      objects_.push_back(entry.objectId);
      counts_.push_back(0);
    }
    ++counts_.back();
    properties_.push_back(entry.propertyId);
    values_.push_back(entry.value);
  }
  drm_mode_atomic request{};
  request.flags = flags;
  request.count_objs = static_cast<uint32_t>(objects_.size());
  request.objs_ptr = reinterpret_cast<uint64_t>(objects_.data());
  request.count_props_ptr = reinterpret_cast<uint64_t>(counts_.data());
  request.props_ptr = reinterpret_cast<uint64_t>(properties_.data());
  request.prop_values_ptr = reinterpret_cast<uint64_t>(values_.data());
  request.user_data = userData;
  if (drmIoctl(device_.fd(), DRM_IOCTL_MODE_ATOMIC, &request) == 0) {
    const bool modeset = (flags & DRM_MODE_ATOMIC_ALLOW_MODESET) != 0 && (flags & DRM_MODE_ATOMIC_TEST_ONLY) == 0;
    if (modeset) device_.beginEpoch();
    return {};
  }
  const int number = errno;
  const char* remedy = number == EACCES ? "the session is not the DRM master: is another compositor on this seat?" : "";
  return systemError("DRM_IOCTL_MODE_ATOMIC",
                     std::format("{} objects, {} properties", objects_.size(), properties_.size()), number, remedy);
}

Result<> AtomicRequest::test(bool allowModeset) {
  ++counters_.tests;
  auto result = submit(DRM_MODE_ATOMIC_TEST_ONLY | (allowModeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0U), 0);
  if (!result) ++counters_.failedTests;
  return result;
}

Result<> AtomicRequest::commitFlip(bool allowModeset, uint64_t userData) {
  ++counters_.commits;
  auto result =
      submit(DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT | (allowModeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0U),
             userData);
  if (!result) ++counters_.failedCommits;
  return result;
}

Result<> AtomicRequest::commitBlocking(bool allowModeset) {
  ++counters_.commits;
  auto result = submit(allowModeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0U, 0);
  if (!result) ++counters_.failedCommits;
  return result;
}

} // namespace vitrine
