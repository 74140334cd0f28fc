#include <algorithm>
#include <format>

#include "tests/board/common/exit_status.h"
#include "tests/board/display-test/report.h"

namespace vitrine::display_test {
namespace {

bool belongs(const CaseResult& result, const Group& group, const std::string& heap) {
  const std::string_view name = result.name;
  return name.substr(0, name.find('/')) == group.name && (result.heap.empty() || result.heap == heap);
}

Cell cellOf(const Report& report, const Group& group, const std::string& heap) {
  Counts counts;
  std::string firstSkip;
  bool aboutHeap = false;   // a case that is about the heap passed
  bool heapSkipped = false; // such a case was skipped
  for (const CaseResult& result : report.results) {
    if (!belongs(result, group, heap)) continue;
    aboutHeap |= result.heap == heap && result.outcome.verdict == Verdict::Pass;
    heapSkipped |= result.heap == heap && result.outcome.verdict == Verdict::Skip;
    counts.passed += result.outcome.verdict == Verdict::Pass ? 1 : 0;
    counts.failed += result.outcome.verdict == Verdict::Fail ? 1 : 0;
    counts.skipped += result.outcome.verdict == Verdict::Skip ? 1 : 0;
    if (result.outcome.verdict == Verdict::Skip && firstSkip.empty()) firstSkip = result.outcome.reason;
  }
  const std::string skipped = counts.skipped == 0 ? "" : std::format(", {} skipped", counts.skipped);
  if (counts.failed > 0)
    return {Cell::State::Fails, std::format("{} of {} fail{}", counts.failed, counts.failed + counts.passed, skipped)};
  const bool tested = counts.passed > 0 && (aboutHeap || !heapSkipped);
  if (tested) return {Cell::State::Works, std::format("{} of {}{}", counts.passed, counts.passed, skipped)};
  return {Cell::State::Untested, firstSkip.empty() ? "not run" : firstSkip};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return text;
}

/** `2 of 24 ways: mmap-read, mmap-private`, three names at most. */
std::string failuresOf(const Report& report, const Group& group, const std::string& heap) {
  std::vector<std::string> names;
  for (const CaseResult& result : report.results) {
    const std::string shortName = result.name.substr(std::min(result.name.size(), result.name.find('/') + 1));
    if (belongs(result, group, heap) && result.outcome.verdict == Verdict::Fail &&
        !std::ranges::contains(names, shortName))
      names.push_back(shortName);
  }
  const size_t more = names.size() > 3 ? names.size() - 3 : 0;
  if (more > 0) {
    names.resize(3);
    names.push_back(std::format("{} more", more));
  }
  return joined(names);
}

/** What is to be said of one heap's buffers; columns that were not run are left out. */
Summary summaryOfHeap(const Report& report, const std::string& heap, const std::vector<Cell>& cells) {
  std::vector<std::string> wrong;
  std::vector<std::string> right;
  for (size_t column = 0; column < cells.size(); ++column) {
    const Group& group = groups()[column];
    if (cells[column].state == Cell::State::Fails)
      wrong.push_back(std::format("{} ({})", group.fails, failuresOf(report, group, heap)));
    if (cells[column].state == Cell::State::Works) right.emplace_back(group.works);
  }
  const std::string subject = heap.empty() ? "This board" : std::format("Buffers of `{}`", heap);
  if (!wrong.empty()) return {Cell::State::Fails, std::format("{} are found wanting: {}.", subject, joined(wrong))};
  if (right.empty()) return {Cell::State::Untested, std::format("{} were not tested.", subject)};
  return {Cell::State::Works, std::format("{} hold: {}.", subject, joined(right))};
}

} // namespace

Matrix matrixOf(const Report& report) {
  Matrix matrix;
  for (const Heap& heap : report.board.nominated)
    matrix.heaps.push_back(heap.name);
  if (matrix.heaps.empty()) matrix.heaps.emplace_back();
  for (const std::string& heap : matrix.heaps) {
    auto& row = matrix.rows.emplace_back();
    for (const Group& group : groups())
      row.push_back(cellOf(report, group, heap));
  }
  return matrix;
}

Summary summaryOf(const Report& report) {
  const std::string prefix = report.interrupted ? "Interrupted. " : "";
  const Matrix matrix = matrixOf(report);
  if (report.board.nominated.empty()) {
    std::string failed;
    for (const Group& group : groups()) {
      const std::string names = failuresOf(report, group, {});
      if (!names.empty()) failed += std::format(" {} fail in group {}.", names, group.name);
    }
    return {failed.empty() ? Cell::State::Untested : Cell::State::Fails,
            std::format("{}No protected path: {}.{}", prefix,
                        report.board.unmet[static_cast<size_t>(std::countr_zero(uint32_t{NeedHeap}))], failed)};
  }
  Summary whole{Cell::State::Untested, prefix};
  for (size_t row = 0; row < matrix.heaps.size(); ++row) {
    const Summary one = summaryOfHeap(report, matrix.heaps[row], matrix.rows[row]);
    whole.sentence += (row == 0 ? "" : " ") + one.sentence;
    if (one.state == Cell::State::Fails || whole.state == Cell::State::Untested) whole.state = one.state;
  }
  return whole;
}

Counts countsOf(const Report& report) {
  Counts counts;
  for (const CaseResult& result : report.results) {
    counts.passed += result.outcome.verdict == Verdict::Pass ? 1 : 0;
    counts.failed += result.outcome.verdict == Verdict::Fail ? 1 : 0;
    counts.skipped += result.outcome.verdict == Verdict::Skip ? 1 : 0;
  }
  return counts;
}

int exitStatusOf(const Report& report) {
  const Counts counts = countsOf(report);
  if (counts.failed > 0 || report.interrupted) return ExitFoundWanting;
  return counts.passed == 0 || report.board.nominated.empty() ? ExitNotApplicable : ExitOk;
}

} // namespace vitrine::display_test
