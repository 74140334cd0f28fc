#pragma once

#include <span>
#include <string_view>

namespace vitrine::bench {

/** Which direction is an improvement. */
enum class Better { Lower, Higher };

/**
 * One kind of measurement. A metric is measured under several conditions (number of planes, format …), each of which is a
 * Series of its own.
 */
struct Metric {
  const char* name;  ///< as on the command line and in files: `test-only`
  const char* title; ///< a heading: `TEST_ONLY commit`
  const char* unit;  ///< `µs`, `Hz`, `frames`, `planes`, `MB/s`, `x`
  Better better;
  /**
   * A change below both thresholds is no change in practice, however certain it is. `relative` is a fraction of the
   * first run's median, `absolute` is in the unit; the larger one counts.
   */
  double relativeThreshold;
  double absoluteThreshold;
  /** A property of the device and no time: measured once, and compared as it is. */
  bool exact;
  const char* brief;       ///< one line for --list
  const char* explanation; ///< for --explain: what is timed, between which events, what moves it, what it does not tell
};

/** All metrics, in the order of reports. */
[[nodiscard]] std::span<const Metric> allMetrics();

/** Null for a name that does not exist. */
[[nodiscard]] const Metric* findMetric(std::string_view name);

} // namespace vitrine::bench
