/* vitrine-display-test: what this board's protected path does, and where it leaks. */
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <format>
#include <fstream>
#include <random>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "protected-path/base/log.h"
#include "tests/board/clip/clip_crypto.h"
#include "tests/board/common/exit_status.h"
#include "tests/board/common/option_check.h"
#include "tests/board/display-test/exec_child.h"
#include "tests/board/display-test/runner.h"

namespace vitrine::display_test {
namespace {

struct Options {
  Selection selection;
  std::vector<std::string> heaps;
  std::string card;
  bool list = false;
  std::string explain;
  unsigned repeat = 1;
  std::string shuffle;
  double timeout = 0;
  std::string secret;
  bool quiet = false;
  std::string json, html, tap, junit;
  std::string before, after;
  std::vector<std::string> execChild;
};

std::string needsText(const Case& one, std::string_view separator) {
  std::string text;
  for (unsigned bit = 0; bit < needCount; ++bit) {
    if ((one.needs & 1U << bit) != 0)
      text += (text.empty() ? "" : std::string(separator)) + std::string(needName(static_cast<Need>(1U << bit)));
  }
  return text.empty() ? "nothing" : text;
}

std::string disturbanceText(const Case& one) {
  std::string text;
  if ((one.disturbs & Shows) != 0) text += "shows test pictures for a moment; ";
  if ((one.disturbs & FillsPool) != 0) text += "takes all of a pool (not with --safe); ";
  if ((one.disturbs & MayHang) != 0) text += "a bad driver may hang the board on it (not with --safe); ";
  return text.empty() ? "takes a few small buffers" : text.substr(0, text.size() - 2);
}

int list(const Selection& selection) {
  for (const Case* one : select(selection))
    std::printf("%-34.*s %5.1f s  %s\n", static_cast<int>(one->name.size()), one->name.data(), one->typicalSeconds,
                needsText(*one, " ").c_str());
  return ExitOk;
}

int explain(const std::string& name) {
  const Case* one = findCase(name);
  if (one == nullptr) {
    std::fprintf(stderr, "vitrine-display-test: --explain: there is no case `%s`; see --list\n", name.c_str());
    return ExitMisused;
  }
  std::fputs(
      std::format(
          "{}\n  proves       {}\n  expected by  {}\n  needs        {}\n  disturbs     {}\n  takes        about {} s\n",
          one->name, one->proves, one->expectation, needsText(*one, ", "), disturbanceText(*one), one->typicalSeconds)
          .c_str(),
      stdout);
  return ExitOk;
}

Result<nlohmann::json> readReport(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return systemError("open", file);
  auto json = nlohmann::json::parse(stream, nullptr, false);
  if (json.is_discarded()) return invalid("read", file, "it is not JSON");
  return json;
}

int compare(const Options& options) {
  const auto before = readReport(options.before);
  const auto after = readReport(options.after);
  const auto comparison = !before  ? std::unexpected(before.error())
                          : !after ? std::unexpected(after.error())
                                   : compareReports(*before, *after);
  if (!comparison) {
    std::fprintf(stderr, "vitrine-display-test: %s\n", comparison.error().text().c_str());
    return ExitMisused;
  }
  std::fputs(comparison->text.c_str(), stdout);
  return comparison->worse ? ExitFoundWanting : ExitOk;
}

/** Writes whole or not at all: through a file beside it. `-` is standard output. */
Result<> writeFile(const std::string& file, const std::string& text) {
  if (file == "-") {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  const std::string partial = file + ".partial";
  {
    std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.flush();
    if (!stream) return systemError("write", partial);
  }
  if (std::rename(partial.c_str(), file.c_str()) != 0) return systemError("rename", file);
  return {};
}

bool writeForms(const Options& options, const Report& report) {
  bool written = true;
  const auto writeForm = [&](const std::string& file, const auto& make) {
    if (file.empty()) return;
    if (const auto done = writeFile(file, make(report)); !done) {
      std::fprintf(stderr, "vitrine-display-test: %s\n", done.error().text().c_str());
      written = false;
    }
  };
  writeForm(options.json, [](const Report& one) { return toJson(one).dump(2) + "\n"; });
  writeForm(options.html, toHtml);
  writeForm(options.tap, toTap);
  writeForm(options.junit, toJunit);
  return written;
}

Result<RunOptions> runOptionsOf(const Options& options) {
  RunOptions run;
  run.repeat = options.repeat;
  if (options.timeout > 0) run.timeoutSeconds = options.timeout;
  if (options.shuffle == "random")
    run.shuffleSeed = std::random_device()();
  else if (!options.shuffle.empty())
    run.shuffleSeed = std::stoull(options.shuffle);
  run.progress = !options.quiet && isatty(STDERR_FILENO) == 1;
  if (options.secret.empty()) {
    if (auto random = randomBytes(run.secret); !random) return std::unexpected(random.error());
  } else {
    run.secret = *parseKey(options.secret); // checked by its option
  }
  return run;
}

int run(const Options& options) {
  const auto cases = select(options.selection);
  if (cases.empty()) {
    std::fputs("vitrine-display-test: no case is selected; see --list\n", stderr);
    return ExitMisused;
  }
  const auto runOptions = runOptionsOf(options);
  auto stop = StopSignals::create();
  if (!runOptions || !stop) {
    std::fprintf(stderr, "vitrine-display-test: %s\n",
                 (!runOptions ? runOptions.error() : stop.error()).text().c_str());
    return ExitFoundWanting;
  }
  BoardWishes wishes{options.heaps, options.card, 0, stop->fd()};
  for (const Case* one : cases)
    wishes.needs |= one->needs;
  Report report;
  report.started = std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
  report.board = inspectBoard(wishes);
  runCases(cases, *runOptions, *stop, report);
  const bool textWanted = options.json != "-" && options.html != "-" && options.tap != "-" && options.junit != "-";
  if (textWanted) std::fputs(toText(report, isatty(STDOUT_FILENO) == 1).c_str(), stdout);
  const bool written = writeForms(options, report);
  return written ? exitStatusOf(report) : ExitFoundWanting;
}

std::string seedCheck(const std::string& text) {
  const bool number = !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
  return number && text != "0" ? ""
         : text == "random"    ? ""
                               : "it has to be a number from 1, as an earlier run printed it";
}

void addOptions(CLI::App& app, Options& options) {
  app.add_flag("--list", options.list, "List the selected cases: name, typical duration, what they need");
  app.add_option("--explain", options.explain, "What a case proves, and where its expectation comes from")
      ->option_text("CASE");
  std::vector<std::string> names;
  for (const Group& group : groups())
    names.emplace_back(group.name);
  app.add_option("--group", options.selection.groups, "Only cases of these groups")
      ->delimiter(',')
      ->check(CLI::IsMember(names))
      ->option_text("GROUP");
  std::vector<std::string> needs;
  for (unsigned bit = 0; bit < needCount; ++bit)
    needs.emplace_back(needName(static_cast<Need>(1U << bit)));
  app.add_option("--need", options.selection.needs, "Only cases that need one of these")
      ->delimiter(',')
      ->check(CLI::IsMember(needs))
      ->option_text("NEED");
  app.add_flag("--safe", options.selection.safe,
               "Leave out cases that could hang a board, and those that take all of a pool");
  app.add_option("--heap", options.heaps, "Test these heaps; default: those that the heap table calls protected")
      ->delimiter(',')
      ->option_text("NAME");
  app.add_option("--display", options.card, "KMS device; default: the first with a connected display")
      ->option_text("NODE");
  app.add_option("--repeat", options.repeat, "Run everything this many times")->check(CLI::Range(1U, 1000000U));
  app.add_option("--shuffle", options.shuffle, "Random order; with the SEED that a run printed, that run's order")
      ->expected(0, 1)
      ->default_str("random")
      ->check(seedCheck)
      ->option_text("[SEED]");
  app.add_option("--timeout", options.timeout,
                 "Seconds after which a case has hung; default: ten times its typical duration, at least 10")
      ->check(CLI::Range(0.1, 86400.0));
  app.add_option("--secret", options.secret,
                 "What protected buffers are filled with, 32 hexadecimal digits; default: random")
      ->check(parsedBy(parseKey))
      ->option_text("HEX");
  app.add_option("--json", options.json, "Write a report for programs (- for standard output)")->option_text("FILE");
  app.add_option("--html", options.html, "Write a report for people: one file, with pictures")->option_text("FILE");
  app.add_option("--tap", options.tap, "Write a report in TAP 13")->option_text("FILE");
  app.add_option("--junit", options.junit, "Write a report in JUnit XML")->option_text("FILE");
  app.add_flag("--quiet", options.quiet, "No progress on the terminal");
  app.add_option("--exec-child", options.execChild)->group("")->expected(2);
  app.add_option("CASE", options.selection.patterns, "Cases to run, by name or pattern (map/mmap-*); default: all");
  app.set_version_flag("--version", "vitrine-display-test " VITRINE_VERSION);
  app.footer("Each case runs in a process of its own; one that hangs or crashes has failed, and the run goes on.\n"
             "Exit status: 0 all that ran passed, 1 found wanting, 2 misused, 77 nothing applies (no protected heap).");
  auto* comparison =
      app.add_subcommand("compare", "What changed between two JSON reports; status 1 if a case got worse");
  comparison->add_option("BEFORE", options.before, "JSON report")->required();
  comparison->add_option("AFTER", options.after, "JSON report")->required();
}

} // namespace
} // namespace vitrine::display_test

int main(int argc, char** argv) {
  using namespace vitrine;
  using namespace vitrine::display_test;
  Options options;
  CLI::App app("What this board's protected path does, and where it leaks.", "vitrine-display-test");
  addOptions(app, options);
  try { // CLI11 throws; nothing else here does
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  if (auto quiet = setLogLevels("error"); !quiet) return ExitMisused;
  if (!options.execChild.empty()) return execChild(options.execChild[0], options.execChild[1]);
  if (app.got_subcommand("compare")) return compare(options);
  if (options.list) return list(options.selection);
  if (!options.explain.empty()) return explain(options.explain);
  return run(options);
}
