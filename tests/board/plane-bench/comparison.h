#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/board/plane-bench/bench_run.h"
#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {

enum class Outcome {
  NoChange,
  Better,
  Worse,
  Undecidable, ///< too few repetitions: no difference could have been proven
  OnlyInA,     ///< the second run has no value: it lost something, or was run with fewer metrics
  OnlyInB,
};

/** What became of one percentile of one series. */
struct Finding {
  std::string series; ///< Series::name()
  std::string metric;
  std::string unit;
  std::string statistic; ///< `p50` or `p95` of each repetition
  double medianA = 0;    ///< of the repetitions' percentiles
  double medianB = 0;
  Shift shift;            ///< of B over A, in the unit
  double probability = 1; ///< adjusted over all findings (Holm)
  double threshold = 0;   ///< in the unit: less is no change in practice
  Outcome outcome = Outcome::NoChange;

  /** `no change`, `worse by 8 to 11 %`, `better by 2 to 3 planes`, `not in B: no cursor plane`. */
  [[nodiscard]] std::string words() const;
  std::string reason; ///< for OnlyInA and OnlyInB: why the other has no value, where it says so
};

struct Comparison {
  std::vector<Finding> findings; ///< in the order of A's series
  double significance = 0.05;

  [[nodiscard]] size_t count(Outcome outcome) const;
  /** Something is worse, or was there and is no longer. */
  [[nodiscard]] bool regressed() const;
  /** Anything but NoChange and Undecidable. */
  [[nodiscard]] bool changed() const;
};

/**
 * In what the runs differ so that their numbers must not be compared, a line each: machine, driver, display, mode, settings.
 * The kernel is not among it. Empty where they are alike.
 */
[[nodiscard]] std::vector<std::string> unlikeness(const BenchRun& a, const BenchRun& b);

/**
 * Compares each series' median and, where repetitions have at least 20 samples, 95th percentile. Worse or better: the
 * adjusted probability is below `significance`, and the shift reaches the metric's practical threshold. Pure.
 */
[[nodiscard]] Comparison compareRuns(const BenchRun& a, const BenchRun& b);

/** Two halves of a run, of its odd and of its even repetitions: interleaved, and so as equal as two runs can be. */
[[nodiscard]] std::pair<BenchRun, BenchRun> splitRepetitions(const BenchRun& run);

/** Protected buffers (as B) against ordinary ones (as A) of one run; no findings where it has no protected ones. */
[[nodiscard]] Comparison compareBufferKinds(const BenchRun& run);

/** What to read: what changed, in words and numbers, then how much did not. `all`: each finding. */
[[nodiscard]] std::string comparisonText(const BenchRun& a, const BenchRun& b, const Comparison& comparison, bool all);

} // namespace vitrine::bench
