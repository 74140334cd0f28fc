/*
 * bad-client: does one thing to a compositor that no client should, and says as JSON on stdout what came of it. Status
 * 0 where the compositor answered as the protocol asks, 1 where it did not, 77 where this machine lacks what the case
 * needs.
 */
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/board/common/exit_status.h"
#include "tests/clients/bad_client.h"

namespace vitrine {
namespace {

/** libwayland hands the words of a protocol error to its log alone, whose handler knows no context: hence a static. */
std::string& loggedText() {
  static std::string text;
  return text;
}

void logHandler(const char* format, va_list arguments) __attribute__((format(printf, 1, 0)));
void logHandler(const char* format, va_list arguments) {
  char line[1024];
  std::vsnprintf(line, sizeof(line), format, arguments);
  loggedText() += line;
}

nlohmann::json toJson(const BadAnswer& answer) {
  nlohmann::json json{{"outcome", answer.outcome}};
  if (answer.outcome == "protocol-error") {
    json["interface"] = answer.interface;
    json["code"] = answer.code;
  }
  return json;
}

void print(const nlohmann::json& json) {
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

int run(const BadCase& one, const BadClientOptions& options) {
  nlohmann::json json{{"case", one.name}, {"expected", toJson(one.expected)}};
  const auto answer = runBadCase(one, options, [] { print({{"case", "killed-mid-flip"}, {"outcome", "killed"}}); });
  if (!answer) {
    const bool lacks = answer.error().kind == ErrorKind::Missing;
    json["outcome"] = lacks ? "not-applicable" : "error";
    json["message"] = answer.error().text();
    print(json);
    return lacks ? ExitNotApplicable : ExitFoundWanting;
  }
  json.update(toJson(*answer));
  std::string words = loggedText();
  while (!words.empty() && words.back() == '\n')
    words.pop_back();
  if (!words.empty()) json["message"] = words;
  print(json);
  return *answer == one.expected ? ExitOk : ExitFoundWanting;
}

} // namespace
} // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  CLI::App app("Does one thing to a Wayland compositor that no client should.", "bad-client");
  std::string name;
  bool list = false;
  BadClientOptions options;
  app.add_option("CASE", name, "What to do");
  app.add_flag("--list", list, "List the cases: name, what is done, what the compositor's log says of it");
  app.add_flag("--hold", options.hold, "A shown buffer stays until standard input ends");
  app.add_option("--heap", options.heapName, "The buffer comes from this heap; default: what the case needs");
  app.set_version_flag("--version", "bad-client " VITRINE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  const std::vector<BadCase> cases = badCases();
  if (list) {
    for (const BadCase& one : cases)
      std::cout << one.name << "\t" << one.words << "\t" << one.logged << "\n";
    return ExitOk;
  }
  const auto found = std::ranges::find(cases, name, &BadCase::name);
  if (found == cases.end()) {
    std::fprintf(stderr, "bad-client: no case `%s`; --list lists them\n", name.c_str());
    return ExitMisused;
  }
  wl_log_set_handler_client(logHandler);
  return run(*found, options);
}
