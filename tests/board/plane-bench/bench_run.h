#pragma once

#include <string>
#include <utility>
#include <vector>

#include "protected-path/base/geometry.h"
#include "tests/board/common/machine_facts.h"
#include "tests/board/plane-bench/metric.h"

namespace vitrine::bench {

/** One repetition's samples, in the metric's unit and in the order of measurement. */
using Samples = std::vector<double>;

/** A metric under one condition. */
struct Series {
  std::string metric; ///< name of a Metric
  /** Name and value, in the order in which they are written: planes=2, outcome=accepted, buffers=protected. */
  std::vector<std::pair<std::string, std::string>> conditions;
  std::vector<Samples> repetitions;
  std::string unavailable; ///< why there are no samples; empty where there are

  /** `test-only planes=2 outcome=accepted`: unique within a run, and how limits and comparisons find a series. */
  [[nodiscard]] std::string name() const;
  /** The conditions alone: `planes=2 outcome=accepted`; empty without any. */
  [[nodiscard]] std::string conditionText() const;
  /** The samples of all repetitions. */
  [[nodiscard]] Samples all() const;
};

/** The KMS device and the output on which a run was made. */
struct Target {
  std::string node; ///< `/dev/dri/card0`
  std::string driver;
  std::string driverVersion; ///< `1.0.0`, as DRM_IOCTL_VERSION has it
  unsigned primaries = 0;    ///< planes that this output can use, by type
  unsigned overlays = 0;
  unsigned cursors = 0;
  bool modifiers = false; ///< DRM_CAP_ADDFB2_MODIFIERS
  std::string connector;  ///< `eDP-1`
  Size size;
  uint32_t refreshMilliHertz = 0;
  std::string protectedHeap; ///< the heap of protected buffers; empty where there is none

  bool operator==(const Target&) const = default;
};

/** How much was measured; runs with different settings are not comparable. */
struct Settings {
  unsigned repetitions = 9;
  unsigned samples = 100; ///< per repetition and series
  bool quick = false;

  bool operator==(const Settings&) const = default;
};

/** All of one run: what is written by --json and read by `compare`. */
struct BenchRun {
  std::string program; ///< version of vitrine-plane-bench
  std::string started; ///< UTC, ISO 8601
  double seconds = 0;
  bool complete = false;          ///< false where a signal or an error ended it early
  std::string endedBy;            ///< why it is not complete
  std::vector<std::string> notes; ///< what went wrong in single repetitions of series that have others
  MachineFacts machine;
  Target target;
  Settings settings;
  std::vector<Series> series;

  [[nodiscard]] const Series* find(std::string_view name) const;
};

} // namespace vitrine::bench
