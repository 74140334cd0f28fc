#pragma once

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/kms/kms_device.h"

namespace vitrine {

/**
 * A KMS framebuffer of a dma-buf (DRM_IOCTL_MODE_ADDFB2). The import needs no CPU access, so it may always be tried
 * with protected buffers. The destructor removes it: with DRM_IOCTL_MODE_CLOSEFB if the kernel has it, which leaves it
 * on a plane that still shows it; else with RMFB. The device must outlive it.
 */
class Framebuffer {
public:
  /**
   * PRIME-imports every plane and adds the framebuffer. It closes the GEM handles before it returns, so no other code
   * (such as GBM) may hold handles on the same open file. `opaque`: use the format's variant without alpha, for opaque
   * content. Errors: Refused(PlaneFramebufferRefused) with the errno in its text; Refused(ModifierUnsupported) if the
   * device has no modifiers and the buffer is not linear.
   */
  [[nodiscard]] static Result<Framebuffer> create(const KmsDevice& device, const Dmabuf& buffer, bool opaque = false);

  Framebuffer(Framebuffer&& other) noexcept;
  Framebuffer& operator=(Framebuffer&& other) noexcept;
  Framebuffer(const Framebuffer&) = delete;
  ~Framebuffer();

  [[nodiscard]] uint32_t id() const { return id_; }
  [[nodiscard]] Size size() const { return size_; }
  /** Removes it at once with RMFB, also from planes that show it (R9: the session is switched away). */
  void removeNow();

private:
  Framebuffer(int deviceFd, uint32_t id, Size size) : deviceFd_(deviceFd), id_(id), size_(size) {}
  int deviceFd_ = -1; ///< borrowed
  uint32_t id_ = 0;
  Size size_;
};

} // namespace vitrine
