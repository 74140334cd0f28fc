#pragma once

#include <string>

#include "protected-path/base/clock.h"

namespace vitrine::bench {

/**
 * How far a run is, on stderr: one line that is rewritten on a terminal, else a line per repetition. Erased when destroyed.
 */
class Progress {
public:
  Progress(bool enabled, unsigned repetitions);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /** `done` of `total` steps; the time left is what they took on average, times what is left. */
  void show(unsigned done, unsigned total, unsigned repetition, const std::string& doing);

private:
  bool enabled_;
  bool isTerminal_;
  unsigned repetitions_;
  unsigned lastRepetition_ = 0;
  Nanoseconds start_ = now();
};

} // namespace vitrine::bench
