/* The broken board: its heaps and its display. */
#undef _FILE_OFFSET_BITS // the 32-bit and the 64-bit names are both defined here
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/tee.h>
#include <linux/udmabuf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>

#include <drm.h>
#include <drm_mode.h>

#include "protected-path/tee/tee_uapi.h"
#include "tests/board/display-test/proofs/broken_board.h"
#include "tests/platform/kernel/vitrine_gpu.h"

namespace broken {
namespace {

constexpr size_t largePieceBytes = 4 << 20;

bool isSystemHeap(int node) {
  std::array<char, 128> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(node);
  return readlink(link.c_str(), path.data(), path.size() - 1) > 0 && std::string_view(path.data()).ends_with("/system");
}

/** Whether a full pool has not got everything back. */
bool poolShrank() {
  const bool forked = seen().forks > 0;
  if (!seen().full || !((breaks("recovery") && !forked) || (breaks("killed-owner") && forked))) return false;
  return ++seen().largePiecesAgain >= seen().largePieces;
}

int allocate(int node, dma_heap_allocation_data* request) {
  constexpr uint32_t known = O_ACCMODE | O_CLOEXEC;
  const bool large = request->len == largePieceBytes;
  if (breaks("size-zero") && request->len == 0) request->len = 4096;
  if (breaks("size-too-large") && request->len >= 1ULL << 40) request->len = 4096;
  if (breaks("fd-flags")) request->fd_flags &= known;
  if (breaks("heap-flags")) request->heap_flags = 0;
  if (breaks("fd-field")) request->fd = 0;
  if (breaks("access-mode")) request->fd_flags = (request->fd_flags & ~uint32_t{O_ACCMODE}) | O_RDWR;
  if (breaks("close-on-exec")) request->fd_flags &= ~uint32_t{O_CLOEXEC};
  if (breaks("node-mode") && (fcntl(node, F_GETFL) & O_ACCMODE) == O_RDONLY) return fails(EPERM);
  if (large && poolShrank()) return fails(ENOMEM);
  if (breaks("apart") && seenByCase().registered && seen().lastBuffer >= 0) {
    request->fd = static_cast<uint32_t>(fcntl(seen().lastBuffer, F_DUPFD_CLOEXEC, 0));
    return 0;
  }
  const int result = realIoctl()(node, DMA_HEAP_IOCTL_ALLOC, request);
  if (result == 0) {
    struct stat status{};
    fstat(static_cast<int>(request->fd), &status);
    seen().protectedBuffers.insert(status.st_ino);
    seen().lastBuffer = static_cast<int>(request->fd);
    if (seen().firstBuffer < 0) seen().firstBuffer = static_cast<int>(request->fd);
    if (large && !seen().full) ++seen().largePieces;
  } else if (large) {
    seen().full = true;
    if (breaks("exhaustion")) return fails(EBUSY);
  }
  return result;
}

/** Whether a descriptor is of the protected buffer that was allocated last. */
bool isLast(int fd) {
  struct stat one{};
  struct stat last{};
  return fstat(fd, &one) == 0 && fstat(seen().lastBuffer, &last) == 0 && one.st_ino == last.st_ino;
}

void addedFramebuffer(int card, const drm_mode_fb_cmd2& framebuffer) {
  seen().framebufferOwner = card;
  if (!seen().protectedHandles.contains(framebuffer.handles[0])) return;
  const std::string format(reinterpret_cast<const char*>(&framebuffer.pixel_format), 4);
  seen().protectedFramebuffers[framebuffer.fb_id] = format + " " + std::to_string(framebuffer.width);
}

std::span<const uint64_t> valuesOf(const drm_mode_atomic& request) {
  const std::span counts(reinterpret_cast<const uint32_t*>(request.count_props_ptr), request.count_objs);
  return {reinterpret_cast<const uint64_t*>(request.prop_values_ptr),
          std::accumulate(counts.begin(), counts.end(), size_t{0})};
}

/** An atomic request: what it shows is noted, and some are answered wrongly. */
int atomic(int card, drm_mode_atomic* request) {
  const bool test = (request->flags & DRM_MODE_ATOMIC_TEST_ONLY) != 0;
  std::string shows;
  for (const uint64_t value : valuesOf(*request)) {
    const auto found = seen().protectedFramebuffers.find(static_cast<uint32_t>(value));
    if (found != seen().protectedFramebuffers.end()) shows = found->second;
  }
  if (breaks("test-is-kept") && !test && seen().tested && !shows.empty()) return fails(EINVAL);
  seen().tested |= test;
  // The request that takes the picture away is not carried out.
  if (breaks("removed") && !test && shows.empty() && !seen().shown.empty() &&
      (request->flags & DRM_MODE_ATOMIC_ALLOW_MODESET) == 0)
    return 0;
  const int result = realIoctl()(card, DRM_IOCTL_MODE_ATOMIC, request);
  if (result == 0 && !test) seen().shown = shows;
  return result;
}

/** What the GPU gets instead of the protected buffer that it asks for. */
int view(int node, drm_vitrine_gpu_view* request) {
  if (breaks("gpu-import") && isProtected(request->fd)) return fails(EACCES);
  const int first = seen().firstBuffer;
  if (breaks("gpu-drawing") && isLast(request->fd)) {
    const int asked = std::exchange(request->fd, first);
    const int result = realIoctl()(node, DRM_IOCTL_VITRINE_GPU_VIEW, request);
    request->fd = asked;
    return result;
  }
  return realIoctl()(node, DRM_IOCTL_VITRINE_GPU_VIEW, request);
}

int drm(int card, unsigned long request, void* argument) {
  if (request == DRM_IOCTL_VITRINE_GPU_VIEW) return view(card, static_cast<drm_vitrine_gpu_view*>(argument));
  if (request == DRM_IOCTL_MODE_ATOMIC) return atomic(card, static_cast<drm_mode_atomic*>(argument));
  const int result = realIoctl()(card, request, argument);
  switch (request) {
  case DRM_IOCTL_PRIME_FD_TO_HANDLE: {
    const auto* prime = static_cast<drm_prime_handle*>(argument);
    seen().imported = true;
    if (result == 0 && isProtected(prime->fd))
      seen().protectedHandles.insert(prime->handle);
    else if (result == 0)
      seen().protectedHandles.erase(prime->handle);
    break;
  }
  case DRM_IOCTL_PRIME_HANDLE_TO_FD:
    if (result == 0) seen().exported.insert(static_cast<drm_prime_handle*>(argument)->fd);
    break;
  case DRM_IOCTL_MODE_ADDFB2:
    if (result == 0) addedFramebuffer(card, *static_cast<drm_mode_fb_cmd2*>(argument));
    break;
  case DRM_IOCTL_MODE_GETFB2:
    seen().framebufferReader = card;
    break;
  case DRM_IOCTL_GEM_OPEN:
    seen().gemOpened = true;
    break;
  case DRM_IOCTL_MODE_MAP_DUMB:
    if (breaks("dumb-map")) {
      static_cast<drm_mode_map_dumb*>(argument)->offset = fakeMapOffset;
      return 0;
    }
    break;
  default:
    break;
  }
  return result;
}

} // namespace

Ioctl realIoctl() {
  static const auto real = next<Ioctl>("ioctl");
  return real;
}

int fails(int number) {
  errno = number;
  return -1;
}

/** Whether the display shows something else than the protected picture that is on it. */
bool showsWrongly() {
  const std::string& shown = seen().shown;
  if (breaks("overlay-rgb")) return shown == "XR24 256";
  if (breaks("overlay-yuv")) return shown == "NV12 256";
  if (breaks("primary")) return shown.starts_with("XR24") && shown != "XR24 256";
  return false;
}

int ioctlBroken(int fd, unsigned long request, void* argument) {
  if (request == DMA_HEAP_IOCTL_ALLOC && !isSystemHeap(fd))
    return allocate(fd, static_cast<dma_heap_allocation_data*>(argument));
  if (request == DMA_BUF_IOCTL_SYNC) seen().synced = true;
  if (request == DMA_BUF_SET_NAME_B) seen().named = true;
  if (request == DMA_BUF_IOCTL_EXPORT_SYNC_FILE && breaks("fences")) return fails(ENOTTY);
  if (request == vitrine::teeIocShmRegisterFd) return registerBroken(fd, argument);
  if (request == TEE_IOC_INVOKE) return invokeBroken(fd, argument);
  if (request == UDMABUF_CREATE && breaks("udmabuf")) return secretFile(static_cast<udmabuf_create*>(argument)->size);
  if (_IOC_TYPE(request) == DRM_IOCTL_BASE) return drm(fd, request, argument);
  const int result = realIoctl()(fd, request, argument);
  if (request == DMA_HEAP_IOCTL_ALLOC && result == 0) seen().allocatedOrdinary = true;
  if (request == TEE_IOC_OPEN_SESSION && result == 0) openedSession(argument);
  return result;
}

} // namespace broken
