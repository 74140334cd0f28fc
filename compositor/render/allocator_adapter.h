#pragma once

#include "compositor/render/dmabuf_buffer.h"
#include "protected-path/kms/kms_device.h"

namespace vitrine {

/**
 * Output buffers for wlroots: linear scanout buffers of the display device, which both display and renderer can import.
 */
class AllocatorAdapter {
public:
  /**
   * Destroyed with wlr_allocator_destroy(). `device` must outlive it. The renderer gives the requirements of its
   * targets.
   */
  [[nodiscard]] static wlr_allocator* create(const KmsDevice& device, const Renderer& renderer);

private:
  AllocatorAdapter(const KmsDevice& device, uint32_t rowMultiple);
  static AllocatorAdapter& from(wlr_allocator* allocator) { return *reinterpret_cast<AllocatorAdapter*>(allocator); }
  static const wlr_allocator_interface impl;

  wlr_allocator base_{}; ///< must be first: from() casts
  const KmsDevice& device_;
  uint32_t rowMultiple_;
};

} // namespace vitrine
