#pragma once

#include "tests/platform/gpu/fd.h"

namespace vitrine::gpu {

/**
 * The kernel side of the GPU (tests/platform/kernel/vitrine_gpu.h). Each VkDevice opens one, since it counts its jobs.
 */
class RenderNode {
public:
  /** `!node` if the board has no such GPU or the process may not open it. */
  static RenderNode open();
  explicit operator bool() const { return static_cast<bool>(fd_); }

  /**
   * A view of a protected dma-buf. Invalid on error, with the errno of VIEW; EOPNOTSUPP: the buffer is not protected.
   */
  [[nodiscard]] Fd view(int dmabuf) const;

  /** While it exists, the CPU can access the views of this node. */
  class Job {
  public:
    explicit Job(const RenderNode& node);
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job();

  private:
    const RenderNode& node_;
  };

private:
  Fd fd_;
};

/** A buffer of the protected heap. Invalid if there is no heap or no room. */
[[nodiscard]] Fd allocateProtected(size_t sizeBytes);

} // namespace vitrine::gpu
