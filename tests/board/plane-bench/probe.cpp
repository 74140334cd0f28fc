#include "tests/board/plane-bench/probe.h"

#include <algorithm>
#include <ctime>

namespace vitrine::bench {

void sleepUntil(Nanoseconds time) {
  const timespec until = toTimespec(time);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

std::vector<Probe> makeProbes(Stage& stage, const std::vector<std::string>& metrics) {
  std::vector<Probe> probes;
  for (const BufferKind kind : {BufferKind::Ordinary, BufferKind::Protected}) {
    if (kind == BufferKind::Protected && stage.protectedHeap().empty()) continue;
    addRequestProbes(stage, kind, probes);
    addTimingProbes(stage, kind, probes);
    addBufferProbes(stage, kind, probes);
    addSceneProbes(stage, kind, probes);
    addCapabilityProbes(stage, kind, probes);
  }
  if (metrics.empty()) return probes;
  // A probe stays if one of its series was asked for; the others come with it and are left out of the report.
  std::erase_if(probes, [&](const Probe& probe) {
    return std::ranges::none_of(
        probe.series, [&](const Series& series) { return std::ranges::find(metrics, series.metric) != metrics.end(); });
  });
  return probes;
}

} // namespace vitrine::bench
