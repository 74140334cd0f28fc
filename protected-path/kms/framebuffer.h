#pragma once

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/kms/kms_device.h"

namespace vitrine {

/**
 * A KMS framebuffer over a dma-buf (DRM_IOCTL_MODE_ADDFB2). Importing needs no CPU access, so it is what protected
 * buffers may always be tried with. Removed in its destructor (DRM_IOCTL_MODE_CLOSEFB where the kernel has it, so that
 * a plane that still shows it is not turned off; else RMFB). The device must outlive it.
 */
class Framebuffer {
public:
  /**
   * PRIME-imports every plane and adds the framebuffer; GEM handles are closed before it returns, so nothing else (GBM)
   * may hold handles on the same open file. `opaque` uses the format's variant without alpha, for content known to be
   * opaque. Refused(PlaneFramebufferRefused) with the errno in its text, Refused(ModifierUnsupported) where the device
   * takes no modifiers and the buffer is not linear.
   */
  [[nodiscard]] static Result<Framebuffer> create(const KmsDevice& device, const Dmabuf& buffer, bool opaque = false);

  Framebuffer(Framebuffer&& other) noexcept;
  Framebuffer& operator=(Framebuffer&& other) noexcept;
  Framebuffer(const Framebuffer&) = delete;
  ~Framebuffer();

  [[nodiscard]] uint32_t id() const { return id_; }
  [[nodiscard]] Size size() const { return size_; }
  /** Removes it with RMFB at once, also from any plane that shows it (session switched away, R9). */
  void removeNow();

private:
  Framebuffer(int deviceFd, uint32_t id, Size size) : deviceFd_(deviceFd), id_(id), size_(size) {}
  int deviceFd_ = -1; ///< borrowed
  uint32_t id_ = 0;
  Size size_;
};

} // namespace vitrine
