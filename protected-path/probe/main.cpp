#include <CLI/CLI.hpp>

#include <cstdio>

#include "protected-path/base/log.h"
#include "protected-path/probe/report.h"

namespace vitrine::probe {
namespace {

constexpr int exitFoundWanting = 1;
constexpr int exitMisused = 2;

struct Options {
  bool json = false;
  bool table = false;
  std::string overrides;
};

int run(const Options& options) {
  HeapTable table;
  if (!options.overrides.empty()) {
    if (auto added = table.addOverrides(options.overrides); !added) {
      std::fprintf(stderr, "vitrine-probe: %s\n", added.error().text().c_str());
      return exitMisused;
    }
  }
  if (options.table) {
    std::fputs(tableText(table).c_str(), stdout);
    return 0;
  }
  const Report report = gather(table);
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
               "Fills the heap that would be picked, to say what it holds, and empties it again; changes nothing.",
               "vitrine-probe");
  app.set_version_flag("--version", "vitrine-probe " VITRINE_VERSION);
  app.add_flag("--json", options.json, "Report for programs");
  app.add_flag("--table", options.table, "Print what is known about heap and exporter names, and from where");
  app.add_option("--heaps", options.overrides, "File that says what further heap names mean (TOML)")
      ->option_text("FILE");
  app.footer("Exit status: 0 there is a protected path, 1 there is none, 2 misused.");
  try { // CLI11 throws; nothing else here does
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : probe::exitMisused;
  }
  if (auto quiet = setLogLevels("warn"); !quiet) return probe::exitMisused;
  return probe::run(options);
}
