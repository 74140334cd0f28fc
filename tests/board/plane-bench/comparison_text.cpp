#include <algorithm>
#include <format>

#include "tests/board/plane-bench/comparison.h"
#include "tests/board/plane-bench/number_text.h"

namespace vitrine::bench {
namespace {

const char* mark(Outcome outcome) {
  switch (outcome) {
  case Outcome::NoChange:
    return " ";
  case Outcome::Better:
    return "+";
  case Outcome::Worse:
    return "!";
  case Outcome::Undecidable:
    return "?";
  case Outcome::OnlyInA:
    return "!";
  case Outcome::OnlyInB:
    return "+";
  }
  return " ";
}

std::string label(const Finding& finding) {
  return finding.statistic.empty() ? finding.series : std::format("{} ({})", finding.series, finding.statistic);
}

std::string numbers(const Finding& finding) {
  if (finding.outcome == Outcome::OnlyInA || finding.outcome == Outcome::OnlyInB) return {};
  const std::string chance =
      finding.probability < 0.0001 ? "p < 0.0001" : std::format("p = {:.4f}", finding.probability);
  return std::format("{} -> {} {}, {}", numberText(finding.medianA), numberText(finding.medianB), finding.unit, chance);
}

std::string heading(const char* which, const BenchRun& run) {
  return std::format("{}: kernel {}, {} on {}, {} repetitions, {}{}\n", which, run.machine.kernel, run.target.driver,
                     run.target.connector, run.settings.repetitions, run.started,
                     run.complete ? "" : " (not complete: " + run.endedBy + ")");
}

std::string conclusion(const Comparison& comparison) {
  const size_t worse = comparison.count(Outcome::Worse) + comparison.count(Outcome::OnlyInA);
  const size_t better = comparison.count(Outcome::Better) + comparison.count(Outcome::OnlyInB);
  const size_t undecidable = comparison.count(Outcome::Undecidable);
  std::string text = worse == 0 && better == 0 ? "No change" : "";
  if (worse != 0) text = std::format("{} worse", worse);
  if (better != 0) text += std::format("{}{} better", text.empty() ? "" : ", ", better);
  text += std::format(" in {} comparisons", comparison.findings.size());
  if (undecidable != 0) text += std::format("; {} cannot be told with so few repetitions", undecidable);
  return text + ".\n";
}

} // namespace

std::string comparisonText(const BenchRun& a, const BenchRun& b, const Comparison& comparison, bool all) {
  std::string text = heading("A", a) + heading("B", b) + "\n" + conclusion(comparison);
  size_t widestLabel = 0;
  size_t widestWords = 0;
  const auto isShown = [all](const Finding& finding) {
    return all || (finding.outcome != Outcome::NoChange && finding.outcome != Outcome::Undecidable);
  };
  for (const Finding& finding : comparison.findings) {
    if (!isShown(finding)) continue;
    widestLabel = std::max(widestLabel, label(finding).size());
    widestWords = std::max(widestWords, finding.words().size());
  }
  for (const Finding& finding : comparison.findings) {
    if (!isShown(finding)) continue;
    std::string line = std::format("{} {:<{}}  {:<{}}  {}", mark(finding.outcome), label(finding), widestLabel,
                                   finding.words(), widestWords, numbers(finding));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

} // namespace vitrine::bench
