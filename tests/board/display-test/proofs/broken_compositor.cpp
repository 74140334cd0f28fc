/*
 * The broken board: a Wayland compositor that refuses protected buffers, or lets them out. It is broken from the client's side: what
 * it gets is not the protected buffer that was sent, so that it treats it as what it is.
 */
#undef _FILE_OFFSET_BITS // the 32-bit and the 64-bit names are both defined here
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/board/display-test/proofs/broken_board.h"

namespace broken {
namespace {

/** An ordinary dma-buf in the colour of the protected one: the first four bytes of the secret. */
int ordinaryTwin(size_t size) {
  const int heap = ::open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
  dma_heap_allocation_data request{.len = size, .fd = 0, .fd_flags = O_RDWR | O_CLOEXEC, .heap_flags = 0};
  if (heap < 0 || realIoctl()(heap, DMA_HEAP_IOCTL_ALLOC, &request) != 0) return -1;
  ::close(heap);
  const int fd = static_cast<int>(request.fd);
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  std::array<char, 16> secret{};
  writeSecret(secret.data(), secret.size());
  for (size_t at = 0; at + 4 <= size; at += 4)
    std::memcpy(static_cast<char*>(mapped) + at, secret.data(), 4);
  ::munmap(mapped, size);
  return fd;
}

} // namespace

int sendInstead(int fd) {
  if (!isProtected(fd)) return -1;
  const auto size = static_cast<size_t>(::lseek(fd, 0, SEEK_END));
  if (breaks("compositor-shows")) return secretFile(size);
  // A capture into a dma-buf has allocated one before the protected buffer is sent.
  if (breaks(seen().allocatedOrdinary ? "screencopy-dmabuf" : "screencopy-shm")) return ordinaryTwin(size);
  return -1;
}

} // namespace broken
