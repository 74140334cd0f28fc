#pragma once

#include <memory>
#include <string>

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * linux-drm-syncobj-v1: clients say when a buffer may be read (acquire point), and learn when they may write it again (release point).
 *
 * Our own: wlroots 0.18 keeps the points of a commit with the client's wp_linux_drm_syncobj_surface_v1, and a client that destroys that
 * object while the commit is held back makes it use freed memory. Here they belong to the wl_surface. A commit is held back until its
 * acquire point has signalled (holdCommitUntil()); its release point then goes to its buffer.
 */
class ExplicitSync {
public:
  /**
   * Offers the protocol where a DRM device of this machine has syncobj timelines (DRM_CAP_SYNCOBJ_TIMELINE, and
   * DRM_IOCTL_SYNCOBJ_EVENTFD, Linux 6.6): the GPU's, else the display's, else any render node. Null where none has, with the reason
   * logged. It must outlive the clients and their buffers.
   */
  [[nodiscard]] static std::unique_ptr<ExplicitSync> create(wl_display& display, const std::string& gpuNode,
                                                            int displayFd);
  ExplicitSync(const ExplicitSync&) = delete;
  ExplicitSync& operator=(const ExplicitSync&) = delete;
  ~ExplicitSync();

  /** Whether the client synchronises this surface explicitly, so that the fences in its dma-bufs do not count. */
  [[nodiscard]] static bool governs(wlr_surface& surface);
  /** Borrowed: of the device that timelines are imported into. */
  [[nodiscard]] int deviceFd() const { return device_.get(); }

private:
  ExplicitSync(wl_display& display, UniqueFd device);
  UniqueFd device_;
  wl_global* global_;
};

} // namespace vitrine
