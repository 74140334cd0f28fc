#include "tests/board/display-test/runner.h"

#include <algorithm>
#include <cstring>
#include <format>
#include <random>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/board/common/watched_child.h"

namespace vitrine::display_test {
namespace {

using nlohmann::json;

constexpr double nanosecondsInSecond = 1e9;

/** One run of one case to come. */
struct Planned {
  const Case* one;
  const Heap* heap; ///< null where the case needs none
};

std::vector<Planned> planRuns(const std::vector<const Case*>& cases, const RunOptions& options, const Board& board) {
  std::vector<Planned> runs;
  for (const Case* one : cases) {
    const bool perHeap = (one->needs & NeedHeap) != 0 && !board.nominated.empty();
    if (!perHeap) runs.push_back({one, nullptr});
    for (size_t heap = 0; perHeap && heap < board.nominated.size(); ++heap)
      runs.push_back({one, &board.nominated[heap]});
  }
  const size_t once = runs.size();
  for (unsigned round = 1; round < options.repeat; ++round)
    runs.insert(runs.end(), runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(once));
  if (options.shuffleSeed) {
    std::mt19937_64 random(*options.shuffleSeed);
    std::ranges::shuffle(runs, random);
  }
  return runs;
}

/** Why the board cannot run the case, or nothing. */
std::optional<std::string> unmetNeed(const Case& one, const Board& board) {
  for (unsigned bit = 0; bit < needCount; ++bit) {
    if ((one.needs & ~board.met & 1U << bit) != 0) return board.unmet[bit];
  }
  return std::nullopt;
}

/** In the child: runs the case and writes its outcome, as CBOR, since pictures are bytes. */
int runInChild(const Case& one, const Board& board, const Heap* heap, const Secret& secret, int output) {
  Trial trial(board, heap, secret);
  const auto done = one.run(trial);
  if (!done) {
    if (done.error().kind == ErrorKind::Missing)
      (void)trial.skip(done.error().text());
    else
      trial.fail("could not be carried out: " + done.error().text());
  }
  const std::vector<uint8_t> bytes = json::to_cbor(json(trial.outcome()));
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t part = write(output, bytes.data() + written, bytes.size() - written);
    if (part <= 0) return 1;
    written += static_cast<size_t>(part);
  }
  return 0;
}

Outcome failedWith(std::string reason) {
  Outcome outcome;
  outcome.verdict = Verdict::Fail;
  outcome.reason = std::move(reason);
  return outcome;
}

/** What the child's end says. */
Outcome outcomeOf(const Result<WatchedEnd>& end, double limit) {
  if (!end) return failedWith(end.error().text());
  switch (end->how) {
  case WatchedEnd::How::TimedOut:
    return failedWith(std::format("hung: no end within {:g} s{}", limit,
                                  end->stuck ? ", and the kernel does not let it be killed; it is left behind" : ""));
  case WatchedEnd::How::Signalled:
    return failedWith(std::format("crashed: signal {} ({})", end->number, strsignal(end->number)));
  case WatchedEnd::How::Interrupted:
    return failedWith("interrupted");
  case WatchedEnd::How::Exited:
    break;
  }
  const json parsed = json::from_cbor(end->output, true, false);
  if (end->number != 0 || !parsed.is_object())
    return failedWith(std::format("ended with status {} and no outcome", end->number));
  return parsed.get<Outcome>();
}

/** `[12/57] map/splice, 14 s left` on stderr, rewritten for each case. */
class Progress {
public:
  Progress(bool shown, const std::vector<Planned>& runs) : shown_(shown), count_(runs.size()) {
    for (const Planned& run : runs)
      typicalLeft_ += run.one->typicalSeconds;
  }
  void next(const Planned& run) {
    ++number_;
    if (!shown_) return;
    // Scaled by how this board has compared with what is typical until now.
    const double pace = typicalDone_ > 0.5 ? took_ / typicalDone_ : 1;
    std::fprintf(stderr, "\r\033[K[%zu/%zu] %.*s, about %.0f s left", number_, count_,
                 static_cast<int>(run.one->name.size()), run.one->name.data(), typicalLeft_ * pace);
  }
  void done(const Planned& run, double seconds) {
    typicalLeft_ -= run.one->typicalSeconds;
    typicalDone_ += run.one->typicalSeconds;
    took_ += seconds;
  }
  void end() const {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

private:
  bool shown_;
  size_t count_;
  size_t number_ = 0;
  double typicalLeft_ = 0;
  double typicalDone_ = 0;
  double took_ = 0;
};

CaseResult runOne(const Planned& run, const RunOptions& options, const Board& board, StopSignals& stop) {
  CaseResult result{std::string(run.one->name), run.heap != nullptr ? run.heap->name : std::string(), {}, 0};
  if (const auto why = unmetNeed(*run.one, board)) {
    result.outcome.verdict = Verdict::Skip;
    result.outcome.reason = *why;
    return result;
  }
  const double limit = options.timeoutSeconds.value_or(std::max(10.0, 10 * run.one->typicalSeconds));
  const auto end = runWatched([&](int output) { return runInChild(*run.one, board, run.heap, options.secret, output); },
                              {static_cast<Nanoseconds>(limit * nanosecondsInSecond), stop.fd()});
  result.outcome = outcomeOf(end, limit);
  result.seconds = end ? static_cast<double>(end->took) / nanosecondsInSecond : 0;
  return result;
}

} // namespace

void runCases(const std::vector<const Case*>& cases, const RunOptions& options, StopSignals& stop, Report& report) {
  const std::vector<Planned> runs = planRuns(cases, options, report.board);
  report.seed = options.shuffleSeed.value_or(0);
  Progress progress(options.progress, runs);
  for (const Planned& run : runs) {
    progress.next(run);
    CaseResult result = runOne(run, options, report.board, stop);
    if (stop.stopped()) {
      report.interrupted = true;
      break;
    }
    progress.done(run, result.seconds);
    report.results.push_back(std::move(result));
  }
  progress.end();
}

} // namespace vitrine::display_test
