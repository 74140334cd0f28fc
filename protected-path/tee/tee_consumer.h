#pragma once

#include "protected-path/heap/consumer.h"
#include "protected-path/tee/tee_session.h"

namespace vitrine {

/** An application in the TEE as a consumer: it fills protected buffers, and only those. The device outlives it. */
class TeeConsumer : public BufferConsumer {
public:
  explicit TeeConsumer(const TeeDevice& device);
  [[nodiscard]] const ConsumerFacts& facts() const override { return facts_; }
  /** TEE_IOC_SHM_REGISTER_FD. Refused(NotProven) without proof, Refused(BufferRefused) where the TEE says EINVAL. */
  [[nodiscard]] Result<> wouldTake(const Dmabuf& buffer) override;

private:
  const TeeDevice& device_;
  ConsumerFacts facts_;
};

} // namespace vitrine
