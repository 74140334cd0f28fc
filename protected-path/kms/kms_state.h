#pragma once

#include <vector>

#include "protected-path/kms/atomic_request.h"

namespace vitrine {

/**
 * What a device's planes, CRTCs and connectors are set to, for programs that borrow the display (display tests, benchmarks) and
 * leave it as they found it.
 *
 * Holds copies of the modes and tables, which the kernel may drop meanwhile, but not the framebuffers: these belong to whoever
 * made them. The device must outlive it.
 */
class KmsState {
public:
  /** Reads the present state, and probes connectors for it. Errors: System (an ioctl failed). */
  [[nodiscard]] static Result<KmsState> save(const KmsDevice& device);

  /**
   * Sets everything back in one blocking commit that may be a modeset. Where the kernel refuses that, because a framebuffer or a
   * monitor is gone, everything is turned off instead. Errors: System, as the kernel answered to the latter (EACCES: another
   * program is master, and has its own state).
   */
  [[nodiscard]] Result<> restore() const;

private:
  explicit KmsState(const KmsDevice& device) : device_(device) {}

  const KmsDevice& device_;
  std::vector<Plane> planes_;
  std::vector<Crtc> crtcs_;
  std::vector<Connector> connectors_;
  std::vector<PropertyBlob> blobs_; ///< that the values of blob properties name
};

} // namespace vitrine
