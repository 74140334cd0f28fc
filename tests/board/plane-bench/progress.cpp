#include "tests/board/plane-bench/progress.h"

#include <cstdio>
#include <format>

#include <unistd.h>

namespace vitrine::bench {

Progress::Progress(bool enabled, unsigned repetitions)
    : enabled_(enabled), isTerminal_(isatty(STDERR_FILENO) == 1), repetitions_(repetitions) {}

Progress::~Progress() {
  if (enabled_ && isTerminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(unsigned done, unsigned total, unsigned repetition, const std::string& doing) {
  if (!enabled_ || total == 0 || doing.empty()) return;
  if (!isTerminal_ && repetition == lastRepetition_) return;
  lastRepetition_ = repetition;
  std::string left;
  if (done > 0) {
    const double seconds = static_cast<double>(now() - start_) / 1e9 / done * (total - done);
    left = seconds < 90 ? std::format(", {:.0f} s left", seconds) : std::format(", {:.0f} min left", seconds / 60);
  }
  const std::string line =
      std::format("{:3} %  repetition {} of {}{}", 100 * done / total, repetition, repetitions_, left);
  if (isTerminal_) {
    std::fprintf(stderr, "\r\x1b[K%s  %s", line.c_str(), doing.c_str());
  } else {
    std::fprintf(stderr, "vitrine-plane-bench: %s\n", line.c_str());
  }
}

} // namespace vitrine::bench
