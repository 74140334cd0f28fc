#include "tests/board/display-test/map_device_ways.h"

#include <cerrno>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "protected-path/kms/drm_pointer.h"
#include "protected-path/tee/tee_uapi.h"

namespace vitrine::display_test {
namespace {

/** An open file of the display device; a failure is errno's. */
UniqueFd openCard(const Target& target) {
  return UniqueFd(open(target.board->card.c_str(), O_RDWR | O_CLOEXEC));
}

/** Maps through the handle that some file of the display device has: by export, and as a dumb buffer. */
ReadAttempt readHandle(int card, uint32_t handle, size_t sizeBytes) {
  int exported = -1;
  if (drmPrimeHandleToFD(card, handle, DRM_CLOEXEC | DRM_RDWR, &exported) != 0)
    return ReadAttempt::refused("DRM_IOCTL_PRIME_HANDLE_TO_FD", errno);
  const UniqueFd fd(exported);
  return mapAndRead(fd.get(), sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/** A framebuffer over the target: 64 KiB are 128×128 XRGB8888. */
uint32_t addFramebuffer(int card, uint32_t handle) {
  const uint32_t handles[4] = {handle};
  const uint32_t pitches[4] = {512};
  const uint32_t offsets[4] = {};
  uint32_t id = 0;
  return drmModeAddFB2(card, 128, 128, DRM_FORMAT_XRGB8888, handles, pitches, offsets, &id, 0) == 0 ? id : 0;
}

ReadAttempt readFramebuffer(int owner, int reader, const Target& target) {
  uint32_t handle = 0;
  if (drmPrimeFDToHandle(owner, target.fd, &handle) != 0)
    return ReadAttempt::refused("DRM_IOCTL_PRIME_FD_TO_HANDLE", errno);
  const uint32_t id = addFramebuffer(owner, handle);
  if (id == 0) return ReadAttempt::refused("DRM_IOCTL_MODE_ADDFB2", errno);
  drmModeFB2* framebuffer = drmModeGetFB2(reader, id);
  if (framebuffer == nullptr) return ReadAttempt::refused("DRM_IOCTL_MODE_GETFB2", errno);
  const uint32_t found = framebuffer->handles[0];
  drmModeFreeFB2(framebuffer);
  if (found == 0) return ReadAttempt::refused("DRM_IOCTL_MODE_GETFB2 gives no handle", EACCES);
  return readHandle(reader, found, target.sizeBytes);
}

} // namespace

ReadAttempt teeDescriptor(const Target& target) {
  const UniqueFd tee(open(target.board->tee.node.c_str(), O_RDWR | O_CLOEXEC));
  if (!tee) return ReadAttempt::refused("open " + target.board->tee.node, errno);
  TeeShmRegisterFd request{target.fd, 0, 0, -1};
  const UniqueFd registered(ioctl(tee.get(), teeIocShmRegisterFd, &request));
  if (!registered) return ReadAttempt::refused("TEE_IOC_SHM_REGISTER_FD", errno);
  return mapAndRead(registered.get(), target.sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED);
}

ReadAttempt udmabufOf(const Target& target) {
  const UniqueFd node(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
  if (!node) return ReadAttempt::refused("open /dev/udmabuf", errno);
  udmabuf_create request{};
  request.memfd = static_cast<uint32_t>(target.fd);
  request.flags = UDMABUF_FLAGS_CLOEXEC;
  request.size = target.sizeBytes;
  const UniqueFd made(ioctl(node.get(), UDMABUF_CREATE, &request));
  if (!made) return ReadAttempt::refused("UDMABUF_CREATE", errno);
  return mapAndRead(made.get(), target.sizeBytes, PROT_READ, MAP_SHARED);
}

ReadAttempt dumbMap(const Target& target) {
  const UniqueFd card = openCard(target);
  uint32_t handle = 0;
  if (drmPrimeFDToHandle(card.get(), target.fd, &handle) != 0)
    return ReadAttempt::refused("DRM_IOCTL_PRIME_FD_TO_HANDLE", errno);
  uint64_t offset = 0;
  if (drmModeMapDumbBuffer(card.get(), handle, &offset) != 0)
    return ReadAttempt::refused("DRM_IOCTL_MODE_MAP_DUMB", errno);
  return mapAndRead(card.get(), target.sizeBytes, PROT_READ, MAP_SHARED, static_cast<off_t>(offset));
}

ReadAttempt primeExport(const Target& target) {
  const UniqueFd card = openCard(target);
  uint32_t handle = 0;
  if (drmPrimeFDToHandle(card.get(), target.fd, &handle) != 0)
    return ReadAttempt::refused("DRM_IOCTL_PRIME_FD_TO_HANDLE", errno);
  return readHandle(card.get(), handle, target.sizeBytes);
}

ReadAttempt framebufferHandle(const Target& target) {
  const UniqueFd card = openCard(target);
  return readFramebuffer(card.get(), card.get(), target);
}

ReadAttempt foreignFramebufferHandle(const Target& target) {
  const UniqueFd owner = openCard(target);
  const UniqueFd reader = openCard(target);
  return readFramebuffer(owner.get(), reader.get(), target);
}

ReadAttempt flinkedName(const Target& target) {
  const UniqueFd owner = openCard(target);
  const UniqueFd reader = openCard(target);
  uint32_t handle = 0;
  if (drmPrimeFDToHandle(owner.get(), target.fd, &handle) != 0)
    return ReadAttempt::refused("DRM_IOCTL_PRIME_FD_TO_HANDLE", errno);
  drm_gem_flink flink{handle, 0};
  if (drmIoctl(owner.get(), DRM_IOCTL_GEM_FLINK, &flink) != 0)
    return ReadAttempt::refused("DRM_IOCTL_GEM_FLINK", errno);
  drm_gem_open opened{flink.name, 0, 0};
  if (drmIoctl(reader.get(), DRM_IOCTL_GEM_OPEN, &opened) != 0)
    return ReadAttempt::refused("DRM_IOCTL_GEM_OPEN", errno);
  return readHandle(reader.get(), opened.handle, target.sizeBytes);
}

} // namespace vitrine::display_test
