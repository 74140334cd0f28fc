#pragma once

#include <string>
#include <vector>

#include "tests/board/plane-bench/bench_run.h"
#include "tests/board/plane-bench/output_choice.h"

namespace vitrine::bench {

/** What to measure. */
struct Task {
  Settings settings;
  std::vector<std::string> metrics; ///< empty: all
};

/**
 * The measuring process: lights the output, runs all probes once per repetition, and writes what comes of them to `pipe`, a JSON
 * object per line (see Message). Leaves the output lit: the other process restores what was there. Returns the exit status: 0,
 * or 1 after an error message.
 */
int runMeasurements(KmsDevice& device, const OutputChoice& output, const Task& task, int pipe);

/** One line of the pipe. */
struct Message {
  /** Where the measuring process is; in each message. */
  unsigned repetition = 0; ///< from 1
  unsigned done = 0;       ///< probes in all repetitions that have ended
  unsigned total = 0;
  std::string doing;          ///< series of the probe that runs now; empty at the end
  std::vector<Series> series; ///< what the probe before it gave: one repetition each, or why there is none
  std::string protectedHeap;  ///< in the first message
  std::string error;          ///< ends the run
};

[[nodiscard]] std::string messageToLine(const Message& message);
/** Invalid for a line that is none of these. */
[[nodiscard]] Result<Message> messageFromLine(const std::string& line);

} // namespace vitrine::bench
