#pragma once

#include <string>
#include <vector>

#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/**
 * One row of a metric's plot as inline SVG; all rows of a metric share an axis.
 *
 * A series with more than one sample per repetition is a histogram with its median as a line, its 95th percentile as a
 * dashed one, and each repetition's median as a dot below; other series are a bar up to their median, with a dot per
 * repetition.
 */
class PlotAxis {
public:
  static constexpr double width = 460;

  /** Spans all samples of `group` but for rare large ones, which all are in its last step: the table has the maximum. */
  explicit PlotAxis(const std::vector<const Series*>& group);

  /** The scale: a few round numbers. */
  [[nodiscard]] std::string scaleSvg() const;
  [[nodiscard]] std::string rowSvg(const Series& series) const;

private:
  [[nodiscard]] double place(double value) const;
  [[nodiscard]] std::string histogram(const Samples& all) const;
  [[nodiscard]] std::string dots(const Series& series) const;
  double low_ = 0;
  double high_ = 1;
  double step_ = 1;
};

} // namespace vitrine::bench
