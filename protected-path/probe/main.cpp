#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "protected-path/base/log.h"
#include "protected-path/probe/explain.h"
#include "protected-path/probe/report.h"

namespace vitrine::probe {
namespace {

constexpr int exitFoundWanting = 1;
constexpr int exitMisused = 2;

struct Options {
  bool json = false;
  bool table = false;
  bool tryHeaps = false;
  std::string overrides;
  // of `explain`
  std::vector<std::string> consumers{"display"};
  std::string format = "NV12";
  std::string size = "1920x1080";
  bool protectedContent = false;
};

int misused(const std::string& what) {
  std::fprintf(stderr, "vitrine-probe: %s\n", what.c_str());
  return exitMisused;
}

std::optional<Size> parseSize(std::string_view text) {
  Size size;
  const char* end = text.data() + text.size();
  const auto width = std::from_chars(text.data(), end, size.width);
  if (width.ec != std::errc() || width.ptr == end || *width.ptr != 'x') return std::nullopt;
  const auto height = std::from_chars(width.ptr + 1, end, size.height);
  const bool whole = height.ec == std::errc() && height.ptr == end && size.width > 0 && size.height > 0;
  return whole ? std::optional(size) : std::nullopt;
}

int runExplain(const Options& options, const HeapTable& table) {
  const auto format = std::ranges::find_if(
      allFormats(), [&](const FormatInfo& one) { return fourccName(one.fourcc) == options.format; });
  if (format == allFormats().end()) return misused("--format: no format is called " + options.format);
  const auto size = parseSize(options.size);
  if (!size) return misused("--size: " + options.size + " is not WIDTHxHEIGHT");
  const auto answer =
      explain({options.consumers, *size, format->fourcc, options.protectedContent, options.tryHeaps}, table);
  if (!answer) {
    std::fprintf(stderr, "vitrine-probe: %s\n", answer.error().text().c_str());
    return exitFoundWanting;
  }
  std::fputs((options.json ? toJson(*answer) : toText(*answer)).c_str(), stdout);
  return answer->found() ? 0 : exitFoundWanting;
}

int run(const Options& options, bool isExplain) {
  HeapTable table;
  if (!options.overrides.empty()) {
    if (auto added = table.addOverrides(options.overrides); !added) return misused(added.error().text());
  }
  if (isExplain) return runExplain(options, table);
  if (options.table) {
    std::fputs(tableText(table).c_str(), stdout);
    return 0;
  }
  const Report report = gather(table, options.tryHeaps);
  const Verdict verdict = judge(report);
  std::fputs((options.json ? toJson(report, verdict) : toText(report, verdict)).c_str(), stdout);
  return verdict.composited.offered || verdict.plane.offered ? 0 : exitFoundWanting;
}

} // namespace
} // namespace vitrine::probe

int main(int argc, char** argv) {
  using namespace vitrine;
  probe::Options options;
  CLI::App app("What protected path this machine can offer, and why not more.\n"
               "Changes nothing, and allocates nothing without --try.",
               "vitrine-probe");
  app.set_version_flag("--version", "vitrine-probe " VITRINE_VERSION);
  const auto addCommon = [&options](CLI::App& to) {
    to.add_flag("--json", options.json, "Report for programs");
    to.add_flag("--try", options.tryHeaps,
                "Take buffers from the heap that is picked, and give them back: what are they?");
  };
  addCommon(app);
  app.add_flag("--table", options.table, "Print what is known about heap and exporter names, and from where");
  app.add_option("--heaps", options.overrides, "File that says what further heap names mean (TOML)")
      ->option_text("FILE");
  CLI::App* explaining = app.add_subcommand("explain", "Which heap for such a buffer, and why no other");
  explaining->add_option("--for", options.consumers, "Who writes or reads it: display, gpu, tee; separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"display", "gpu", "tee"}))
      ->option_text("LIST [display]");
  explaining->add_option("--format", options.format, "Its format, by its DRM name")->option_text("NAME [NV12]");
  explaining->add_option("--size", options.size, "In pixels")->option_text("WIDTHxHEIGHT [1920x1080]");
  explaining->add_flag("--protected", options.protectedContent, "The CPU may not read it; without: ordinary content");
  addCommon(*explaining);
  app.footer("Exit status: 0 there is a protected path (explain: a heap), 1 there is none, 2 misused.");
  try { // CLI11 throws; nothing else here does
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : probe::exitMisused;
  }
  if (auto quiet = setLogLevels("warn"); !quiet) return probe::exitMisused;
  return probe::run(options, explaining->parsed());
}
