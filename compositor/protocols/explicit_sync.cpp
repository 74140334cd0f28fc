#include "compositor/protocols/explicit_sync.h"

#include <fcntl.h>
#include <xf86drm.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

bool hasTimelines(int fd) {
  uint64_t value = 0;
  return drmGetCap(fd, DRM_CAP_SYNCOBJ_TIMELINE, &value) == 0 && value == 1;
}

/** Every render node of the machine; libdrm's own list leaves out devices on buses that it does not know. */
std::vector<std::string> renderNodes() {
  std::vector<std::string> nodes;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/dri", absent)) {
    if (entry.path().filename().string().starts_with("renderD")) nodes.push_back(entry.path().string());
  }
  std::ranges::sort(nodes);
  return nodes;
}

UniqueFd openWithTimelines(const std::string& node) {
  if (node.empty()) return {};
  UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
  return fd && hasTimelines(fd.get()) ? std::move(fd) : UniqueFd();
}

UniqueFd findTimelineDevice(const std::string& gpuNode, int displayFd) {
  if (UniqueFd gpu = openWithTimelines(gpuNode)) return gpu;
  if (hasTimelines(displayFd)) return duplicateFd(displayFd).value_or(UniqueFd());
  for (const std::string& node : renderNodes()) {
    if (UniqueFd other = openWithTimelines(node)) return other;
  }
  return {};
}

} // namespace

std::unique_ptr<ExplicitSync> ExplicitSync::create(wl_display& display, wlr_compositor& compositor,
                                                   const std::string& gpuNode, int displayFd) {
  const UniqueFd device = findTimelineDevice(gpuNode, displayFd);
  if (!device || wlr_linux_drm_syncobj_manager_v1_create(&display, 1, device.get()) == nullptr) {
    log("protocols").info("no DRM device with syncobj timelines: clients synchronise implicitly");
    return nullptr;
  }
  return std::unique_ptr<ExplicitSync>(new ExplicitSync(compositor));
}

ExplicitSync::ExplicitSync(wlr_compositor& compositor) {
  newSurface_.connect(compositor.events.new_surface, [this](wlr_surface* surface) { watch(*surface); });
}

void ExplicitSync::watch(wlr_surface& surface) {
  auto watched = std::make_unique<Surface>();
  watched->commit.connect(surface.events.commit, [](wlr_surface* committed) { onCommit(*committed); });
  watched->destroy.connect(surface.events.destroy, [this, gone = &surface](void*) {
    // This closure goes with what is erased here.
    ExplicitSync& self = *this;
    wlr_surface* const key = gone;
    self.surfaces_.erase(key);
  });
  surfaces_.emplace(&surface, std::move(watched));
}

void ExplicitSync::onCommit(wlr_surface& surface) {
  if ((surface.current.committed & WLR_SURFACE_STATE_BUFFER) == 0 || surface.buffer == nullptr) return;
  const auto* state = wlr_linux_drm_syncobj_v1_get_surface_state(&surface);
  if (state == nullptr || state->acquire_timeline == nullptr || state->release_timeline == nullptr) return;
  DmabufBuffer* buffer = DmabufBuffer::from(surface.buffer->source);
  if (buffer == nullptr) return; // shm: its pixels were copied by now, and the wl_buffer is released by itself
  buffer->fences().synchronise(SyncPoint(*state->acquire_timeline, state->acquire_point),
                               SyncPoint(*state->release_timeline, state->release_point));
}

} // namespace vitrine
