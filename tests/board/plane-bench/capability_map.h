#pragma once

#include <string>
#include <vector>

#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/** `planes-at-once` as a table: a row per format and size, a column per scale and rotation. */
struct CapabilityMap {
  std::string caption; ///< `ordinary buffers`, `protected buffers`, `ordinary and protected buffers alike`
  std::vector<std::string> columns;
  struct Row {
    std::string label;
    std::vector<std::string> cells; ///< a number of planes, or empty where it was not measured
    bool operator==(const Row&) const = default;
  };
  std::vector<Row> rows;
};

/** One per kind of buffer; one for both where they agree. Empty where the run has none. */
[[nodiscard]] std::vector<CapabilityMap> capabilityMaps(const BenchRun& run);

} // namespace vitrine::bench
