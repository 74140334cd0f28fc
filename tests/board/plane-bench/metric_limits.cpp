#include "tests/board/plane-bench/metric_limits.h"

#include <format>

#include "protected-path/base/toml.h"
#include "tests/board/plane-bench/number_text.h"
#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {
namespace {

/** Null for a name that is no statistic. */
const double* statisticOf(const Summary& summary, std::string_view name) {
  if (name == "minimum") return &summary.minimum;
  if (name == "p50") return &summary.p50;
  if (name == "p95") return &summary.p95;
  if (name == "p99") return &summary.p99;
  return name == "maximum" ? &summary.maximum : nullptr;
}

std::string_view metricOf(std::string_view series) {
  return series.substr(0, series.find(' '));
}

Result<> addLimits(std::vector<Limit>& limits, std::string_view series, const toml::table& table,
                   const std::string& file) {
  for (const auto& [key, node] : table) {
    const auto place = std::format("{}, line {}", file, node.source().begin.line);
    if (statisticOf({}, key.str()) == nullptr) {
      return invalid("read", place,
                     std::format("`{}` is no statistic; there are minimum, p50, p95, p99, maximum", key.str()));
    }
    const auto value = node.value<double>();
    if (!value) return invalid("read", place, std::format("`{}` has to be a number", key.str()));
    limits.push_back({std::string(series), std::string(key.str()), *value});
  }
  return {};
}

/** One line of the answer, without `ok`. */
std::string describe(const Limit& limit, const Series& series, const Metric& metric, double value) {
  return std::format("{} {} is {} {}, limit {} {}", series.name(), limit.statistic, numberText(value), metric.unit,
                     metric.better == Better::Lower ? "at most" : "at least", numberText(limit.value));
}

} // namespace

Result<std::vector<Limit>> parseLimits(std::string_view text, const std::string& file) {
  const auto parsed = parseToml("read", text, file);
  if (!parsed) return std::unexpected(parsed.error());
  std::vector<Limit> limits;
  for (const auto& [name, node] : *parsed) {
    const auto place = std::format("{}, line {}", file, node.source().begin.line);
    if (findMetric(metricOf(name.str())) == nullptr)
      return invalid("read", place, std::format("there is no metric `{}`", metricOf(name.str())),
                     "--list shows all metrics");
    if (!node.is_table())
      return invalid("read", place, std::format("`{}` has to be a table of statistics", name.str()));
    if (auto added = addLimits(limits, name.str(), *node.as_table(), file); !added)
      return std::unexpected(added.error());
  }
  return limits;
}

LimitReport judgeLimits(const BenchRun& run, const std::vector<Limit>& limits) {
  std::vector<std::string> lines;
  LimitReport report;
  report.passed = !limits.empty();
  const auto say = [&](bool ok, const std::string& what) {
    report.passed = report.passed && ok;
    lines.push_back(std::format("{} {} - {}\n", ok ? "ok" : "not ok", lines.size() + 1, what));
  };
  for (const Limit& limit : limits) {
    const Metric* metric = findMetric(metricOf(limit.series));
    bool found = false;
    std::string reason = "the run has no such series";
    for (const Series& series : run.series) {
      if (series.name() != limit.series && series.metric != limit.series) continue;
      if (!series.unavailable.empty()) {
        reason = series.unavailable;
        continue;
      }
      found = true;
      const Summary summary = summarize(series.all());
      const double value = *statisticOf(summary, limit.statistic);
      say(metric->better == Better::Lower ? value <= limit.value : value >= limit.value,
          describe(limit, series, *metric, value));
    }
    if (!found) say(false, std::format("{} {} has no value: {}", limit.series, limit.statistic, reason));
  }
  report.tap = std::format("TAP version 14\n1..{}\n", lines.size());
  for (const std::string& line : lines)
    report.tap += line;
  return report;
}

} // namespace vitrine::bench
