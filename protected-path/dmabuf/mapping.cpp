#include "protected-path/dmabuf/mapping.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
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

Result<Mapping> Mapping::mapUnused(const Dmabuf& buffer, unsigned plane, Access access) {
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
  mapping.fd_ = fd;
  const size_t offset = buffer.plane(plane).offsetBytes;
  mapping.bytes_ = std::span(static_cast<std::byte*>(address), length).subspan(offset);
  return mapping;
}

Result<Mapping> Mapping::map(const Dmabuf& buffer, unsigned plane, Access access) {
  auto mapping = mapUnused(buffer, plane, access);
  if (!mapping) return mapping;
  if (syncCpuAccess(mapping->fd_, access, DMA_BUF_SYNC_START) != 0)
    return systemError("DMA_BUF_IOCTL_SYNC", std::format("{}, plane {}", buffer.describe(), plane));
  mapping->accessing_ = true;
  return mapping;
}

Result<> Mapping::beginAccess() {
  const short use = access_ == Access::Read ? POLLIN : POLLOUT;
  pollfd fences{.fd = fd_, .events = use, .revents = 0};
  if (poll(&fences, 1, 0) < 0) return systemError("poll", "dma-buf");
  if ((fences.revents & use) == 0) return systemError("poll", "dma-buf", EBUSY, "its fences have not signalled yet");
  if (syncCpuAccess(fd_, access_, DMA_BUF_SYNC_START) != 0) return systemError("DMA_BUF_IOCTL_SYNC", "dma-buf");
  accessing_ = true;
  return {};
}

void Mapping::endAccess() {
  if (std::exchange(accessing_, false)) syncCpuAccess(fd_, access_, DMA_BUF_SYNC_END);
}

Result<> Mapping::tryPages() const {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return systemError("pipe2", "dma-buf");
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const auto pageBytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::array<iovec, IOV_MAX> bytes{};
  std::array<std::byte, IOV_MAX> read{};
  for (size_t page = 0; page < length_;) {
    size_t count = 0;
    for (; count < bytes.size() && page < length_; page += pageBytes)
      bytes[count++] = {static_cast<std::byte*>(address_) + page, 1};
    const ssize_t copied = writev(writer.get(), bytes.data(), static_cast<int>(count));
    if (copied < 0) return systemError("read mapping", "dma-buf");
    if (static_cast<size_t>(copied) < count) return systemError("read mapping", "dma-buf", EFAULT);
    if (::read(reader.get(), read.data(), count) != copied) return systemError("read", "pipe");
  }
  return {};
}

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), length_(other.length_), fd_(std::exchange(other.fd_, -1)),
      access_(other.access_), accessing_(std::exchange(other.accessing_, false)),
      bytes_(std::exchange(other.bytes_, {})) {}

Mapping::~Mapping() {
  endAccess();
  if (address_ != nullptr) munmap(address_, length_);
}

} // namespace vitrine
