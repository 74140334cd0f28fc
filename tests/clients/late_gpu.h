#pragma once

#include "protected-path/base/result.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/** A busy GPU, imitated by one fence of the kernel's software timeline (drivers/dma-buf/sw_sync.c; debugfs). */
class LateGpu {
public:
  [[nodiscard]] static Result<LateGpu> start();
  /** A sync file. */
  [[nodiscard]] int fence() const { return fence_.get(); }
  [[nodiscard]] Result<> finish() const;

private:
  LateGpu(UniqueFd device, UniqueFd fence) : device_(std::move(device)), fence_(std::move(fence)) {}
  UniqueFd device_;
  UniqueFd fence_;
};

} // namespace vitrine
