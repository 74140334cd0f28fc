#pragma once

#include <vector>

#include "compositor/render/dmabuf_buffer.h"
#include "compositor/wlr/timer.h"
#include "protected-path/kms/kms_device.h"

namespace vitrine {

/**
 * Memory into which pictures for readers on the CPU are drawn.
 *
 * A buffer that is given back stays for a second, because a recorder asks for one frame after the other.
 */
class CaptureBuffers {
public:
  /** More pictures at the same time wait for one of these. */
  static constexpr size_t mostAtOnce = 4;

  /** Borrows both, which must outlive it. */
  CaptureBuffers(const KmsDevice& display, Renderer& renderer, wl_event_loop& loop);
  CaptureBuffers(const CaptureBuffers&) = delete;
  CaptureBuffers& operator=(const CaptureBuffers&) = delete;

  /** An XRGB8888 buffer; null if so many are in use that the caller has to wait. Errors: the kernel has no memory. */
  [[nodiscard]] Result<OwnedBuffer> take(Size size);
  void giveBack(OwnedBuffer buffer);

private:
  const KmsDevice& display_;
  Renderer& renderer_;
  size_t used_ = 0;
  std::vector<OwnedBuffer> spare_;
  Timer expiry_;
};

} // namespace vitrine
