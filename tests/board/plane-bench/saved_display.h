#pragma once

#include <vector>

#include "protected-path/kms/atomic_request.h"

namespace vitrine::bench {

/**
 * What a device showed when it was opened, to be set back at the end. Holds copies of the modes, which the kernel drops when nobody
 * uses them; framebuffers belong to whoever made them. The device must outlive it.
 */
class SavedDisplay {
public:
  /** Takes what KmsDevice::open() has read, so that nothing may have been committed since. System error. */
  [[nodiscard]] static Result<SavedDisplay> save(const KmsDevice& device);

  /**
   * Sets all of it back in one blocking commit. Where the kernel refuses that, because a framebuffer or a monitor is gone,
   * everything is switched off. System error of the latter.
   */
  [[nodiscard]] Result<> restore() const;

private:
  explicit SavedDisplay(const KmsDevice& device) : device_(device) {}
  const KmsDevice& device_;
  std::vector<PropertyBlob> modes_; ///< of the CRTCs that have one
  std::vector<uint64_t> modeIds_;   ///< per CRTC: of the copy, or 0
};

/** Switches every plane, CRTC and connector of the device off, in a commit without an event. */
[[nodiscard]] Result<> darkenAll(const KmsDevice& device);

} // namespace vitrine::bench
