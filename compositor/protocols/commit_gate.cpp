#include "compositor/protocols/commit_gate.h"

#include "compositor/client_quota.h"
#include "compositor/protocols/explicit_sync.h"
#include "compositor/protocols/held_commits.h"
#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {
namespace {

/** One surface's commits, until its end. */
class SurfaceGate {
public:
  explicit SurfaceGate(wlr_surface& surface) : surface_(surface) {
    clientCommit_.connect(surface.events.client_commit, [this](void*) { onClientCommit(); });
    destroy_.connect(surface.events.destroy, [this](void*) { delete this; });
  }

private:
  void onClientCommit();
  void drop();
  [[nodiscard]] bool isWithinQuota();
  void waitForWriters(DmabufBuffer& buffer);
  wlr_surface& surface_;
  QuotaShare pixels_; ///< of the wl_shm buffer that was committed last
  Listener<void> clientCommit_;
  Listener<void> destroy_;
};

/** Nothing of this commit is applied; the client has got its error already, which is the one that counts. */
void SurfaceGate::drop() {
  wlr_surface_reject_pending(&surface_, surface_.resource, WL_SURFACE_ERROR_INVALID_SIZE, "the commit was refused");
}

bool SurfaceGate::isWithinQuota() {
  wl_client& client = *wl_resource_get_client(surface_.resource);
  if (!wl_list_empty(&surface_.cached) &&
      static_cast<uint64_t>(wl_list_length(&surface_.cached)) >= ClientQuotas::limitOf(Quota::HeldCommits)) {
    ClientQuotas::refuse(client, Quota::HeldCommits);
    return false;
  }
  if ((surface_.pending.committed & WLR_SURFACE_STATE_BUFFER) == 0) return true;
  pixels_ = {};
  const wlr_buffer* buffer = surface_.pending.buffer;
  if (buffer == nullptr || DmabufBuffer::from(surface_.pending.buffer) != nullptr) return true;
  constexpr uint64_t bytesPerPixel = 4;
  auto share =
      ClientQuotas::take(client, Quota::UploadBytes,
                         static_cast<uint64_t>(buffer->width) * static_cast<uint64_t>(buffer->height) * bytesPerPixel);
  if (share) pixels_ = std::move(*share);
  return share.has_value();
}

void SurfaceGate::waitForWriters(DmabufBuffer& buffer) {
  auto fences = buffer.fences().unsignalled(FenceUse::Read);
  if (!fences) { // memory or file descriptors are short: nobody knows when the buffer may be read
    wl_client& client = *wl_resource_get_client(surface_.resource);
    warnOfClient(client, fences.error().text());
    wl_client_post_no_memory(&client);
    return drop();
  }
  for (UniqueFd& fence : *fences)
    holdCommitUntil(surface_, std::move(fence));
}

void SurfaceGate::onClientCommit() {
  if (surface_.pending_rejected) return;
  if (!isWithinQuota()) return drop();
  DmabufBuffer* buffer = (surface_.pending.committed & WLR_SURFACE_STATE_BUFFER) != 0
                             ? DmabufBuffer::from(surface_.pending.buffer)
                             : nullptr;
  if (buffer != nullptr && !ExplicitSync::governs(surface_)) waitForWriters(*buffer);
}

} // namespace

CommitGate::CommitGate(wlr_compositor& compositor) {
  newSurface_.connect(compositor.events.new_surface, [](wlr_surface* surface) { new SurfaceGate(*surface); });
}

} // namespace vitrine
