#include <algorithm>
#include <format>

#include "tests/board/display-test/report.h"

namespace vitrine::display_test {
namespace {

class Colours {
public:
  explicit Colours(bool on) : on_(on) {}
  [[nodiscard]] std::string of(Cell::State state, std::string_view text) const {
    if (!on_) return std::string(text);
    const int code = state == Cell::State::Works ? 32 : state == Cell::State::Fails ? 31 : 90;
    return std::format("\033[{}m{}\033[0m", code, text);
  }

private:
  bool on_;
};

Cell::State stateOf(Verdict verdict) {
  return verdict == Verdict::Pass   ? Cell::State::Works
         : verdict == Verdict::Fail ? Cell::State::Fails
                                    : Cell::State::Untested;
}

std::string_view wordOf(Cell::State state) {
  return state == Cell::State::Works ? "yes" : state == Cell::State::Fails ? "NO" : "-";
}

/** The table of what works: a line for each heap and group, since reasons are longer than columns. */
std::string tableText(const Report& report, const Colours& colours) {
  std::string text;
  const Matrix matrix = matrixOf(report);
  for (size_t row = 0; row < matrix.rows.size(); ++row) {
    text += std::format("\n{}\n", matrix.heaps[row].empty() ? "no protected heap" : matrix.heaps[row]);
    for (size_t column = 0; column < matrix.rows[row].size(); ++column) {
      const Cell& cell = matrix.rows[row][column];
      text += std::format("  {:<20} {} {}\n", groups()[column].title,
                          colours.of(cell.state, std::format("{:<4}", wordOf(cell.state))), cell.words);
    }
  }
  return text;
}

std::string failureText(const CaseResult& result) {
  std::string text = std::format("      {}\n", result.outcome.reason);
  if (const Case* one = findCase(result.name)) text += std::format("      expected by: {}\n", one->expectation);
  for (const Observation& seen : result.outcome.seen)
    text += std::format("      {} {}: {}\n", seen.wrong ? "!" : " ", seen.what, seen.value);
  return text;
}

} // namespace

std::string toText(const Report& report, bool colours) {
  const Colours paint(colours);
  const MachineFacts& machine = report.board.machine;
  const Summary summary = summaryOf(report);
  std::string text = paint.of(summary.state, summary.sentence) + "\n\n";
  text += std::format("{}, Linux {} {}{}{}\n", report.board.hostname, machine.kernel, machine.architecture,
                      machine.model.empty() ? "" : ", ", machine.model);
  text +=
      std::format("display: {}; TEE: {}\n", report.board.displayName.empty() ? "none tested" : report.board.displayName,
                  report.board.tee.node.empty() ? "none tested" : report.board.tee.implementation);
  text += tableText(report, paint);
  for (const CaseResult& result : report.results) {
    if (result.outcome.verdict == Verdict::Pass) continue;
    const Cell::State state = stateOf(result.outcome.verdict);
    text += std::format("\n{} {}\n", paint.of(state, std::format("{:<5}", verdictName(result.outcome.verdict))),
                        result.label());
    text += result.outcome.verdict == Verdict::Fail ? failureText(result)
                                                    : std::format("      {}\n", result.outcome.reason);
  }
  const Counts counts = countsOf(report);
  if (report.seed != 0) text += std::format("\norder of --shuffle {}\n", report.seed);
  text += std::format("\n{} passed, {} failed, {} skipped\n", counts.passed, counts.failed, counts.skipped);
  return text;
}

} // namespace vitrine::display_test
