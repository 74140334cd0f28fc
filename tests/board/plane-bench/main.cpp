/* vitrine-plane-bench: measures what a display controller's planes really do, and compares such measurements. */
#include <algorithm>
#include <cstdio>
#include <format>

#include <CLI/CLI.hpp>

#include "protected-path/base/log.h"
#include "tests/board/common/exit_status.h"
#include "tests/board/plane-bench/bench_session.h"
#include "tests/board/plane-bench/comparison.h"
#include "tests/board/plane-bench/outputs.h"
#include "tests/board/plane-bench/run_json.h"

namespace vitrine::bench {
namespace {

constexpr unsigned quickSamples = 10;

struct Options {
  SessionOptions session;
  Outputs outputs;
  bool list = false;
  bool quiet = false;
  std::string explain;
  std::string reportOf;
  std::string a;
  std::string b;
  bool expectSame = false;
  bool all = false;
  bool unlike = false;
};

std::string knownMetric(const std::string& name) {
  return findMetric(name) != nullptr ? std::string() : std::format("there is no metric `{}`; --list shows all", name);
}

void addOutputOptions(CLI::App& app, Outputs& outputs) {
  app.add_option("--json", outputs.json,
                 "Write the result to this file, or to stdout (-); `compare` and `report` read it");
  app.add_option("--csv", outputs.csv, "Write every sample, one a line");
  app.add_option("--html", outputs.html, "Write a report with plots, in one file");
  app.add_option("--tap", outputs.limits,
                 "Print TAP, judged by the limits in this file (TOML); status 1 where one is passed")
      ->option_text("LIMITS");
}

void addMeasureOptions(CLI::App& app, Options& options) {
  SessionOptions& session = options.session;
  app.add_option("--device", session.node, "KMS node; default: the first one with a connector")
      ->option_text("/dev/dri/cardN");
  app.add_option("--connector", session.connector,
                 "Connector, as sysfs names it (HDMI-A-1); default: the first connected one");
  app.add_option("--mode", session.mode, "WxH or WxH@HZ; default: the preferred mode");
  app.add_option("--metric", session.task.metrics, "Measure this metric only; may be given several times")
      ->allow_extra_args(false)
      ->check(knownMetric);
  app.add_option("--repetitions", session.task.settings.repetitions, "Repetitions of everything; compare needs 9")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  auto* samples = app.add_option("--samples", session.task.settings.samples, "Samples per repetition")
                      ->check(CLI::Range(2U, 100'000U))
                      ->capture_default_str();
  app.add_flag("--quick", session.task.settings.quick,
               std::format("{} samples per repetition: less than a minute", quickSamples))
      ->excludes(samples);
  app.add_flag("--quiet", options.quiet, "No progress on stderr");
  app.add_flag("--list", options.list, "List the metrics");
  app.add_option("--explain", options.explain, "Say what a metric measures, and how")
      ->check(knownMetric)
      ->option_text("METRIC");
  addOutputOptions(app, options.outputs);
}

CLI::App* addCompareCommand(CLI::App& app, Options& options) {
  auto* compare = app.add_subcommand("compare", "Compare two results; status 1 where the second is worse");
  compare->add_option("A", options.a, "Result before (--json)")->required();
  compare->add_option("B", options.b, "Result after; without it, A's odd repetitions against its even ones");
  compare->add_flag("--expect-same", options.expectSame,
                    "Status 1 where anything changed, for better or worse: checks the comparison itself");
  compare->add_flag("--all", options.all, "Show what has not changed, too");
  compare->add_flag("--unlike", options.unlike, "Compare although machines, modes or settings differ");
  compare->footer("A change is one that is certain (Mann-Whitney U test over the repetitions' percentiles, adjusted by "
                  "Holm over all\n"
                  "of them, below 5 %) and large enough to matter (a threshold per metric).");
  return compare;
}

CLI::App* addReportCommand(CLI::App& app, Options& options) {
  auto* report = app.add_subcommand("report", "Show an earlier result");
  report->add_option("RESULT", options.reportOf, "What --json wrote")->required();
  addOutputOptions(*report, options.outputs);
  return report;
}

int fail(const Error& error) {
  std::fprintf(stderr, "vitrine-plane-bench: %s\n", error.text().c_str());
  if (error.operation == "parse" || error.operation == "read" || error.operation == "write") return ExitMisused;
  return error.kind == ErrorKind::Missing ? ExitNotApplicable : ExitFoundWanting;
}

void printList() {
  for (const Metric& metric : allMetrics())
    std::printf("%-22s %-9s %s\n", metric.name, metric.unit, metric.brief);
}

void explain(const Metric& metric) {
  std::printf("%s: %s (%s, %s is better)\n\n%s\n\n", metric.name, metric.title, metric.unit,
              metric.better == Better::Lower ? "less" : "more", metric.explanation);
  if (metric.exact) {
    std::printf("It is measured once. Any difference between two runs is a change.\n");
  } else {
    std::printf("A change of less than %g %% or %g %s (whichever is more) is called no change.\n",
                metric.relativeThreshold * 100, metric.absoluteThreshold, metric.unit);
  }
}

Result<BenchRun> readRun(const std::string& file) {
  const auto text = readWholeFile(file);
  if (!text) return std::unexpected(text.error());
  return runFromJson(*text, file);
}

int compare(const Options& options) {
  auto a = readRun(options.a);
  if (!a) return fail(a.error());
  Result<BenchRun> b = BenchRun();
  if (options.b.empty()) {
    std::tie(*a, *b) = splitRepetitions(*a);
  } else if (b = readRun(options.b); !b) {
    return fail(b.error());
  }
  const std::vector<std::string> differences = unlikeness(*a, *b);
  if (!differences.empty() && !options.unlike) {
    std::fprintf(stderr,
                 "vitrine-plane-bench: %s and %s cannot be compared (--unlike does it all the same); they differ in\n",
                 options.a.c_str(), options.b.c_str());
    for (const std::string& difference : differences)
      std::fprintf(stderr, "  %s\n", difference.c_str());
    return ExitMisused;
  }
  const Comparison comparison = compareRuns(*a, *b);
  std::fputs(comparisonText(*a, *b, comparison, options.all).c_str(), stdout);
  if (comparison.findings.empty())
    return fail({ErrorKind::Invalid, 0, "compare", options.a, "they have no series in common", {}});
  return (options.expectSame ? comparison.changed() : comparison.regressed()) ? ExitFoundWanting : ExitOk;
}

int finish(const BenchRun& run, const Outputs& outputs) {
  const auto passed = writeOutputs(run, outputs);
  if (!passed) return fail(passed.error());
  if (!run.complete) {
    std::fprintf(stderr, "vitrine-plane-bench: not complete: %s\n", run.endedBy.c_str());
    return ExitFoundWanting;
  }
  return *passed ? ExitOk : ExitFoundWanting;
}

int report(const Options& options) {
  const auto run = readRun(options.reportOf);
  if (!run) return fail(run.error());
  if (auto usable = checkOutputs(options.outputs); !usable) return fail(usable.error());
  return finish(*run, options.outputs);
}

int measureAndReport(Options& options) {
  Settings& settings = options.session.task.settings;
  if (settings.quick) settings.samples = quickSamples;
  options.session.showsProgress = !options.quiet;
  if (auto usable = checkOutputs(options.outputs); !usable) return fail(usable.error());
  const auto run = measure(options.session);
  return run ? finish(*run, options.outputs) : fail(run.error());
}

} // namespace
} // namespace vitrine::bench

int main(int argc, char** argv) {
  using namespace vitrine;
  bench::Options options;
  CLI::App app(
      "Measures what a display controller's planes really do, as DRM master on any KMS device, and compares such\n"
      "measurements between kernels, drivers and boards. What was on the screen before comes back at the end.",
      "vitrine-plane-bench");
  app.set_version_flag("--version", "vitrine-plane-bench " VITRINE_VERSION);
  bench::addMeasureOptions(app, options);
  CLI::App* compare = bench::addCompareCommand(app, options);
  CLI::App* report = bench::addReportCommand(app, options);
  app.require_subcommand(0, 1);
  app.footer("Status: 0 measured (compared: not worse), 1 worse, outside of limits, or ended early, 2 misused,\n"
             "77 this machine has no KMS device or no such output.");
  try { // CLI11 throws
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  if (auto quiet = setLogLevels("error"); !quiet) return ExitMisused;
  if (options.list) return bench::printList(), ExitOk;
  if (!options.explain.empty()) return bench::explain(*bench::findMetric(options.explain)), ExitOk;
  if (compare->parsed()) return bench::compare(options);
  if (report->parsed()) return bench::report(options);
  return bench::measureAndReport(options);
}
