#include "compositor/render/buffer_fences.h"

#include <xf86drm.h>

#include <cerrno>
#include <format>

#include "protected-path/base/log.h"

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

void BufferFences::synchronise(const SyncPoint& acquire, SyncPoint release) {
  explicit_ = true;
  acquirePoint_ = acquire;
  acquire_.reset();
  releases_.push_back(std::move(release));
}

/** The acquire point's fence, as long as there is something to wait for. */
Result<> BufferFences::updateAcquire() {
  if (acquirePoint_) {
    auto fence = acquirePoint_->exportFence();
    if (!fence) return std::unexpected(fence.error());
    acquire_ = std::move(*fence);
    acquirePoint_.reset();
  }
  if (acquire_ && syncFileSignalled(acquire_.get()).value_or(false)) acquire_.reset();
  return {};
}

Result<> BufferFences::addImplicit(std::vector<UniqueFd>& waits, FenceUse use) const {
  for (const int dmabuf : dmabufs_) {
    auto fence = exportSyncFile(dmabuf, use);
    if (!fence && fence.error().number == ENOTTY) continue; // a kernel before 6.0: the driver synchronises by itself
    if (!fence) return std::unexpected(fence.error());
    waits.push_back(std::move(*fence));
  }
  return {};
}

void BufferFences::addImplicit(int syncFile, FenceUse use) const {
  for (const int dmabuf : dmabufs_) {
    auto told = importSyncFile(dmabuf, syncFile, use);
    if (told || told.error().number == ENOTTY) continue; // as above
    log("render").warn("{}", told.error().text());
    finish(syncFile);
  }
}

Result<> BufferFences::addGpuWaits(std::vector<UniqueFd>& waits) {
  if (!explicit_) return addImplicit(waits, FenceUse::Read);
  if (auto updated = updateAcquire(); !updated) return updated;
  if (!acquire_) return {};
  auto fence = duplicateFd(acquire_.get());
  if (!fence) return std::unexpected(fence.error());
  waits.push_back(std::move(*fence));
  return {};
}

Result<> BufferFences::addGpuWriteWaits(std::vector<UniqueFd>& waits) const {
  return addImplicit(waits, FenceUse::Write);
}

void BufferFences::writtenUntil(int syncFile) const {
  addImplicit(syncFile, FenceUse::Write);
}

Result<int> BufferFences::forPlane() {
  if (auto updated = updateAcquire(); !updated) return std::unexpected(updated.error());
  return acquire_.get();
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
  acquirePoint_.reset();
  acquire_.reset();
  explicit_ = false; // until the next commit says so
}

} // namespace vitrine
