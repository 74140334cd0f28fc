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
#include <vector>

#include "tests/board/display-test/proofs/broken_board.h"

namespace broken {
namespace {

/** The colour of the protected window, all over: the first four bytes of the secret. */
void writeColour(void* to, size_t size) {
  std::array<char, 16> secret{};
  writeSecret(secret.data(), secret.size());
  for (size_t at = 0; at + 4 <= size; at += 4)
    std::memcpy(static_cast<char*>(to) + at, secret.data(), 4);
}

/** An ordinary dma-buf that shows what the protected one shows. */
int ordinaryTwin(size_t size) {
  const int heap = ::open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
  dma_heap_allocation_data request{.len = size, .fd = 0, .fd_flags = O_RDWR | O_CLOEXEC, .heap_flags = 0};
  if (heap < 0 || realIoctl()(heap, DMA_HEAP_IOCTL_ALLOC, &request) != 0) return -1;
  ::close(heap);
  const int fd = static_cast<int>(request.fd);
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  writeColour(mapped, size);
  ::munmap(mapped, size);
  return fd;
}

bool used(const char* interface) {
  return seen().waylandUsed.contains(interface);
}

/** Whether the compositor is broken in the way in which the client looks at it now. */
bool isLookedAt() {
  const bool covered = used("wl_subcompositor");
  // A capture into a dma-buf has allocated one before the protected buffer is sent.
  const bool screencopy = used("zwlr_screencopy_manager_v1") && !covered;
  if (breaks("screencopy-shm")) return screencopy && !seen().allocatedOrdinary;
  if (breaks("screencopy-dmabuf")) return screencopy && seen().allocatedOrdinary;
  if (breaks("image-copy-output")) return used("ext_output_image_capture_source_manager_v1");
  if (breaks("image-copy-window")) return used("ext_foreign_toplevel_image_capture_source_manager_v1");
  if (breaks("path-switches")) return covered;
  if (breaks("told")) return used("vitrine_protected_content_v1");
  return false;
}

uint32_t wordAt(std::string_view bytes, size_t at) {
  uint32_t word = 0;
  if (at + sizeof word <= bytes.size()) std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

/** One request: its object, size << 16 | opcode, and the arguments. */
void noteRequest(std::string_view bytes) {
  constexpr uint32_t display = 1;
  constexpr uint32_t getRegistry = 12 << 16 | 1;
  const uint32_t object = wordAt(bytes, 0);
  if (object == display && wordAt(bytes, 4) == getRegistry) {
    seen().waylandRegistry = wordAt(bytes, 8);
    seen().waylandGlobals.clear();
    seen().waylandUsed.clear();
  } else if (object == seen().waylandRegistry && object != 0 &&
             bytes.size() > 16) { // bind: name, interface, version, id
    const uint32_t length = wordAt(bytes, 12);
    if (length > 0 && 16 + length <= bytes.size())
      seen().waylandGlobals[wordAt(bytes, bytes.size() - 4)] = bytes.substr(16, length - 1);
  } else if (const auto global = seen().waylandGlobals.find(object); global != seen().waylandGlobals.end()) {
    seen().waylandUsed.insert(global->second);
  }
}

} // namespace

void noteSent(const msghdr& message) {
  std::string bytes;
  for (size_t i = 0; i < message.msg_iovlen; ++i)
    bytes.append(static_cast<const char*>(message.msg_iov[i].iov_base), message.msg_iov[i].iov_len);
  for (std::string_view rest = bytes; rest.size() >= 8;) {
    const size_t size = wordAt(rest, 4) >> 16;
    if (size < 8 || size > rest.size()) return;
    noteRequest(rest.substr(0, size));
    rest.remove_prefix(size);
  }
}

int sendInstead(int fd) {
  const auto size = static_cast<size_t>(::lseek(fd, 0, SEEK_END));
  // The lock screen is seen through.
  if (breaks("seen-through-lock") && used("ext_session_lock_manager_v1") && !isDmabuf(fd)) {
    const int file = secretFile(size);
    void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    writeColour(mapped, size);
    ::munmap(mapped, size);
    return file;
  }
  if (!isProtected(fd)) return -1;
  if (breaks("compositor-memory")) {
    std::vector<char> pixels(size);
    writeSecret(pixels.data(), size);
    for (size_t at = 3; at < size; at += 4)
      pixels[at] = static_cast<char>(0xff);
    keepInAProcess();
  }
  if (breaks("compositor-shows")) return secretFile(size);
  return isLookedAt() ? ordinaryTwin(size) : -1;
}

} // namespace broken
