#include "compositor/render/buffer_fences.h"

#include <sys/eventfd.h>
#include <xf86drm.h>

#include <cerrno>
#include <format>

#include "protected-path/base/log.h"

namespace vitrine {

Result<bool> SyncPoint::hasSignalled() const {
  bool signalled = false;
  if (wlr_drm_syncobj_timeline_check(timeline_, point_, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, &signalled))
    return signalled;
  return systemError("DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT", std::format("syncobj point {}", point_));
}

Result<UniqueFd> SyncPoint::watch() const {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return systemError("eventfd", std::format("syncobj point {}", point_));
  if (drmSyncobjEventfd(timeline_->drm_fd, timeline_->handle, point_, event.get(), 0) == 0) return event;
  return systemError("DRM_IOCTL_SYNCOBJ_EVENTFD", std::format("syncobj point {}", point_));
}

Result<> SyncPoint::signal(int syncFile) const {
  if (syncFile >= 0) {
    if (wlr_drm_syncobj_timeline_import_sync_file(timeline_, point_, syncFile)) return {};
    return systemError("import sync file", std::format("syncobj point {}", point_));
  }
  uint64_t point = point_;
  if (drmSyncobjTimelineSignal(timeline_->drm_fd, &timeline_->handle, &point, 1) == 0) return {};
  return systemError("DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL", std::format("syncobj point {}", point_));
}

namespace {

/** Waits for a fence of which nobody could be told: better late than a buffer that is written while it is read. */
void finish(int syncFile) {
  if (auto done = waitForSyncFile(syncFile); !done) log("render").warn("{}", done.error().text());
}

} // namespace

BufferFences::BufferFences(const Dmabuf& buffer) {
  for (unsigned i = 0; i < buffer.planeCount(); ++i) {
    bool known = false;
    for (unsigned before = 0; before < i && !known; ++before)
      known = buffer.planesShareBuffer(before, i);
    if (!known) dmabufs_.push_back(buffer.plane(i).fd.get());
  }
}

void BufferFences::synchronise(SyncPoint release) {
  explicit_ = true;
  std::erase_if(releases_, [&](const SyncPoint& earlier) { return earlier.isImpliedBy(release); });
  releases_.push_back(std::move(release));
}

Result<std::vector<UniqueFd>> BufferFences::unsignalled(FenceUse use) const {
  std::vector<UniqueFd> fences;
  for (const int dmabuf : dmabufs_) {
    auto fence = exportSyncFile(dmabuf, use);
    if (!fence && fence.error().number == ENOTTY) continue; // a kernel before 6.0
    if (!fence) return std::unexpected(fence.error());
    const auto signalled = syncFileSignalled(fence->get());
    if (!signalled) return std::unexpected(signalled.error());
    if (!*signalled) fences.push_back(std::move(*fence));
  }
  return fences;
}

void BufferFences::addImplicit(int syncFile, FenceUse use) const {
  for (const int dmabuf : dmabufs_) {
    auto told = importSyncFile(dmabuf, syncFile, use);
    if (told || told.error().number == ENOTTY) continue; // as above
    log("render").warn("{}", told.error().text());
    finish(syncFile);
  }
}

void BufferFences::writtenUntil(int syncFile) const {
  addImplicit(syncFile, FenceUse::Write);
}

void BufferFences::readUntil(int syncFile) {
  if (!explicit_) return addImplicit(syncFile, FenceUse::Read);
  auto copy = duplicateFd(syncFile);
  if (!copy) finish(syncFile);
  read_ = copy ? std::move(*copy) : UniqueFd();
}

void BufferFences::released() {
  for (const SyncPoint& release : releases_) {
    if (auto done = release.signal(read_.get()); !done) log("protocols").warn("{}", done.error().text());
  }
  releases_.clear();
  read_.reset();
  explicit_ = false; // until the next commit says so
}

} // namespace vitrine
