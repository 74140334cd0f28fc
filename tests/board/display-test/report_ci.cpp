/* The forms for other programs' test harnesses: TAP 13 (testanything.org) and JUnit's XML. */
#include <algorithm>
#include <format>

#include "tests/board/common/html_page.h"
#include "tests/board/display-test/report.h"

namespace vitrine::display_test {
namespace {

std::string oneLine(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string seenText(const Outcome& outcome, std::string_view prefix) {
  std::string text;
  for (const Observation& seen : outcome.seen)
    text += std::format("{}{}{}: {}\n", prefix, seen.wrong ? "wrong: " : "", seen.what, seen.value);
  return text;
}

/** XML 1.0 has no other control characters than these three, not even escaped. */
std::string escapeXml(std::string_view text) {
  std::string escaped = escapeHtml(text);
  std::erase_if(escaped,
                [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r'; });
  return escaped;
}

} // namespace

std::string toTap(const Report& report) {
  std::string text = std::format("TAP version 13\n1..{}\n", report.results.size());
  unsigned number = 0;
  for (const CaseResult& result : report.results) {
    const Outcome& outcome = result.outcome;
    text += std::format("{} {} - {}{}\n", outcome.verdict == Verdict::Fail ? "not ok" : "ok", ++number, result.label(),
                        outcome.verdict == Verdict::Skip ? " # SKIP " + oneLine(outcome.reason) : "");
    if (outcome.verdict == Verdict::Fail) text += "# " + oneLine(outcome.reason) + "\n" + seenText(outcome, "# ");
  }
  if (report.interrupted) text += "Bail out! Interrupted\n";
  return text;
}

std::string toJunit(const Report& report) {
  const Counts counts = countsOf(report);
  double seconds = 0;
  for (const CaseResult& result : report.results)
    seconds += result.seconds;
  std::string text = std::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"vitrine-display-test\" "
                                 "hostname=\"{}\" timestamp=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" "
                                 "skipped=\"{}\" time=\"{:.3f}\">\n",
                                 escapeXml(report.board.hostname), report.started, report.results.size(), counts.failed,
                                 counts.skipped, seconds);
  for (const CaseResult& result : report.results) {
    const Outcome& outcome = result.outcome;
    const size_t slash = result.name.find('/');
    text += std::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n", result.name.substr(0, slash),
                        escapeXml(result.label().substr(slash + 1)), result.seconds);
    if (outcome.verdict == Verdict::Fail)
      text += std::format("    <failure message=\"{}\"/>\n", escapeXml(outcome.reason));
    if (outcome.verdict == Verdict::Skip)
      text += std::format("    <skipped message=\"{}\"/>\n", escapeXml(outcome.reason));
    text += std::format("    <system-out>{}</system-out>\n  </testcase>\n", escapeXml(seenText(outcome, "")));
  }
  return text + "</testsuite>\n";
}

} // namespace vitrine::display_test
