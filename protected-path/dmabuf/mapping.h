#pragma once

#include <cstddef>
#include <span>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/**
 * The no-map guard, and the only way in this project to map a dma-buf for the CPU.
 *
 * DMA_BUF_IOCTL_SYNC brackets the access. The destructor unmaps. A mapping may outlive its access: between endAccess() and beginAccess()
 * devices use the buffer, and nothing is read or written here.
 */
class Mapping {
public:
  enum class Access { Read, Write };

  /**
   * Maps the whole plane `plane`. Errors: Refused(NoMap) for a no_map buffer, before any system call is made; System
   * with the errno if the kernel refuses.
   */
  [[nodiscard]] static Result<Mapping> map(const Dmabuf& buffer, unsigned plane, Access access);

  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&&) = delete;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  /** As map(), but the access has not begun. Nothing waits for the buffer's fences. */
  [[nodiscard]] static Result<Mapping> mapUnused(const Dmabuf& buffer, unsigned plane, Access access);

  /**
   * Begins the access; the kernel makes the CPU's caches coherent. Error: System (EBUSY: a fence of the buffer has not signalled.
   * A client's fences must not stop this process, so they are not waited for).
   */
  [[nodiscard]] Result<> beginAccess();
  /** Ends the access. Does nothing if it has ended. */
  void endAccess();

  /**
   * Reads each page once, through the kernel: some exporters map a buffer and fault at the access, which would end this process
   * (SIGBUS). Error: System (EFAULT: a page faults; EMFILE, ENFILE, ENOMEM).
   */
  [[nodiscard]] Result<> tryPages() const;

  /** From the plane's offset to the end of the dma-buf. */
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

private:
  Mapping() = default;
  void* address_ = nullptr;
  size_t length_ = 0;
  int fd_ = -1; ///< borrowed from the Dmabuf, which must outlive this
  Access access_ = Access::Read;
  bool accessing_ = false;
  std::span<std::byte> bytes_;
};

} // namespace vitrine
