#include <gtest/gtest.h>

#include <random>

#include <nlohmann/json.hpp>

#include "tests/board/plane-bench/capability_map.h"
#include "tests/board/plane-bench/comparison.h"
#include "tests/board/plane-bench/drm_master.h"
#include "tests/board/plane-bench/metric_limits.h"
#include "tests/board/plane-bench/report.h"
#include "tests/board/plane-bench/run_json.h"

namespace vitrine::bench {
namespace {

/** Repetitions around `center`, all a little different, of `samples` samples each. */
Series makeSeries(std::string metric, std::vector<std::pair<std::string, std::string>> conditions, double center,
                  size_t repetitions = 9, size_t samples = 30) {
  Series series{std::move(metric), std::move(conditions), {}, {}};
  for (size_t repetition = 0; repetition < repetitions; ++repetition) {
    Samples values;
    for (size_t i = 0; i < samples; ++i) {
      const auto wave = static_cast<double>((i * 7 + repetition * 3) % 11) - 5;
      values.push_back(center * (1 + 0.01 * wave + 0.002 * static_cast<double>(repetition)));
    }
    series.repetitions.push_back(std::move(values));
  }
  return series;
}

BenchRun makeRun() {
  BenchRun run;
  run.program = "0.1.0";
  run.started = "2026-11-27T20:00:00Z";
  run.seconds = 12.5;
  run.complete = true;
  run.machine.kernel = "6.18.3";
  run.machine.kernelBuild = "#1 SMP";
  run.machine.architecture = "aarch64";
  run.machine.model = "A Board";
  run.machine.compatible = {"vendor,board", "vendor,soc"};
  run.machine.cpus = 4;
  run.machine.cpuGovernor = "performance";
  run.machine.clockSource = "arch_sys_counter";
  run.target = {"/dev/dri/card0",        "vkms", "1.0.0", 1, 3, 1, true, "Virtual-1", {1280, 720}, 60000,
                "protected,secure-video"};
  run.settings = {9, 30, false};
  run.series = {makeSeries("test-only", {{"planes", "1"}, {"outcome", "accepted"}}, 60),
                makeSeries("test-only", {{"planes", "2"}, {"outcome", "accepted"}}, 90),
                makeSeries("commit-to-flip", {}, 12'000), makeSeries("planes-at-once", {{"format", "NV12"}}, 4, 9, 1)};
  run.series.push_back({"cursor-move", {}, {}, "the output has no cursor plane"});
  for (Samples& samples : run.series[3].repetitions)
    samples = {4};
  return run;
}

/** `run` with every sample of one series multiplied. */
BenchRun scaled(BenchRun run, std::string_view series, double factor) {
  for (Series& each : run.series) {
    if (each.name() != series) continue;
    for (Samples& samples : each.repetitions) {
      for (double& sample : samples)
        sample *= factor;
    }
  }
  return run;
}

const Finding& findingOf(const Comparison& comparison, std::string_view series, std::string_view statistic = "p50") {
  for (const Finding& finding : comparison.findings) {
    if (finding.series == series && (finding.statistic.empty() || finding.statistic == statistic)) return finding;
  }
  throw std::runtime_error("no finding of " + std::string(series));
}

std::string errorOf(const std::string& text) {
  const auto run = runFromJson(text, "a.json");
  return run ? "" : run.error().text();
}

TEST(RunJson, ComesBackAsItWas) {
  const BenchRun run = makeRun();
  const auto read = runFromJson(runToJson(run), "a.json");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->program, run.program);
  EXPECT_EQ(read->seconds, run.seconds);
  EXPECT_TRUE(read->complete);
  EXPECT_EQ(read->machine.kernel, "6.18.3");
  EXPECT_EQ(read->machine.compatible, run.machine.compatible);
  EXPECT_EQ(read->target, run.target);
  EXPECT_EQ(read->settings, run.settings);
  ASSERT_EQ(read->series.size(), run.series.size());
  EXPECT_EQ(read->series[1].name(), "test-only planes=2 outcome=accepted");
  EXPECT_NEAR(read->series[2].repetitions[8][29], run.series[2].repetitions[8][29], 0.0005);
  EXPECT_EQ(read->series[4].unavailable, "the output has no cursor plane");
  EXPECT_EQ(runToJson(*read), runToJson(run));
}

TEST(RunJson, HasASummaryPerSeries) {
  const auto json = nlohmann::json::parse(runToJson(makeRun()));
  EXPECT_EQ(json["series"][3]["summary"]["p50"], 4);
  EXPECT_EQ(json["series"][3]["summary"]["count"], 9);
  EXPECT_EQ(json["series"][3]["better"], "higher");
  EXPECT_FALSE(json["series"][4].contains("summary"));
}

TEST(RunJson, ReplacesWhatIsNoUtf8) {
  BenchRun run = makeRun();
  run.target.driver = "v\xffms";
  EXPECT_TRUE(runFromJson(runToJson(run), "a.json"));
}

TEST(RunJson, NamesWhatIsWrongWithAFile) {
  EXPECT_EQ(errorOf("[]"), "read a.json: it is no result of vitrine-plane-bench (`schema` is not vitrine-plane-bench)");
  EXPECT_EQ(
      errorOf(R"({"schema": "vitrine-plane-bench", "schema_version": 7})"),
      "read a.json: its schema_version is 7, and this program reads 1; compare it with the program that wrote it");
  EXPECT_NE(errorOf("{").find("parse error"), std::string::npos);
  EXPECT_NE(errorOf(R"({"schema": "vitrine-plane-bench", "schema_version": 1})").find("program_version"),
            std::string::npos);
  EXPECT_NE(errorOf(R"({"schema": 3})").find("type"), std::string::npos);
}

TEST(RunCsv, HasALinePerSample) {
  BenchRun run = makeRun();
  run.series = {makeSeries("test-only", {{"planes", "1"}, {"outcome", "accepted"}}, 60, 2, 2)};
  EXPECT_EQ(runToCsv(run), "metric,conditions,repetition,index,value,unit\n"
                           "test-only,planes=1 outcome=accepted,1,1,57.000,µs\n"
                           "test-only,planes=1 outcome=accepted,1,2,61.200,µs\n"
                           "test-only,planes=1 outcome=accepted,2,1,58.920,µs\n"
                           "test-only,planes=1 outcome=accepted,2,2,63.120,µs\n");
}

TEST(Comparison, FindsNoChangeInARunAndItself) {
  const BenchRun run = makeRun();
  const Comparison comparison = compareRuns(run, run);
  EXPECT_EQ(comparison.findings.size(), 7U); // p50 of four series, p95 of the three with 30 samples
  EXPECT_FALSE(comparison.changed());
  EXPECT_EQ(comparison.count(Outcome::Undecidable), 0U);
  EXPECT_NE(comparisonText(run, run, comparison, false).find("No change in 7 comparisons.\n"), std::string::npos);
}

TEST(Comparison, FindsWhatIsWorseAndNothingElse) {
  const BenchRun run = makeRun();
  const std::string slow = "test-only planes=2 outcome=accepted";
  const Comparison comparison = compareRuns(run, scaled(run, slow, 1.3));
  EXPECT_TRUE(comparison.regressed());
  EXPECT_EQ(comparison.count(Outcome::Worse), 2U);
  EXPECT_EQ(comparison.count(Outcome::NoChange), 5U);
  const Finding& finding = findingOf(comparison, slow);
  EXPECT_EQ(finding.outcome, Outcome::Worse);
  EXPECT_NEAR(finding.shift.estimate, 0.3 * finding.medianA, 0.02 * finding.medianA);
  EXPECT_EQ(finding.words().substr(0, 9), "worse by ");
  EXPECT_EQ(finding.words().back(), '%');
}

TEST(Comparison, KnowsWhichDirectionIsBetter) {
  const BenchRun run = makeRun();
  EXPECT_EQ(findingOf(compareRuns(run, scaled(run, "commit-to-flip", 0.5)), "commit-to-flip").outcome, Outcome::Better);
  const Comparison fewer = compareRuns(run, scaled(run, "planes-at-once format=NV12", 0.75));
  EXPECT_EQ(findingOf(fewer, "planes-at-once format=NV12").words(), "worse by 1 planes");
  EXPECT_FALSE(compareRuns(run, scaled(run, "planes-at-once format=NV12", 1.25)).regressed());
}

TEST(Comparison, SaysNeverThatMoreThanAllIsGone) {
  BenchRun noisy = makeRun();
  for (size_t i = 0; i < 9; ++i) // medians from one to three times the smallest
    noisy.series[2].repetitions[i] = Samples(30, 1000.0 + 250.0 * static_cast<double>(i));
  const Comparison comparison = compareRuns(noisy, scaled(noisy, "commit-to-flip", 0.02));
  const std::string words = findingOf(comparison, "commit-to-flip").words();
  EXPECT_EQ(words.substr(0, 10), "better by ");
  EXPECT_EQ(words.substr(words.find(" to ")), " to 100 %");
}

TEST(Comparison, CallsASmallDifferenceNoChange) {
  const BenchRun run = makeRun();
  // 4 % is certain here, and below the metric's threshold of 10 %.
  const Comparison comparison = compareRuns(run, scaled(run, "commit-to-flip", 1.04));
  EXPECT_LT(findingOf(comparison, "commit-to-flip").probability, 0.05);
  EXPECT_FALSE(comparison.changed());
}

TEST(Comparison, SaysWhereRepetitionsAreTooFew) {
  BenchRun run = makeRun();
  for (Series& series : run.series)
    series.repetitions.resize(std::min<size_t>(series.repetitions.size(), 3));
  const Comparison comparison = compareRuns(run, scaled(run, "commit-to-flip", 3));
  EXPECT_EQ(comparison.count(Outcome::Undecidable), 6U); // planes at once are compared as they are
  EXPECT_FALSE(comparison.changed());
  EXPECT_NE(comparisonText(run, run, comparison, false).find("6 cannot be told with so few repetitions"),
            std::string::npos);
}

TEST(Comparison, ReportsWhatIsNoLongerPossible) {
  const BenchRun run = makeRun();
  BenchRun lesser = run;
  lesser.series[3].repetitions.clear();
  lesser.series[3].unavailable = "TEST_ONLY: EINVAL (22)";
  const Comparison comparison = compareRuns(run, lesser);
  EXPECT_TRUE(comparison.regressed());
  EXPECT_EQ(findingOf(comparison, "planes-at-once format=NV12").words(), "no longer possible: TEST_ONLY: EINVAL (22)");
  const Comparison back = compareRuns(lesser, run);
  EXPECT_FALSE(back.regressed());
  EXPECT_EQ(findingOf(back, "planes-at-once format=NV12").words(), "now possible; A: TEST_ONLY: EINVAL (22)");
}

TEST(Comparison, AdjustsForTheNumberOfComparisons) {
  // Of 60 comparisons of equal things about three are below 5 % by chance; adjusted, none may be.
  std::mt19937 random(3); // NOLINT: repeatable on purpose
  std::lognormal_distribution<double> latency(4, 0.3);
  BenchRun a = makeRun();
  a.series.clear();
  BenchRun b = a;
  size_t unadjusted = 0;
  for (int i = 0; i < 60; ++i) {
    for (BenchRun* run : {&a, &b}) {
      run->series.push_back({"addfb2", {{"format", std::to_string(i)}}, {}, {}});
      for (int repetition = 0; repetition < 9; ++repetition)
        run->series.back().repetitions.push_back({latency(random)});
    }
    unadjusted += mannWhitney(a.series.back().all(), b.series.back().all()).probability < 0.05 ? 1 : 0;
  }
  EXPECT_GT(unadjusted, 0U) << "there is nothing to adjust";
  EXPECT_FALSE(compareRuns(a, b).changed());
}

TEST(Comparison, ComparesWhatIsNoTimeAsItIs) {
  BenchRun run = makeRun();
  run.series = {{"planes-at-once", {{"format", "NV12"}}, {{4}}, {}}};
  EXPECT_FALSE(compareRuns(run, run).changed());
  const Comparison fewer = compareRuns(run, scaled(run, "planes-at-once format=NV12", 0.75));
  ASSERT_EQ(fewer.findings.size(), 1U);
  EXPECT_EQ(fewer.findings[0].outcome, Outcome::Worse);
  EXPECT_EQ(fewer.findings[0].words(), "worse by 1 planes");
}

TEST(Comparison, RefusesUnlikeMachines) {
  const BenchRun run = makeRun();
  EXPECT_TRUE(unlikeness(run, run).empty());
  BenchRun other = run;
  other.machine.kernel = "7.0"; // is what one compares
  EXPECT_TRUE(unlikeness(run, other).empty());
  other.target.size = {1920, 1080};
  other.machine.compatible = {"vendor,other"};
  other.settings.samples = 10;
  EXPECT_EQ(unlikeness(run, other), (std::vector<std::string>{"compatible: vendor,board vendor,soc and vendor,other",
                                                              "mode: 1280x720@60.000 and 1920x1080@60.000",
                                                              "samples per repetition: 30 and 10"}));
}

TEST(Comparison, SplitsARunIntoInterleavedHalves) {
  const auto [odd, even] = splitRepetitions(makeRun());
  EXPECT_EQ(odd.series[0].repetitions.size(), 5U);
  EXPECT_EQ(even.series[0].repetitions.size(), 4U);
  EXPECT_EQ(even.series[0].repetitions[1], makeRun().series[0].repetitions[3]);
  EXPECT_EQ(even.series[3].repetitions, makeRun().series[3].repetitions) << "what is no time is in both";
  EXPECT_FALSE(compareRuns(odd, even).changed());
}

TEST(Comparison, ComparesProtectedBuffersWithOrdinaryOnes) {
  EXPECT_TRUE(compareBufferKinds(makeRun()).findings.empty());
  BenchRun run = makeRun();
  run.series = {makeSeries("addfb2", {{"format", "NV12"}, {"buffers", "ordinary"}}, 100),
                makeSeries("addfb2", {{"format", "NV12"}, {"buffers", "protected"}}, 150),
                makeSeries("rmfb", {{"format", "NV12"}, {"buffers", "ordinary"}}, 100),
                makeSeries("rmfb", {{"format", "NV12"}, {"buffers", "protected"}}, 100),
                makeSeries("commit-to-flip", {}, 12'000)};
  const Comparison comparison = compareBufferKinds(run);
  EXPECT_EQ(comparison.findings.size(), 4U);
  EXPECT_EQ(findingOf(comparison, "addfb2 format=NV12").outcome, Outcome::Worse);
  EXPECT_EQ(findingOf(comparison, "rmfb format=NV12").outcome, Outcome::NoChange);
}

TEST(CapabilityMap, HasARowPerSizeAndAColumnPerTransformation) {
  BenchRun run = makeRun();
  run.series.clear();
  const auto add = [&run](const char* size, const char* scale, const char* rotation, const char* kind, double planes) {
    run.series.push_back(
        {"planes-at-once",
         {{"format", "NV12"}, {"size", size}, {"scale", scale}, {"rotation", rotation}, {"buffers", kind}},
         {{planes}},
         {}});
  };
  for (const char* kind : {"ordinary", "protected"}) {
    add("64x64", "1", "0", kind, 5);
    add("64x64", "1/2", "0", kind, 1);
    add("640x352", "1", "90", kind, 3);
  }
  const auto maps = capabilityMaps(run);
  ASSERT_EQ(maps.size(), 1U);
  EXPECT_EQ(maps[0].caption, "ordinary and protected buffers alike");
  EXPECT_EQ(maps[0].columns, (std::vector<std::string>{"as it is", "scale 1/2", "rotation 90"}));
  ASSERT_EQ(maps[0].rows.size(), 2U);
  EXPECT_EQ(maps[0].rows[0], (CapabilityMap::Row{"NV12 64x64", {"5", "1"}}));
  EXPECT_EQ(maps[0].rows[1], (CapabilityMap::Row{"NV12 640x352", {"", "", "3"}}));
  run.series.back().repetitions = {{2}};
  EXPECT_EQ(capabilityMaps(run).size(), 2U);
}

TEST(DrmClients, AreReadFromDebugfs) {
  // As Linux 6.18 prints it, with a command of two words.
  const auto clients = parseDrmClients(
      "             command  tgid dev master a   uid      magic                                             name\n"
      "      systemd-logind   512   0   y    y     0          0                                             <unset>\n"
      "         Web Content  2034   0   n    n  1000          0                                             <unset>\n");
  ASSERT_EQ(clients.size(), 2U);
  EXPECT_EQ(clients[0].command, "systemd-logind");
  EXPECT_EQ(clients[0].pid, 512);
  EXPECT_TRUE(clients[0].master);
  EXPECT_EQ(clients[1].command, "Web Content");
  EXPECT_EQ(clients[1].pid, 2034);
  EXPECT_FALSE(clients[1].master);
  EXPECT_TRUE(parseDrmClients("nonsense\n").empty());
}

TEST(Limits, AreJudgedInTheMetricsDirection) {
  const auto limits = parseLimits(R"(
["commit-to-flip"]
p99 = 20000
p50 = 100
["planes-at-once format=NV12"]
p50 = 4
minimum = 5
["test-only"]
maximum = 1000
["cursor-move"]
p50 = 1
)",
                                  "limits.toml");
  ASSERT_TRUE(limits) << limits.error().text();
  const LimitReport report = judgeLimits(makeRun(), *limits);
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.tap, "TAP version 14\n"
                        "1..7\n"
                        "not ok 1 - commit-to-flip p50 is 12096 µs, limit at most 100\n"
                        "ok 2 - commit-to-flip p99 is 12768 µs, limit at most 20000\n"
                        "not ok 3 - cursor-move p50 has no value: the output has no cursor plane\n"
                        "not ok 4 - planes-at-once format=NV12 minimum is 4 planes, limit at least 5\n"
                        "ok 5 - planes-at-once format=NV12 p50 is 4 planes, limit at least 4\n"
                        "ok 6 - test-only planes=1 outcome=accepted maximum is 64 µs, limit at most 1000\n"
                        "ok 7 - test-only planes=2 outcome=accepted maximum is 95.9 µs, limit at most 1000\n");
}

TEST(Limits, NameWhatIsWrongWithAFile) {
  const auto errorIn = [](const char* text) {
    const auto limits = parseLimits(text, "l.toml");
    return limits ? "" : limits.error().text();
  };
  EXPECT_EQ(errorIn("[nonsense]\np50 = 1\n"),
            "read l.toml, line 1: there is no metric `nonsense`; --list shows all metrics");
  EXPECT_EQ(errorIn("[rmfb]\np42 = 1\n"),
            "read l.toml, line 2: `p42` is no statistic; there are minimum, p50, p95, p99, maximum");
  EXPECT_EQ(errorIn("[rmfb]\np50 = \"x\"\n"), "read l.toml, line 2: `p50` has to be a number");
  EXPECT_EQ(errorIn("rmfb = 1\n"), "read l.toml, line 1: `rmfb` has to be a table of statistics");
  EXPECT_EQ(errorIn("[rmfb\n").substr(0, 14), "read l.toml:1:");
  EXPECT_FALSE(judgeLimits(makeRun(), {}).passed) << "a file without limits judges nothing";
}

TEST(Report, ShowsEachSeriesAndWhatWasNotMeasured) {
  const std::string text = runToText(makeRun());
  EXPECT_EQ(text.substr(0, text.find('\n')), "vkms on Virtual-1, 1280x720 at 60.000 Hz, kernel 6.18.3");
  EXPECT_NE(text.find("\nTEST_ONLY commit (µs)\n  planes=1 outcome=accepted "), std::string::npos) << text;
  EXPECT_NE(text.find("\nNot measured\n  cursor-move: the output has no cursor plane\n"), std::string::npos) << text;
}

TEST(Report, HtmlIsOneFileAndShowsForeignTextAsText) {
  BenchRun run = makeRun();
  run.machine.model = "<script>alert(1)</script>";
  const std::string html = runToHtml(run);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(html.find("<svg"), std::string::npos);
}

TEST(Metrics, HaveNamesOfTheirOwnAndAnExplanation) {
  for (const Metric& metric : allMetrics()) {
    EXPECT_EQ(findMetric(metric.name), &metric);
    EXPECT_GT(std::string_view(metric.explanation).size(), 60U) << metric.name;
  }
  EXPECT_EQ(findMetric("nonsense"), nullptr);
}

} // namespace
} // namespace vitrine::bench
