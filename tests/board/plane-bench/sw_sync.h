#pragma once

#include <cstdint>

#include "protected-path/base/unique_fd.h"

namespace vitrine::bench {

/** Fences that this process signals: the kernel's sw_sync, in debugfs (CONFIG_SW_SYNC; drivers/dma-buf/sw_sync.c). */
class SwSync {
public:
  /** A System error with its remedy where debugfs is not mounted, the kernel lacks it, or only root may. */
  [[nodiscard]] static Result<SwSync> open();
  /** A sync file that signal() signals next. */
  [[nodiscard]] Result<UniqueFd> createFence() const;
  [[nodiscard]] Result<> signal() const;

private:
  explicit SwSync(UniqueFd timeline) : timeline_(std::move(timeline)) {}
  UniqueFd timeline_;
  mutable uint32_t next_ = 0; ///< what the timeline counts to before the newest fence signals
};

} // namespace vitrine::bench
