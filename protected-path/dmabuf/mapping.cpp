#include "protected-path/dmabuf/mapping.h"

#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <format>
#include <utility>

namespace vitrine {
namespace {

/** Begins or ends the CPU's access to the buffer. The kernel flushes caches and waits for fences. */
int syncCpuAccess(int fd, Mapping::Access access, uint64_t edge) {
  dma_buf_sync sync{edge | (access == Mapping::Access::Read ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW)};
  int result = 0;
  do {
    result = ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
  } while (result != 0 && (errno == EINTR || errno == EAGAIN));
  return result;
}

} // namespace

Result<Mapping> Mapping::map(const Dmabuf& buffer, unsigned plane, Access access) {
  const std::string object = std::format("{}, plane {}", buffer.describe(), plane);
  if (buffer.noMap()) return refused(Refusal::NoMap, "mmap", object);
  if (plane >= buffer.planeCount()) return invalid("mmap", object, "no such plane");

  const int fd = buffer.plane(plane).fd.get();
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return systemError("lseek", object);
  const auto length = static_cast<size_t>(size);
  // Mapped from the start, since plane offsets need not be page-aligned.
  const int protection = access == Access::Read ? PROT_READ : PROT_READ | PROT_WRITE;
  void* address = mmap(nullptr, length, protection, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return systemError("mmap", object);

  Mapping mapping;
  mapping.address_ = address;
  mapping.length_ = length;
  mapping.access_ = access;
  if (syncCpuAccess(fd, access, DMA_BUF_SYNC_START) != 0) return systemError("DMA_BUF_IOCTL_SYNC", object);
  mapping.fd_ = fd; // from here on, the destructor ends the access
  const size_t offset = buffer.plane(plane).offsetBytes;
  mapping.bytes_ = std::span(static_cast<std::byte*>(address), length).subspan(offset);
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), length_(other.length_), fd_(std::exchange(other.fd_, -1)),
      access_(other.access_), bytes_(std::exchange(other.bytes_, {})) {}

Mapping::~Mapping() {
  if (fd_ >= 0) syncCpuAccess(fd_, access_, DMA_BUF_SYNC_END);
  if (address_ != nullptr) munmap(address_, length_);
}

} // namespace vitrine
