#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protected-path/base/result.h"
#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/** What one statistic of the series that a name selects may be at worst. */
struct Limit {
  std::string series;    ///< a series' whole name, or a metric's: then each of its series that has samples
  std::string statistic; ///< `minimum`, `p50`, `p95`, `p99` or `maximum`
  double value = 0;      ///< at most this where lower is better, else at least this; in the metric's unit
};

/**
 * Reads a limits file (TOML): a table per series or metric, with statistics as keys.
 *
 *     ["commit-to-flip"]
 *     p99 = 20000
 *     ["planes-at-once format=NV12 size=256x256"]
 *     p50 = 3
 *
 * Invalid, with `file` and line, for what is no TOML, a metric or a statistic that does not exist, or a value that is no
 * number.
 */
[[nodiscard]] Result<std::vector<Limit>> parseLimits(std::string_view text, const std::string& file);

/** How a run stands against its limits. */
struct LimitReport {
  std::string tap; ///< version 14 of the Test Anything Protocol, a line per limit and series
  bool passed = false;
};

/**
 * A limit whose series has no value fails, with the reason that the run gives: somebody wanted the value. No limits at all
 * fail, too.
 */
[[nodiscard]] LimitReport judgeLimits(const BenchRun& run, const std::vector<Limit>& limits);

} // namespace vitrine::bench
