#pragma once

#include "tests/platform/gpu/fd.h"

namespace vitrine::gpu {

/** The kernel's side of the GPU (tests/platform/kernel/vitrine_gpu.h). One for each VkDevice: it counts its jobs. */
class RenderNode {
public:
  /** Closed (`!node`) where the board has no such GPU or we may not open it. */
  static RenderNode open();
  explicit operator bool() const { return static_cast<bool>(fd_); }

  /** A view of a protected dma-buf; closed, with errno as VIEW has it, where there is none. EOPNOTSUPP: not protected. */
  [[nodiscard]] Fd view(int dmabuf) const;

  /** While it lives, views of this node can be touched. */
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

/** A buffer of the protected heap; closed where there is no heap or no room. */
[[nodiscard]] Fd allocateProtected(size_t sizeBytes);

} // namespace vitrine::gpu
