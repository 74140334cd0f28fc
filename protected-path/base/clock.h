#pragma once

#include <cstdint>
#include <ctime>

namespace vitrine {

/** Nanoseconds on CLOCK_MONOTONIC, the clock of page-flip events. */
using Nanoseconds = int64_t;

[[nodiscard]] inline Nanoseconds toNanoseconds(const timespec& time) {
  return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

[[nodiscard]] inline timespec toTimespec(Nanoseconds time) {
  return {static_cast<time_t>(time / 1'000'000'000), static_cast<long>(time % 1'000'000'000)};
}

[[nodiscard]] inline Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return toNanoseconds(time);
}

} // namespace vitrine
