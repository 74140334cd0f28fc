#pragma once

#include "tests/board/plane-bench/measuring.h"

namespace vitrine::bench {

/** What to measure where, as the command line says. */
struct SessionOptions {
  std::string node;      ///< empty: the first KMS device with a connected output
  std::string connector; ///< empty: the first connected one
  std::string mode;      ///< empty: the preferred one
  Task task;
  bool showsProgress = true;
};

/**
 * Becomes DRM master, saves what the device shows, measures in a child process, and restores what was there: at the end, after
 * SIGINT and SIGTERM, after an error, and when the child was killed or hangs (a minute without a word). What was measured
 * until then is in the result, which then is not complete.
 *
 * Errors: Missing where there is no KMS device or no such output; System with EBUSY where another process is DRM master.
 */
[[nodiscard]] Result<BenchRun> measure(const SessionOptions& options);

} // namespace vitrine::bench
