#include "tests/board/plane-bench/comparison.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "tests/board/plane-bench/number_text.h"

namespace vitrine::bench {
namespace {

/** Below this many samples a 95th percentile is the largest sample by another name. */
constexpr size_t samplesForP95 = 20;

std::vector<double> percentiles(const Series& series, double fraction) {
  std::vector<double> values;
  for (const Samples& samples : series.repetitions) {
    if (samples.empty()) continue;
    Samples sorted = samples;
    std::ranges::sort(sorted);
    values.push_back(percentile(sorted, fraction));
  }
  return values;
}

size_t samplesPerRepetition(const Series& series) {
  size_t fewest = series.repetitions.empty() ? 0 : series.repetitions[0].size();
  for (const Samples& samples : series.repetitions)
    fewest = std::min(fewest, samples.size());
  return fewest;
}

Finding compareSeries(const Series& a, const Series& b, const Metric& metric, const char* statistic, double fraction) {
  const std::vector<double> valuesA = percentiles(a, fraction);
  const std::vector<double> valuesB = percentiles(b, fraction);
  Finding finding;
  finding.series = a.name();
  finding.metric = a.metric;
  finding.unit = metric.unit;
  finding.statistic = statistic;
  finding.medianA = summarize(valuesA).p50;
  finding.medianB = summarize(valuesB).p50;
  finding.shift = hodgesLehmann(valuesA, valuesB);
  finding.probability = mannWhitney(valuesA, valuesB).probability;
  finding.threshold = std::max(metric.absoluteThreshold, metric.relativeThreshold * std::abs(finding.medianA));
  return finding;
}

Finding onlyIn(Outcome outcome, const Series& series, const Series* other) {
  Finding finding;
  finding.series = series.name();
  finding.metric = series.metric;
  finding.outcome = outcome;
  finding.medianA = finding.medianB = summarize(series.all()).p50;
  finding.reason = other != nullptr ? other->unavailable : "";
  return finding;
}

bool hasSamples(const Series* series) {
  return series != nullptr && !series->all().empty();
}

void append(std::vector<Finding>& findings, const Series& a, const Series& b) {
  const Metric* metric = findMetric(a.metric);
  if (metric == nullptr) return;
  findings.push_back(compareSeries(a, b, *metric, "p50", 0.5));
  if (std::min(samplesPerRepetition(a), samplesPerRepetition(b)) >= samplesForP95)
    findings.push_back(compareSeries(a, b, *metric, "p95", 0.95));
}

/** Whether it is judged by its probability. */
bool isTested(const Finding& finding) {
  return finding.outcome == Outcome::NoChange && !findMetric(finding.metric)->exact;
}

void judge(Finding& finding, double significance) {
  const Metric* metric = findMetric(finding.metric);
  const bool isCertain = metric->exact || finding.probability < significance;
  if (!isCertain || std::abs(finding.shift.estimate) < finding.threshold) return;
  const bool lowered = finding.shift.estimate < 0;
  finding.outcome = lowered == (metric->better == Better::Lower) ? Outcome::Better : Outcome::Worse;
}

} // namespace

std::string Finding::words() const {
  switch (outcome) {
  case Outcome::NoChange:
    return "no change";
  case Outcome::Undecidable:
    return "too few repetitions to tell";
  case Outcome::OnlyInA:
    return reason.empty() ? "not measured in B" : "no longer possible: " + reason;
  case Outcome::OnlyInB:
    return reason.empty() ? "not measured in A" : "now possible; A: " + reason;
  case Outcome::Better:
  case Outcome::Worse:
    break;
  }
  const double ends[] = {std::abs(shift.low), std::abs(shift.high)};
  const bool straddles = (shift.low < 0) != (shift.high < 0); // an end on the other side of zero counts as none
  const double least = straddles ? 0 : std::min(ends[0], ends[1]);
  const double most = std::max(ends[0], ends[1]);
  const bool inPercent = medianA != 0 && most / std::abs(medianA) < 10 && unit != "planes" && unit != "commits";
  const double scale = inPercent ? 100 / std::abs(medianA) : 1;
  // Nothing becomes smaller by more than all of it, even if single repetitions of A were far apart.
  const double limit = inPercent && shift.estimate < 0 ? 100 : std::numeric_limits<double>::max();
  const std::string low = numberText(std::min(least * scale, limit));
  const std::string high = numberText(std::min(most * scale, limit));
  return std::format("{} by {} {}", outcome == Outcome::Worse ? "worse" : "better",
                     low == high ? low : low + " to " + high, inPercent ? "%" : unit);
}

size_t Comparison::count(Outcome outcome) const {
  return static_cast<size_t>(std::ranges::count(findings, outcome, &Finding::outcome));
}

bool Comparison::regressed() const {
  return count(Outcome::Worse) + count(Outcome::OnlyInA) > 0;
}

bool Comparison::changed() const {
  return regressed() || count(Outcome::Better) + count(Outcome::OnlyInB) > 0;
}

std::vector<std::string> unlikeness(const BenchRun& a, const BenchRun& b) {
  std::vector<std::string> lines;
  const auto check = [&lines](const char* what, const auto& inA, const auto& inB) {
    if (inA != inB) lines.push_back(std::format("{}: {} and {}", what, inA, inB));
  };
  const auto joined = [](const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& item : list)
      text += (text.empty() ? "" : " ") + item;
    return text;
  };
  check("architecture", a.machine.architecture, b.machine.architecture);
  check("machine", a.machine.model, b.machine.model);
  check("compatible", joined(a.machine.compatible), joined(b.machine.compatible));
  check("processor", a.machine.cpu, b.machine.cpu);
  check("processors", a.machine.cpus, b.machine.cpus);
  check("processor governor", a.machine.cpuGovernor, b.machine.cpuGovernor);
  check("clock source", a.machine.clockSource, b.machine.clockSource);
  check("driver", a.target.driver, b.target.driver);
  check("connector", a.target.connector, b.target.connector);
  const auto mode = [](const Target& target) {
    return std::format("{}x{}@{:.3f}", target.size.width, target.size.height, target.refreshMilliHertz / 1000.0);
  };
  check("mode", mode(a.target), mode(b.target));
  check("samples per repetition", a.settings.samples, b.settings.samples);
  check("quick", a.settings.quick, b.settings.quick);
  return lines;
}

Comparison compareRuns(const BenchRun& a, const BenchRun& b) {
  Comparison comparison;
  std::vector<Finding>& findings = comparison.findings;
  for (const Series& series : a.series) {
    const Series* other = b.find(series.name());
    if (hasSamples(&series) && hasSamples(other)) append(findings, series, *other);
    if (hasSamples(&series) && !hasSamples(other)) findings.push_back(onlyIn(Outcome::OnlyInA, series, other));
  }
  for (const Series& series : b.series) {
    const Series* other = a.find(series.name());
    if (hasSamples(&series) && !hasSamples(other)) findings.push_back(onlyIn(Outcome::OnlyInB, series, other));
  }
  std::vector<double> probabilities;
  for (const Finding& finding : findings) {
    if (isTested(finding)) probabilities.push_back(finding.probability);
  }
  const std::vector<double> adjusted = holm(probabilities);
  const auto tests = static_cast<double>(probabilities.size());
  size_t next = 0;
  for (Finding& finding : findings) {
    if (!isTested(finding)) {
      if (finding.outcome == Outcome::NoChange) judge(finding, comparison.significance);
      continue;
    }
    const size_t inA = percentiles(*a.find(finding.series), 0.5).size();
    const size_t inB = percentiles(*b.find(finding.series), 0.5).size();
    finding.probability = adjusted[next++];
    if (smallestProbability(inA, inB) * tests >= comparison.significance) {
      finding.outcome = Outcome::Undecidable;
    } else {
      judge(finding, comparison.significance);
    }
  }
  return comparison;
}

std::pair<BenchRun, BenchRun> splitRepetitions(const BenchRun& run) {
  std::pair<BenchRun, BenchRun> halves{run, run};
  for (size_t i = 0; i < run.series.size(); ++i) {
    const Metric* metric = findMetric(run.series[i].metric);
    if (metric != nullptr && metric->exact) continue; // measured once, and the same in both
    halves.first.series[i].repetitions.clear();
    halves.second.series[i].repetitions.clear();
    for (size_t repetition = 0; repetition < run.series[i].repetitions.size(); ++repetition)
      (repetition % 2 == 0 ? halves.first : halves.second)
          .series[i]
          .repetitions.push_back(run.series[i].repetitions[repetition]);
  }
  return halves;
}

Comparison compareBufferKinds(const BenchRun& run) {
  BenchRun ordinary;
  BenchRun protectedOnes;
  for (Series series : run.series) {
    for (const auto& [kind, half] : {std::pair{"ordinary", &ordinary}, std::pair{"protected", &protectedOnes}}) {
      const auto found = std::ranges::find(series.conditions, std::pair<std::string, std::string>("buffers", kind));
      if (found == series.conditions.end()) continue;
      series.conditions.erase(found);
      half->series.push_back(series);
      break;
    }
  }
  // Some things are done with ordinary buffers alone, such as composing on the CPU.
  std::erase_if(ordinary.series, [&](const Series& series) { return protectedOnes.find(series.name()) == nullptr; });
  return compareRuns(ordinary, protectedOnes);
}

} // namespace vitrine::bench
