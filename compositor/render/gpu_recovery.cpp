#include "compositor/render/gpu_recovery.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {

bool GpuRecovery::isUsable(Nanoseconds time) {
  return !lost_ || (time >= nextAttempt_ && recover(time));
}

bool GpuRecovery::recover(Nanoseconds time) {
  if (lost_ && time < nextAttempt_) return false;
  const auto done = renderer_.recover();
  if (done) {
    if (lost_) log("output").info("the GPU is back");
    lost_ = false;
    interval_ = shortest;
    return true;
  }
  log("output").error("{}; showing planes, and black for the rest; next attempt in {} ms", done.error().text(),
                      interval_ / 1'000'000);
  lost_ = true;
  nextAttempt_ = time + interval_;
  interval_ = std::min(interval_ * 2, longest);
  return false;
}

} // namespace vitrine
