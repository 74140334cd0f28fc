#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/board/common/stop_signals.h"
#include "tests/board/display-test/report.h"

namespace vitrine::display_test {

struct RunOptions {
  unsigned repeat = 1;
  std::optional<uint64_t> shuffleSeed;
  std::optional<double> timeoutSeconds; ///< of each case; empty: ten times its typical duration, ten seconds at least
  Secret secret{};
  bool progress = false; ///< one line on stderr that rewrites itself
};

/**
 * Runs the cases, each in a child process of its own with a time limit, once for each heap under test where a case needs one.
 *
 * A child that crashes, or that is ended by its time limit, is a failed case; the run goes on. A need that the board does not meet
 * is a skipped one. Ends early at a stop signal, with Report::interrupted.
 */
void runCases(const std::vector<const Case*>& cases, const RunOptions& options, StopSignals& stop, Report& report);

} // namespace vitrine::display_test
