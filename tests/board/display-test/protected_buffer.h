#pragma once

#include <span>
#include <string>
#include <vector>

#include <fcntl.h>

#include "protected-path/base/unique_fd.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/heap/buffer_layout.h"
#include "protected-path/tee/tee_session.h"
#include "tests/board/display-test/case.h"

namespace vitrine::display_test {

/** DMA_HEAP_IOCTL_ALLOC as it is, for cases about its own rules: an fd, or minus the errno. */
[[nodiscard]] int rawAllocate(const std::filesystem::path& node, uint64_t sizeBytes,
                              uint32_t fdFlags = O_RDWR | O_CLOEXEC, uint64_t heapFlags = 0, uint32_t fd = 0,
                              int openFlags = O_RDWR);

/** The secret over and over. */
[[nodiscard]] std::vector<std::byte> pattern(const Secret& secret, size_t sizeBytes);

/** Whether the secret is anywhere in `bytes`, at any alignment. */
[[nodiscard]] bool holdsSecret(std::span<const std::byte> bytes, const Secret& secret);

/**
 * Registers a buffer with the TEE, to fill it or to read it there. Missing (the case is skipped) where the TEE registers no buffers of
 * this heap: `tee/register` is the case that fails for that.
 */
[[nodiscard]] Result<TeeMemory> registerBuffer(const TeeDevice& device, int fd);

/** Plain bytes for the TEE, as shared memory. */
[[nodiscard]] Result<TeeMemory> shareBytes(const TeeDevice& device, std::span<const std::byte> bytes);

/**
 * A buffer of a heap, with the ways to put bytes into it and to get them out that only the secure world has.
 *
 * No code here maps it.
 */
class ProtectedBuffer {
public:
  [[nodiscard]] static Result<ProtectedBuffer> allocate(const Heap& heap, size_t sizeBytes);
  /** allocate(), and the secret all over it. */
  [[nodiscard]] static Result<ProtectedBuffer> withSecret(const Trial& trial, size_t sizeBytes);

  [[nodiscard]] int fd() const { return fd_.get(); }
  void closeFd() { fd_.reset(); }
  [[nodiscard]] size_t sizeBytes() const { return sizeBytes_; }

  /** The buffer as GPU and compositor get it: linear, with its evidence looked for. The caller's own fds. */
  [[nodiscard]] Result<Dmabuf> asDmabuf(Size size, uint32_t fourcc, const BufferLayout& layout) const;

  /** Puts plain bytes at an offset, by whichever application the board has; in pieces, since a TEE's windows are small. */
  [[nodiscard]] Result<> fill(const Board& board, size_t offsetBytes, std::span<const std::byte> bytes) const;
  /** sdp_basic's DUMP of a range: NeedDump. */
  [[nodiscard]] Result<std::vector<std::byte>> dump(const Board& board, size_t offsetBytes, size_t sizeBytes) const;

private:
  ProtectedBuffer(UniqueFd fd, size_t sizeBytes) : fd_(std::move(fd)), sizeBytes_(sizeBytes) {}
  UniqueFd fd_;
  size_t sizeBytes_;
};

} // namespace vitrine::display_test
