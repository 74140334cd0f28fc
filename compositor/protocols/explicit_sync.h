#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "compositor/render/dmabuf_buffer.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * linux-drm-syncobj-v1. wlroots speaks it and holds a commit back until its acquire point has a fence; this hands each commit's points
 * to its buffer, whose fences then go to the GPU and to KMS.
 */
class ExplicitSync {
public:
  /**
   * Offers the protocol where a DRM device of this machine has syncobj timelines (DRM_CAP_SYNCOBJ_TIMELINE): the GPU's, else the
   * display's, else any render node. Null where none has, with the reason logged.
   */
  [[nodiscard]] static std::unique_ptr<ExplicitSync> create(wl_display& display, wlr_compositor& compositor,
                                                            const std::string& gpuNode, int displayFd);

private:
  struct Surface {
    Listener<wlr_surface> commit;
    Listener<void> destroy;
  };
  explicit ExplicitSync(wlr_compositor& compositor);
  void watch(wlr_surface& surface);
  static void onCommit(wlr_surface& surface);

  std::unordered_map<wlr_surface*, std::unique_ptr<Surface>> surfaces_;
  Listener<wlr_surface> newSurface_;
};

} // namespace vitrine
