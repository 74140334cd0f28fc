#pragma once

#include "protected-path/base/clock.h"
#include "protected-path/base/result.h"
#include "protected-path/base/unique_fd.h"
#include "tests/board/wayland/wayland_pointer.h"

namespace vitrine {

/** A DRM device whose kernel has syncobj timelines (DRM_CAP_SYNCOBJ_TIMELINE). NotFound where there is none in /dev/dri. */
[[nodiscard]] Result<UniqueFd> openTimelineDevice();

/** One drm_syncobj timeline, shared with the compositor. Borrows the device's fd. Its points count from 1. */
class Timeline {
public:
  [[nodiscard]] static Result<Timeline> create(int device, wp_linux_drm_syncobj_manager_v1* manager);
  Timeline(Timeline&& other) noexcept;
  Timeline& operator=(Timeline&&) = delete;
  ~Timeline();

  [[nodiscard]] wp_linux_drm_syncobj_timeline_v1* object() const { return object_.get(); }
  /** The point signals when the sync file does. */
  [[nodiscard]] Result<> attach(uint64_t point, int syncFile) const;
  [[nodiscard]] Result<> signal(uint64_t point) const;
  /** Takes all fences from it (DRM_IOCTL_SYNCOBJ_RESET). */
  [[nodiscard]] Result<> reset() const;
  /** Whether the point has signalled, by then at the latest (0: now). */
  [[nodiscard]] bool signalled(uint64_t point, Nanoseconds timeout) const;

private:
  Timeline(int device, uint32_t handle) : device_(device), handle_(handle) {}
  int device_;
  uint32_t handle_; ///< 0 once moved from
  WaylandPtr<wp_linux_drm_syncobj_timeline_v1> object_;
};

} // namespace vitrine
