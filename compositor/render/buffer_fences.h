#pragma once

#include <optional>
#include <vector>

#include "compositor/wlr/wlroots.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/dmabuf/sync_file.h"

namespace vitrine {

/** A point of a client's timeline (linux-drm-syncobj-v1). */
class SyncPoint {
public:
  SyncPoint(wlr_drm_syncobj_timeline& timeline, uint64_t point)
      : timeline_(wlr_drm_syncobj_timeline_ref(&timeline)), point_(point) {}
  SyncPoint(const SyncPoint& other) : SyncPoint(*other.timeline_, other.point_) {}
  SyncPoint(SyncPoint&& other) noexcept : timeline_(std::exchange(other.timeline_, nullptr)), point_(other.point_) {}
  SyncPoint& operator=(SyncPoint other) noexcept {
    std::swap(timeline_, other.timeline_);
    std::swap(point_, other.point_);
    return *this;
  }
  ~SyncPoint() { wlr_drm_syncobj_timeline_unref(timeline_); }

  /** Whether the point has a fence, signalled or not. */
  [[nodiscard]] Result<bool> hasFence() const;
  /** Makes `waiter` tell when the point has one; it is the caller's to finish. False where there is no memory. */
  [[nodiscard]] bool watch(wlr_drm_syncobj_timeline_waiter& waiter, wl_event_loop& loop) const;
  /** Whether it is no later point of the timeline that `other` is of, nor the same. */
  [[nodiscard]] bool mayComeBefore(const SyncPoint& other) const {
    return timeline_ != other.timeline_ || point_ < other.point_;
  }
  /** A sync file that signals with the point, which must have a fence already (commits are held back until then). */
  [[nodiscard]] Result<UniqueFd> exportFence() const;
  /** Signals the point: when the sync file does, or now where it is -1. */
  [[nodiscard]] Result<> signal(int syncFile) const;

private:
  wlr_drm_syncobj_timeline* timeline_;
  uint64_t point_;
};

/**
 * When a client's buffer may be read, and when the client may write it again; explicit where the client says so, else with the fences
 * that travel in the dma-buf. Nothing here waits, fences go to the GPU and to KMS; but for one that cannot be handed on, the kernel
 * having no memory or file descriptor for it: that one is waited for.
 */
class BufferFences {
public:
  /** Borrows the buffer. Each dma-buf that its planes lie in carries implicit fences. */
  explicit BufferFences(const Dmabuf& buffer);
  ~BufferFences() { released(); }

  /** Explicit sync, from a commit on: wait for `acquire`; signal `release` when nobody here uses the buffer any more. */
  void synchronise(const SyncPoint& acquire, SyncPoint release);

  /** Adds what the GPU has to wait for. Error (no file descriptors left, say): it may not read the buffer now. */
  [[nodiscard]] Result<> addGpuWaits(std::vector<UniqueFd>& waits);
  /** Adds what the GPU has to wait for before it writes the buffer: whoever reads or writes it still. Error: it may not write now. */
  [[nodiscard]] Result<> addGpuWriteWaits(std::vector<UniqueFd>& waits) const;
  /** The GPU writes the buffer until this sync file signals. */
  void writtenUntil(int syncFile) const;
  /** IN_FENCE_FD for a plane, borrowed; -1: none, the kernel waits for the implicit fences by itself. Error: it may not be shown now. */
  [[nodiscard]] Result<int> forPlane();
  /** The GPU reads the buffer until this sync file signals. */
  void readUntil(int syncFile);
  /** Nobody holds the buffer any more. How the client synchronises it next is for its next commit to say. */
  void released();

private:
  [[nodiscard]] Result<> updateAcquire();
  [[nodiscard]] Result<> addImplicit(std::vector<UniqueFd>& waits, FenceUse use) const;
  void addImplicit(int syncFile, FenceUse use) const;
  std::vector<int> dmabufs_; ///< borrowed, each once
  bool explicit_ = false;
  std::optional<SyncPoint> acquirePoint_; ///< until its fence has been had
  UniqueFd acquire_;                      ///< that fence, until it has signalled
  UniqueFd read_;                         ///< of the last GPU read; work on one queue ends in order
  std::vector<SyncPoint> releases_;
};

} // namespace vitrine
