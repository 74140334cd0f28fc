#pragma once

#include <functional>
#include <vector>

#include "tests/board/plane-bench/stage.h"

namespace vitrine::bench {

/** The samples of each series of a probe, in their order. */
using Answer = Result<std::vector<Samples>>;

/** One measurement. It yields one or more series at once, and is repeated for each repetition, between all others. */
struct Probe {
  std::vector<Series> series; ///< without samples; those already `unavailable` are not measured
  /**
   * Samples for each of `series`, in their order. `count` is how many a metric should have; those that say so in their
   * explanation have one. Starts from and leaves the stage as Stage::clear() does. An error makes all series unavailable.
   */
  std::function<Answer(unsigned count)> measure;
  bool once = false; ///< in the first repetition only: a property of the device
  bool over = false; ///< it failed, and is not tried again
};

/** The probes by subject. Each adds those that this stage can have, and an unavailable series for each that it cannot. */
void addRequestProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes);    ///< test-only, commits, moves
void addTimingProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes);     ///< flips, deadline, fences
void addBufferProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes);     ///< import, addfb2, rmfb
void addSceneProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes);      ///< composed against offloaded
void addCapabilityProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes); ///< what the planes can do

/** All of the metrics named (all metrics where the list is empty), for ordinary and, where there is a heap, protected buffers. */
[[nodiscard]] std::vector<Probe> makeProbes(Stage& stage, const std::vector<std::string>& metrics);

/** Microseconds. */
[[nodiscard]] inline double micros(Nanoseconds time) {
  return static_cast<double>(time) / 1000;
}

/** Sleeps until `time` of CLOCK_MONOTONIC. */
void sleepUntil(Nanoseconds time);

} // namespace vitrine::bench
