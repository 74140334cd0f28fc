#pragma once

#include <memory>
#include <string>

#include "protected-path/base/unique_fd.h"
#include "protected-path/dmabuf/inspector.h"
#include "protected-path/heap/heap_solver.h"

struct gbm_device;

namespace vitrine {

/**
 * A GPU's own allocator (GBM), asked for protected memory (GBM_BO_USE_PROTECTED). It opens a device node of its own: a
 * GBM device closes GEM handles that it did not make, so it shares an open file with nobody.
 */
class GbmDevice {
public:
  /** `node`: a render node, or a display's. Missing where no GBM backend serves the device. */
  [[nodiscard]] static Result<GbmDevice> open(const std::string& node);

  /**
   * A buffer to draw into and scan out. Drivers that don't know GBM_BO_USE_PROTECTED ignore it and hand out ordinary
   * memory, so what counts is what the kernel and the TEE say of the buffer: at least Evidence::Unmappable, or
   * Refused(HeapUnsuitable). Other errors: the driver's.
   */
  [[nodiscard]] Result<Dmabuf> allocateProtected(const BufferRequest& request, const Inspector& inspector) const;

private:
  struct Close {
    void operator()(gbm_device* device) const;
  };
  GbmDevice(UniqueFd fd, std::string node, gbm_device* device)
      : fd_(std::move(fd)), node_(std::move(node)), device_(device) {}
  UniqueFd fd_; ///< before the device, which uses it to the end
  std::string node_;
  std::unique_ptr<gbm_device, Close> device_;
};

} // namespace vitrine
