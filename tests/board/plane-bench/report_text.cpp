#include <algorithm>
#include <cmath>
#include <format>

#include "tests/board/plane-bench/capability_map.h"
#include "tests/board/plane-bench/comparison.h"
#include "tests/board/plane-bench/report.h"
#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {
namespace {

constexpr size_t numberWidth = 10;

/** Digits after the point that a metric's numbers need, the same for all of them so that columns line up. */
int decimalsFor(const std::vector<const Series*>& group) {
  double largest = 0;
  bool whole = true;
  for (const Series* series : group) {
    for (const double value : series->all()) {
      largest = std::max(largest, std::abs(value));
      whole = whole && value == static_cast<double>(static_cast<int64_t>(value));
    }
  }
  return whole ? 0 : largest < 1 ? 3 : largest < 100 ? 2 : largest < 10'000 ? 1 : 0;
}

std::string numberCells(const Summary& summary, bool single, int decimals) {
  const auto cell = [decimals](double value) { return std::format("{:>{}.{}f}", value, numberWidth, decimals); };
  if (single) return cell(summary.p50);
  return cell(summary.p50) + cell(summary.p95) + cell(summary.p99) + cell(summary.maximum);
}

std::string groupText(const Metric& metric, const std::vector<const Series*>& group, size_t labelWidth) {
  const int decimals = decimalsFor(group);
  std::string text = std::format("\n{} ({})\n", metric.title, metric.unit);
  for (const Series* series : group) {
    const Summary summary = summarize(series->all());
    const std::string label = series->conditions.empty() ? "all" : series->conditionText();
    text += std::format("  {:<{}}", label, labelWidth) +
            numberCells(summary, summary.minimum == summary.maximum, decimals) + "\n";
  }
  return text;
}

std::string mapText(const CapabilityMap& map) {
  std::string text = std::format("\nPlanes at once: {}\n  {:<24}", map.caption, "");
  for (const std::string& column : map.columns)
    text += std::format("{:>14}", column);
  text += "\n";
  for (const CapabilityMap::Row& row : map.rows) {
    text += std::format("  {:<24}", row.label);
    for (const std::string& cell : row.cells)
      text += std::format("{:>14}", cell);
    text += "\n";
  }
  return text;
}

/** Protected against ordinary buffers, where both were measured. */
std::string kindsText(const BenchRun& run) {
  const Comparison comparison = compareBufferKinds(run);
  if (comparison.findings.empty()) return {};
  std::string text = "\nProtected buffers against ordinary ones\n";
  for (const Finding& finding : comparison.findings) {
    if (finding.outcome == Outcome::NoChange || finding.outcome == Outcome::Undecidable) continue;
    text += std::format("  {}{}: {}\n", finding.series, finding.statistic.empty() ? "" : " (" + finding.statistic + ")",
                        finding.words());
  }
  text += std::format("  no change in {} of {} comparisons\n", comparison.count(Outcome::NoChange),
                      comparison.findings.size());
  if (const size_t unknown = comparison.count(Outcome::Undecidable); unknown != 0)
    text += std::format("  {} cannot be told with so few repetitions\n", unknown);
  return text;
}

} // namespace

std::string targetText(const Target& target) {
  return std::format("{} on {}, {}x{} at {:.3f} Hz", target.driver, target.connector, target.size.width,
                     target.size.height, target.refreshMilliHertz / 1000.0);
}

std::string runToText(const BenchRun& run) {
  size_t labelWidth = 30;
  for (const Series& series : run.series) {
    if (series.unavailable.empty() && series.metric != "planes-at-once")
      labelWidth = std::max(labelWidth, series.conditionText().size());
  }
  std::string text = std::format("{}, kernel {}\n{} repetitions of {} samples in {:.0f} s\n", targetText(run.target),
                                 run.machine.kernel, run.settings.repetitions, run.settings.samples, run.seconds);
  if (!run.complete) text += std::format("Not complete: {}\n", run.endedBy);
  text += std::format("\n  {:<{}}", "", labelWidth);
  for (const char* head : {"p50", "p95", "p99", "max"})
    text += std::format("{:>{}}", head, numberWidth);
  text += "\n";
  std::string absent;
  for (const Metric& metric : allMetrics()) {
    std::vector<const Series*> group;
    for (const Series& series : run.series) {
      if (series.metric != metric.name) continue;
      if (series.unavailable.empty())
        group.push_back(&series);
      else
        absent += std::format("  {}: {}\n", series.name(), series.unavailable);
    }
    if (!group.empty() && std::string_view(metric.name) != "planes-at-once")
      text += groupText(metric, group, labelWidth);
  }
  for (const CapabilityMap& map : capabilityMaps(run))
    text += mapText(map);
  text += kindsText(run);
  if (!absent.empty()) text += "\nNot measured\n" + absent;
  for (const std::string& note : run.notes)
    text += "Note: " + note + "\n";
  return text;
}

} // namespace vitrine::bench
