#include "tests/clients/sync_timeline.h"

#include <fcntl.h>
#include <xf86drm.h>

#include <filesystem>
#include <format>
#include <utility>

namespace vitrine {

Result<UniqueFd> openTimelineDevice() {
  for (const auto& entry : std::filesystem::directory_iterator("/dev/dri")) {
    UniqueFd fd(open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
    uint64_t value = 0;
    if (fd && drmGetCap(fd.get(), DRM_CAP_SYNCOBJ_TIMELINE, &value) == 0 && value == 1) return fd;
  }
  return missing("find", "DRM device with syncobj timelines", "there is none in /dev/dri");
}

Result<Timeline> Timeline::create(int device, wp_linux_drm_syncobj_manager_v1* manager) {
  uint32_t handle = 0;
  if (drmSyncobjCreate(device, 0, &handle) != 0) return systemError("create", "syncobj");
  Timeline timeline(device, handle);
  int fd = -1;
  if (drmSyncobjHandleToFD(device, handle, &fd) != 0) return systemError("export", "syncobj");
  const UniqueFd shared(fd);
  timeline.object_.reset(wp_linux_drm_syncobj_manager_v1_import_timeline(manager, shared.get()));
  return timeline;
}

Timeline::Timeline(Timeline&& other) noexcept
    : device_(other.device_), handle_(std::exchange(other.handle_, 0)), object_(std::move(other.object_)) {}

Timeline::~Timeline() {
  if (handle_ != 0) drmSyncobjDestroy(device_, handle_);
}

Result<> Timeline::attach(uint64_t point, int syncFile) const {
  uint32_t binary = 0;
  if (drmSyncobjCreate(device_, 0, &binary) != 0) return systemError("create", "syncobj");
  const bool done = drmSyncobjImportSyncFile(device_, binary, syncFile) == 0 &&
                    drmSyncobjTransfer(device_, handle_, point, binary, 0, 0) == 0;
  const int number = errno;
  drmSyncobjDestroy(device_, binary);
  if (!done) return systemError("attach fence", std::format("point {}", point), number);
  return {};
}

Result<> Timeline::signal(uint64_t point) const {
  uint32_t handle = handle_;
  if (drmSyncobjTimelineSignal(device_, &handle, &point, 1) != 0)
    return systemError("signal", std::format("point {}", point));
  return {};
}

Result<> Timeline::reset() const {
  const uint32_t handle = handle_;
  if (drmSyncobjReset(device_, &handle, 1) != 0) return systemError("DRM_IOCTL_SYNCOBJ_RESET", "timeline");
  return {};
}

bool Timeline::signalled(uint64_t point, Nanoseconds timeout) const {
  uint32_t handle = handle_;
  const Nanoseconds until = timeout == 0 ? 0 : now() + timeout;
  return drmSyncobjTimelineWait(device_, &handle, &point, 1, until, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, nullptr) ==
         0;
}

} // namespace vitrine
