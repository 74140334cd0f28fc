#pragma once

#include <string>

#include "protected-path/base/result.h"
#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/** Where a run's reports go: file names, `-` for stdout, empty for none. The table goes to stdout unless a report does. */
struct Outputs {
  std::string json;
  std::string csv;
  std::string html;
  std::string limits; ///< TAP on stdout, judged by this file

  [[nodiscard]] bool usesStdout() const { return json == "-" || csv == "-" || html == "-" || !limits.empty(); }
};

/** Reads a whole file, or stdin for `-`. System error. */
[[nodiscard]] Result<std::string> readWholeFile(const std::string& file);

/**
 * What is wrong with the outputs before anything is measured: a limits file that cannot be used, a file that cannot be written,
 * more than one report on stdout.
 */
[[nodiscard]] Result<> checkOutputs(const Outputs& outputs);

/** Writes all; whether the limits hold (true without any). */
[[nodiscard]] Result<bool> writeOutputs(const BenchRun& run, const Outputs& outputs);

} // namespace vitrine::bench
