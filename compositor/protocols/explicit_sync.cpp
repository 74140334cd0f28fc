#include "compositor/protocols/explicit_sync.h"

#include <fcntl.h>
#include <xf86drm.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>
#include <optional>
#include <vector>

#include "compositor/client_quota.h"
#include "compositor/protocols/held_commits.h"
#include "compositor/protocols/protocol_error.h"
#include "compositor/render/dmabuf_buffer.h"
#include "compositor/wlr/listener.h"
#include "linux-drm-syncobj-v1-server-protocol.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** What a commit says of its buffer. wlroots keeps it with the rest of the commit, in memory of its own. */
struct Points {
  std::optional<SyncPoint> acquire;
  std::optional<SyncPoint> release;

  Points() = default;
  Points(const Points&) = delete;
  Points& operator=(const Points&) = delete;
  ~Points() { giveBack(); }

  /** Nobody will read the buffer on account of this commit. */
  void giveBack() {
    if (release) {
      if (auto done = release->signal(-1); !done) log("protocols").warn("{}", done.error().text());
    }
    forget();
  }
  void forget() {
    acquire.reset();
    release.reset();
  }
};

Points& pointsAt(void* state) {
  return *std::launder(static_cast<Points*>(state));
}

const wlr_surface_synced_impl syncedImpl = {
    .state_size = sizeof(Points),
    .init_state = [](void* state) { new (state) Points; },
    .finish_state = [](void* state) { std::destroy_at(&pointsAt(state)); },
    .move_state =
        [](void* into, void* from) {
          Points& next = pointsAt(from);
          pointsAt(into).giveBack();
          pointsAt(into).acquire = std::move(next.acquire);
          pointsAt(into).release = std::move(next.release);
          next.forget();
        },
};

/** What a wl_surface has that was ever synchronised explicitly, until its end. */
class SurfaceSync {
public:
  /** Of this surface, or null. */
  static SurfaceSync* of(wlr_surface& surface);
  /** Null where there is no memory. */
  static SurfaceSync* create(wlr_surface& surface);

  /** The client's object for it. Null once that is destroyed; what was committed before stays as it is. */
  wl_resource* resource = nullptr;
  /** Of the next commit. */
  [[nodiscard]] Points& pending() { return pointsAt(pending_); }

private:
  struct Node {
    wlr_addon addon;
    SurfaceSync* self;
  };

  explicit SurfaceSync(wlr_surface& surface) : surface_(surface) {}
  ~SurfaceSync();
  [[nodiscard]] bool pointsAreInOrder();
  void clientCommitted();
  void committed();
  static const wlr_addon_interface addonImpl;

  wlr_surface& surface_;
  Node node_{};
  wlr_surface_synced synced_{};
  alignas(Points) std::byte pending_[sizeof(Points)]{};
  alignas(Points) std::byte current_[sizeof(Points)]{};
  Listener<void> clientCommit_;
  Listener<wlr_surface> commit_;
};

const wlr_addon_interface SurfaceSync::addonImpl = {
    .name = "vitrine_explicit_sync",
    .destroy = [](wlr_addon* addon) { delete reinterpret_cast<Node*>(addon)->self; }, // standard layout, addon first
};

SurfaceSync* SurfaceSync::of(wlr_surface& surface) {
  wlr_addon* addon = wlr_addon_find(&surface.addons, &addonImpl, &addonImpl);
  return addon != nullptr ? reinterpret_cast<Node*>(addon)->self : nullptr;
}

SurfaceSync* SurfaceSync::create(wlr_surface& surface) {
  auto* sync = new SurfaceSync(surface);
  wlr_addon_init(&sync->node_.addon, &surface.addons, &addonImpl, &addonImpl);
  sync->node_.self = sync;
  if (!wlr_surface_synced_init(&sync->synced_, &surface, &syncedImpl, sync->pending_, sync->current_)) {
    sync->synced_.surface = nullptr;
    delete sync;
    return nullptr;
  }
  sync->clientCommit_.connect(surface.events.client_commit, [sync](void*) { sync->clientCommitted(); });
  sync->commit_.connect(surface.events.commit, [sync](wlr_surface*) { sync->committed(); });
  return sync;
}

SurfaceSync::~SurfaceSync() {
  if (synced_.surface != nullptr) wlr_surface_synced_finish(&synced_);
  wlr_addon_finish(&node_.addon);
  if (resource != nullptr) wl_resource_set_user_data(resource, nullptr);
}

/** Whether the next commit keeps the protocol's rules; else it is refused. */
bool SurfaceSync::pointsAreInOrder() {
  const Points& points = pending();
  const wlr_buffer* buffer = surface_.pending.buffer;
  const auto refuse = [this](uint32_t error, const char* what) {
    const std::string words = invalid("commit", "wl_surface", what).error().text();
    warnOfClient(*wl_resource_get_client(resource), words);
    wlr_surface_reject_pending(&surface_, resource, error, "%s", words.c_str());
    return false;
  };
  if (buffer == nullptr) {
    if (!points.acquire && !points.release) return true;
    return refuse(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_BUFFER, "a point was set, and no buffer is attached");
  }
  if (DmabufBuffer::from(surface_.pending.buffer) == nullptr)
    return refuse(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_UNSUPPORTED_BUFFER, "the buffer is no dma-buf");
  if (!points.acquire)
    return refuse(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_ACQUIRE_POINT, "a buffer without an acquire point");
  if (!points.release)
    return refuse(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_RELEASE_POINT, "a buffer without a release point");
  if (!points.acquire->precedes(*points.release))
    return refuse(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_CONFLICTING_POINTS,
                  "the release point is not after the acquire point of the same timeline");
  return true;
}

void SurfaceSync::clientCommitted() {
  if (resource == nullptr || !pointsAreInOrder() || !pending().acquire) return;
  const auto signalled = pending().acquire->hasSignalled();
  if (signalled && *signalled) return;
  auto waited = signalled.and_then([this](bool) { return pending().acquire->watch(); });
  if (waited) return holdCommitUntil(surface_, std::move(*waited));
  warnOfClient(*wl_resource_get_client(resource), waited.error().text());
  wl_client_post_implementation_error(wl_resource_get_client(resource), "%s", waited.error().text().c_str());
}

void SurfaceSync::committed() {
  Points& points = pointsAt(current_);
  if (!points.acquire || !points.release) return;
  DmabufBuffer* buffer = surface_.buffer != nullptr ? DmabufBuffer::from(surface_.buffer->source) : nullptr;
  if (buffer == nullptr) return points.giveBack(); // the client has destroyed it
  buffer->fences().synchronise(std::move(*points.release));
  points.forget();
}

wlr_drm_syncobj_timeline& timelineOf(wl_resource* resource) {
  return *static_cast<wlr_drm_syncobj_timeline*>(wl_resource_get_user_data(resource));
}

/** Sets a point of the next commit. */
void setPoint(wl_resource* resource, std::optional<SyncPoint> Points::* which, wl_resource* timeline, uint32_t high,
              uint32_t low) {
  auto* sync = static_cast<SurfaceSync*>(wl_resource_get_user_data(resource));
  if (sync == nullptr) {
    postError(resource, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_SURFACE,
              invalid("set", "synchronisation point", "the wl_surface is gone").error());
    return;
  }
  (sync->pending().*which).emplace(timelineOf(timeline), uint64_t{high} << 32 | low);
}

const struct wp_linux_drm_syncobj_surface_v1_interface surfaceImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
    .set_acquire_point = [](wl_client*, wl_resource* resource, wl_resource* timeline, uint32_t high,
                            uint32_t low) { setPoint(resource, &Points::acquire, timeline, high, low); },
    .set_release_point = [](wl_client*, wl_resource* resource, wl_resource* timeline, uint32_t high,
                            uint32_t low) { setPoint(resource, &Points::release, timeline, high, low); },
};

void getSurface(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* surfaceResource) {
  wlr_surface& surface = *wlr_surface_from_resource(surfaceResource);
  SurfaceSync* sync = SurfaceSync::of(surface);
  if (sync != nullptr && sync->resource != nullptr) {
    postError(manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_SURFACE_EXISTS,
              invalid("synchronise", "wl_surface", "it has a synchronisation object already").error());
    return;
  }
  wl_resource* resource =
      wl_resource_create(client, &wp_linux_drm_syncobj_surface_v1_interface, wl_resource_get_version(manager), id);
  if (resource != nullptr && sync == nullptr) sync = SurfaceSync::create(surface);
  if (sync != nullptr) sync->resource = resource;
  if (resource == nullptr || sync == nullptr) wl_client_post_no_memory(client);
  if (resource == nullptr) return;
  wl_resource_set_implementation(resource, &surfaceImpl, sync, [](wl_resource* gone) {
    auto* left = static_cast<SurfaceSync*>(wl_resource_get_user_data(gone));
    if (left == nullptr) return;
    left->resource = nullptr;
    left->pending().forget();
  });
}

const struct wp_linux_drm_syncobj_timeline_v1_interface timelineImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
};

void importTimeline(wl_client* client, wl_resource* manager, uint32_t id, int syncobj) {
  const UniqueFd fd(syncobj);
  const auto* owner = static_cast<const ExplicitSync*>(wl_resource_get_user_data(manager));
  wlr_drm_syncobj_timeline* timeline = wlr_drm_syncobj_timeline_import(owner->deviceFd(), fd.get());
  if (timeline == nullptr) {
    postError(manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_INVALID_TIMELINE,
              invalid("import", "timeline", "the file descriptor is no DRM syncobj's").error());
    return;
  }
  wl_resource* resource =
      wl_resource_create(client, &wp_linux_drm_syncobj_timeline_v1_interface, wl_resource_get_version(manager), id);
  if (resource == nullptr) {
    wlr_drm_syncobj_timeline_unref(timeline);
    wl_client_post_no_memory(client);
    return;
  }
  wl_resource_set_implementation(resource, &timelineImpl, timeline,
                                 [](wl_resource* gone) { wlr_drm_syncobj_timeline_unref(&timelineOf(gone)); });
}

const struct wp_linux_drm_syncobj_manager_v1_interface managerImpl = {
    .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
    .get_surface = getSurface,
    .import_timeline = importTimeline,
};

void bind(wl_client* client, void* self, uint32_t version, uint32_t id) {
  wl_resource* resource =
      wl_resource_create(client, &wp_linux_drm_syncobj_manager_v1_interface, static_cast<int>(version), id);
  if (resource == nullptr) {
    wl_client_post_no_memory(client);
    return;
  }
  wl_resource_set_implementation(resource, &managerImpl, self, nullptr);
}

/** Timelines, and a file descriptor that tells when a point has got its fence: the kernel looks for the syncobj first. */
bool hasTimelines(int fd) {
  uint64_t value = 0;
  if (drmGetCap(fd, DRM_CAP_SYNCOBJ_TIMELINE, &value) != 0 || value != 1) return false;
  drm_syncobj_eventfd noSyncobj{};
  noSyncobj.fd = -1;
  return drmIoctl(fd, DRM_IOCTL_SYNCOBJ_EVENTFD, &noSyncobj) != 0 && errno == ENOENT;
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

bool ExplicitSync::governs(wlr_surface& surface) {
  const SurfaceSync* sync = SurfaceSync::of(surface);
  return sync != nullptr && sync->resource != nullptr;
}

std::unique_ptr<ExplicitSync> ExplicitSync::create(wl_display& display, const std::string& gpuNode, int displayFd) {
  UniqueFd device = findTimelineDevice(gpuNode, displayFd);
  if (!device) {
    log("protocols").info("no DRM device with syncobj timelines: clients synchronise implicitly");
    return nullptr;
  }
  return std::unique_ptr<ExplicitSync>(new ExplicitSync(display, std::move(device)));
}

ExplicitSync::ExplicitSync(wl_display& display, UniqueFd device)
    : device_(std::move(device)),
      global_(wl_global_create(&display, &wp_linux_drm_syncobj_manager_v1_interface, 1, this, bind)) {}

ExplicitSync::~ExplicitSync() {
  wl_global_destroy(global_);
}

} // namespace vitrine
