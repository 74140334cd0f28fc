#pragma once

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

  /** Whether the point has signalled; a point without a fence yet has not. */
  [[nodiscard]] Result<bool> hasSignalled() const;
  /** An eventfd that becomes readable when the point signals, which may get its fence after this (DRM_IOCTL_SYNCOBJ_EVENTFD). */
  [[nodiscard]] Result<UniqueFd> watch() const;
  /** True unless both are on one timeline and this point is `other` or after it. */
  [[nodiscard]] bool precedes(const SyncPoint& other) const {
    return timeline_ != other.timeline_ || point_ < other.point_;
  }
  /** Whether this point has signalled once `other` has: an earlier one of the same timeline. */
  [[nodiscard]] bool isImpliedBy(const SyncPoint& other) const {
    return timeline_ == other.timeline_ && point_ <= other.point_;
  }
  /** Signals the point: when the sync file does, or now where it is -1. */
  [[nodiscard]] Result<> signal(int syncFile) const;

private:
  wlr_drm_syncobj_timeline* timeline_;
  uint64_t point_;
};

/**
 * What is still done with a client's buffer, and when the client may write it again: explicit where the client says so, else with the
 * fences that travel in the dma-buf.
 *
 * Nobody here waits for a client: a commit is held back until its buffer may be read (holdCommitUntil()). Fences of our GPU's reads go
 * to the client. Where the kernel has no memory or file descriptor to hand one on, that one is waited for.
 */
class BufferFences {
public:
  /** Borrows the buffer. Each dma-buf that its planes lie in carries implicit fences. */
  explicit BufferFences(const Dmabuf& buffer);
  ~BufferFences() { released(); }

  /** Explicit sync, from a commit on: signal `release` when nobody here uses the buffer any more. */
  void synchronise(SyncPoint release);

  /**
   * The implicit fences that have not signalled, as sync files: of whoever writes the buffer still (Read), or also of whoever reads it
   * (Write). None on a kernel before 6.0, whose drivers synchronise by themselves. Errors: the kernel's, when file descriptors run out.
   */
  [[nodiscard]] Result<std::vector<UniqueFd>> unsignalled(FenceUse use) const;
  /** The GPU writes the buffer until this sync file signals. */
  void writtenUntil(int syncFile) const;
  /** The GPU reads the buffer until this sync file signals. */
  void readUntil(int syncFile);
  /** Nobody holds the buffer any more. How the client synchronises it next is for its next commit to say. */
  void released();

private:
  void addImplicit(int syncFile, FenceUse use) const;
  std::vector<int> dmabufs_; ///< borrowed, each once
  bool explicit_ = false;
  UniqueFd read_; ///< of the last GPU read; work on one queue ends in order
  std::vector<SyncPoint> releases_;
};

} // namespace vitrine
