#include <algorithm>
#include <cstdlib>
#include <format>

#include "tests/board/common/html_page.h"
#include "tests/board/plane-bench/capability_map.h"
#include "tests/board/plane-bench/comparison.h"
#include "tests/board/plane-bench/number_text.h"
#include "tests/board/plane-bench/plot.h"
#include "tests/board/plane-bench/report.h"
#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {
namespace {

/** On top of the style that all reports share. */
constexpr std::string_view style = R"(
details { margin-bottom: .6rem; } summary { color: var(--grey); font-size: .87rem; cursor: pointer; }
.plots td { padding: .1rem .9rem .1rem 0; vertical-align: middle; } .plots td:first-child { white-space: nowrap; } .plots th { vertical-align: bottom; white-space: nowrap; }
.map td, .map th { padding: .15rem .9rem; } .map td:first-child, .map th:first-child { padding-left: 0; }
.map td:not(:first-child), .map th:not(:first-child) { text-align: center; }
.map td:not(:first-child) { background: color-mix(in srgb, var(--a) calc(var(--share) * .45), transparent); }
)";

std::string fact(const char* name, const std::string& value) {
  return value.empty() ? "" : std::format("<dt>{}</dt><dd>{}</dd>\n", name, escapeHtml(value));
}

std::string facts(const BenchRun& run) {
  const MachineFacts& machine = run.machine;
  const Target& target = run.target;
  std::string compatible;
  for (const std::string& each : machine.compatible)
    compatible += (compatible.empty() ? "" : ", ") + each;
  return "<dl class=\"facts\">\n" + fact("Machine", machine.model) + fact("Compatible", compatible) +
         fact("Processor", std::format("{} × {}, {}{}", machine.cpus, machine.cpu.empty() ? "processors" : machine.cpu,
                                       machine.architecture,
                                       machine.cpuGovernor.empty() ? "" : ", governor " + machine.cpuGovernor)) +
         fact("Kernel", machine.kernel + " " + machine.kernelBuild) +
         fact("Display", std::format("{} ({} {})", target.node, target.driver, target.driverVersion)) +
         fact("Output", targetText(target)) +
         fact("Planes",
              std::format("{} primary, {} overlay, {} cursor", target.primaries, target.overlays, target.cursors)) +
         fact("Protected heap", target.protectedHeap.empty() ? "none" : target.protectedHeap) +
         fact("Measured",
              std::format("{}, {} repetitions of {} samples in {:.0f} s, by vitrine-plane-bench {}", run.started,
                          run.settings.repetitions, run.settings.samples, run.seconds, run.program)) +
         "</dl>\n";
}

std::string row(const Series& series, const PlotAxis& axis) {
  const Summary summary = summarize(series.all());
  std::string html = std::format("<tr><td>{}</td><td>{}</td>", escapeHtml(series.conditionText()), axis.rowSvg(series));
  for (const double value : {summary.p50, summary.p95, summary.p99, summary.maximum})
    html += std::format("<td class=\"number\">{}</td>", numberText(value));
  return html + std::format("<td class=\"number note\">{}</td></tr>\n", summary.count);
}

/** Cells are shaded by how many planes there are, so that the edge of what works can be seen. */
std::string mapTable(const CapabilityMap& map) {
  int most = 1;
  for (const CapabilityMap::Row& row : map.rows) {
    for (const std::string& cell : row.cells)
      most = std::max(most, std::atoi(cell.c_str()));
  }
  std::string html = std::format("<table class=\"map\"><tr><th>{}</th>", escapeHtml(map.caption));
  for (const std::string& column : map.columns)
    html += std::format("<th>{}</th>", escapeHtml(column));
  html += "</tr>\n";
  for (const CapabilityMap::Row& row : map.rows) {
    html += std::format("<tr><td>{}</td>", escapeHtml(row.label));
    for (const std::string& cell : row.cells) {
      html += std::format("<td style=\"--share: {}%\">{}</td>",
                          100 * (std::atoi(cell.c_str()) - 1) / std::max(1, most - 1), cell);
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

/** Protected against ordinary buffers, where both were measured. */
std::string kindsSection(const BenchRun& run) {
  const Comparison comparison = compareBufferKinds(run);
  if (comparison.findings.empty()) return {};
  std::string html =
      std::format("<h2>Protected buffers against ordinary ones</h2>\n<p>No change in {} of {} comparisons.</p>\n",
                  comparison.count(Outcome::NoChange), comparison.findings.size());
  std::string rows;
  for (const Finding& finding : comparison.findings) {
    if (finding.outcome == Outcome::NoChange) continue;
    const bool bad = finding.outcome == Outcome::Worse || finding.outcome == Outcome::OnlyInA;
    rows +=
        std::format("<tr><td>{} {}</td><td class=\"{}\">{}</td></tr>\n", escapeHtml(finding.series), finding.statistic,
                    bad                                       ? "bad"
                    : finding.outcome == Outcome::Undecidable ? "unsure"
                                                              : "ok",
                    escapeHtml(finding.words()));
  }
  return rows.empty() ? html : html + "<table>\n" + rows + "</table>\n";
}

std::string section(const BenchRun& run, const Metric& metric, const std::vector<const Series*>& group) {
  std::string html = std::format("<h2 id=\"{0}\">{1}</h2>\n<p><code>{0}</code>: {2}; {3} is better.</p>\n"
                                 "<details><summary>What is measured</summary><p class=\"note\">{4}</p></details>\n",
                                 metric.name, escapeHtml(metric.title), escapeHtml(metric.brief),
                                 metric.better == Better::Lower ? "less" : "more", escapeHtml(metric.explanation));
  if (std::string_view(metric.name) == "planes-at-once") {
    for (const CapabilityMap& map : capabilityMaps(run))
      html += mapTable(map);
    return html;
  }
  const PlotAxis axis(group);
  html += std::format(
      "<table class=\"plots\"><tr><th></th><th>{}</th><th class=\"number\">p50</th><th class=\"number\">p95</th>"
      "<th class=\"number\">p99</th><th class=\"number\">max {}</th><th class=\"number\">n</th></tr>\n",
      axis.scaleSvg(), metric.unit);
  for (const Series* series : group)
    html += row(*series, axis);
  return html + "</table>\n";
}

} // namespace

std::string runToHtml(const BenchRun& run) {
  std::string body = facts(run);
  if (!run.complete) body += std::format("<p class=\"bad\">Not complete: {}</p>\n", escapeHtml(run.endedBy));
  body += "<p class=\"note\">Histograms are of all samples. Solid line: median. Dashed line: 95th percentile. Dots: "
          "the median "
          "of each repetition. Rare values beyond the axis are in its last step; the largest is in the table.</p>\n";
  std::string absent;
  for (const Metric& metric : allMetrics()) {
    std::vector<const Series*> group;
    for (const Series& series : run.series) {
      if (series.metric != metric.name) continue;
      if (series.unavailable.empty())
        group.push_back(&series);
      else
        absent +=
            std::format("<tr><td>{}</td><td>{}</td></tr>\n", escapeHtml(series.name()), escapeHtml(series.unavailable));
    }
    if (!group.empty()) body += section(run, metric, group);
  }
  body += kindsSection(run);
  for (const std::string& note : run.notes)
    body += std::format("<p class=\"unsure\">{}</p>\n", escapeHtml(note));
  if (!absent.empty()) body += "<h2>Not measured</h2>\n<table>\n" + absent + "</table>\n";
  return htmlPage("Planes of " + targetText(run.target), body, style);
}

} // namespace vitrine::bench
