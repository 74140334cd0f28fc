#include "compositor/render/buffer_fences.h"

#include <xf86drm.h>

#include <format>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/sync_file.h"

namespace vitrine {

Result<bool> SyncPoint::hasFence() const {
  bool there = false;
  if (wlr_drm_syncobj_timeline_check(timeline_, point_, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE, &there)) return there;
  return systemError("DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT", std::format("syncobj point {}", point_));
}

bool SyncPoint::watch(wlr_drm_syncobj_timeline_waiter& waiter, wl_event_loop& loop) const {
  return wlr_drm_syncobj_timeline_waiter_init(&waiter, timeline_, point_, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE, &loop);
}

Result<UniqueFd> SyncPoint::exportFence() const {
  UniqueFd fence(wlr_drm_syncobj_timeline_export_sync_file(timeline_, point_));
  if (!fence) return systemError("export sync file", std::format("syncobj point {}", point_));
  return fence;
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

void BufferFences::synchronise(const SyncPoint& acquire, SyncPoint release) {
  explicit_ = true;
  acquire_.reset();
  if (auto fence = acquire.exportFence()) {
    acquire_ = std::move(*fence);
  } else {
    log("protocols").warn("{}", fence.error().text());
  }
  releases_.push_back(std::move(release));
}

void BufferFences::dropSignalled() {
  if (acquire_ && syncFileSignalled(acquire_.get()).value_or(true)) acquire_.reset();
}

UniqueFd BufferFences::forGpu() {
  auto fence = Result<UniqueFd>(UniqueFd());
  if (explicit_) {
    dropSignalled();
    if (acquire_) fence = duplicateFd(acquire_.get());
  } else {
    fence = exportSyncFile(dmabufFd_, FenceUse::Read);
  }
  if (fence) return std::move(*fence);
  log("render").debug("{}", fence.error().text());
  return {};
}

UniqueFd BufferFences::forGpuWrite() const {
  auto fence = exportSyncFile(dmabufFd_, FenceUse::Write);
  if (fence) return std::move(*fence);
  log("render").debug("{}", fence.error().text());
  return {};
}

void BufferFences::writtenUntil(int syncFile) const {
  if (auto told = importSyncFile(dmabufFd_, syncFile, FenceUse::Write); !told)
    log("render").debug("{}", told.error().text());
}

int BufferFences::forPlane() {
  dropSignalled();
  return acquire_.get();
}

void BufferFences::readUntil(int syncFile) {
  if (explicit_) {
    auto copy = duplicateFd(syncFile);
    if (copy) read_ = std::move(*copy);
    return;
  }
  if (auto told = importSyncFile(dmabufFd_, syncFile, FenceUse::Read); !told) {
    log("render").debug("{}", told.error().text());
  }
}

void BufferFences::released() {
  for (const SyncPoint& release : releases_) {
    if (auto done = release.signal(read_.get()); !done) log("protocols").warn("{}", done.error().text());
  }
  releases_.clear();
  read_.reset();
  acquire_.reset();
  explicit_ = false; // until the next commit says so
}

} // namespace vitrine
