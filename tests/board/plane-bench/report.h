#pragma once

#include <string>

#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/** For a terminal: one table, grouped by metric; what was not measured and why stands at the end. */
[[nodiscard]] std::string runToText(const BenchRun& run);

/** One self-contained HTML file: facts of the machine, and per metric a plot and the numbers of each series. */
[[nodiscard]] std::string runToHtml(const BenchRun& run);

/** `vkms on Virtual-1, 1280x720 at 60.000 Hz`. */
[[nodiscard]] std::string targetText(const Target& target);

} // namespace vitrine::bench
