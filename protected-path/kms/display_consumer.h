#pragma once

#include <optional>

#include "protected-path/heap/consumer.h"
#include "protected-path/kms/kms_device.h"

namespace vitrine {

/** A display as a consumer of buffers: all of a device, or one plane of it. The device outlives it. */
class DisplayConsumer : public BufferConsumer {
public:
  /** Any plane of the device: what ADDFB2 says. */
  explicit DisplayConsumer(const KmsDevice& device);
  /** This plane on a CRTC that is lit: what TEST_ONLY says, too, where this process is the device's master. */
  DisplayConsumer(const KmsDevice& device, const Plane& plane, const Crtc* lit);

  [[nodiscard]] const ConsumerFacts& facts() const override { return facts_; }
  /**
   * PRIME import, ADDFB2, and for a plane the TEST_ONLY of a part of the buffer in its own size. Refused(PlaneFramebufferRefused,
   * ModifierUnsupported, PlaneTestRefused).
   */
  [[nodiscard]] Result<> wouldTake(const Dmabuf& buffer) override;

private:
  [[nodiscard]] Result<> test(uint32_t framebufferId, Size size) const;
  const KmsDevice& device_;
  const Plane* plane_ = nullptr;
  const Crtc* lit_ = nullptr;
  ConsumerFacts facts_;
};

/** Of every CRTC with a mode: the mode's size. Empty where it is dark. */
[[nodiscard]] std::optional<Size> litSize(const KmsDevice& device, const Crtc& crtc);

} // namespace vitrine
