#include <clocale>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "compositor/ctl/status_view.h"
#include "compositor/ctl/terminal_watch.h"

using namespace vitrine;
using nlohmann::ordered_json;

namespace {

constexpr int misused = 2;

/** A request without arguments, and how its reply looks to a person. */
struct Question {
  const char* name;
  const char* meaning;
  std::vector<std::string> (*lines)(const ordered_json&);
};

constexpr Question questions[] = {
    {"outputs", "List outputs: mode, scale, transform, HDCP, planes in use", outputLines},
    {"windows", "List windows, and how each of their surfaces reaches the panel, with the reason", windowLines},
    {"counters", "Print counts of frames, commits and tests", counterLines},
    {"actions", "List what `vitrinectl action` and bindings can do, and what is bound to it", actionLines},
};

struct CommandLine {
  std::string socket;
  bool json = false;
  std::vector<std::string> action;
};

std::string socketPath(const CommandLine& line) {
  if (!line.socket.empty()) return line.socket;
  const char* path = std::getenv("VITRINE_SOCKET");
  return path != nullptr ? path : "";
}

int fail(const Error& error) {
  std::fprintf(stderr, "vitrinectl: %s\n", error.text().c_str());
  return EXIT_FAILURE;
}

void print(const ordered_json& value) {
  std::printf("%s\n", value.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

int ask(ControlClient& client, const CommandLine& line, const Question& question) {
  const auto reply = client.ask({{"request", question.name}});
  if (!reply) return fail(reply.error());
  const ordered_json& answer = reply->contains(question.name) ? (*reply)[question.name] : *reply;
  if (line.json) {
    print(answer);
    return EXIT_SUCCESS;
  }
  for (const std::string& each : question.lines(answer))
    std::printf("%s\n", each.c_str());
  return EXIT_SUCCESS;
}

int tell(ControlClient& client, const CommandLine& line, const ordered_json& request) {
  const auto reply = client.ask(request);
  if (!reply) return fail(reply.error());
  if (line.json) print(*reply);
  return EXIT_SUCCESS;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

int run(const CLI::App& app, const CommandLine& line) {
  const std::string path = socketPath(line);
  if (path.empty()) {
    std::fprintf(
        stderr,
        "vitrinectl: no session: VITRINE_SOCKET is not set; run this in a session, or name its socket with --socket\n");
    return EXIT_FAILURE;
  }
  auto client = ControlClient::connect(path);
  if (!client) return fail(client.error());
  for (const Question& question : questions)
    if (app.got_subcommand(question.name)) return ask(*client, line, question);
  if (app.got_subcommand("reload")) return tell(*client, line, {{"request", "reload"}});
  if (app.got_subcommand("action"))
    return tell(*client, line, {{"request", "action"}, {"action", joined(line.action)}});
  const bool isScreen = !line.json && ::isatty(STDOUT_FILENO) == 1;
  const auto done = watchSession(*client, isScreen ? WatchStyle::Screen : WatchStyle::Lines);
  return done ? EXIT_SUCCESS : fail(done.error());
}

} // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "C.UTF-8"); // titles are UTF-8
  CLI::App app("Asks a running Vitrine session what it does, and tells it what to do.", "vitrinectl");
  CommandLine line;
  app.set_version_flag("--version", "vitrinectl " VITRINE_VERSION);
  app.add_option("-s,--socket", line.socket, "The session's control socket (default: VITRINE_SOCKET)");
  app.add_flag("-j,--json", line.json, "Print JSON, as vitrine-control(7) documents it");
  for (const Question& question : questions)
    app.add_subcommand(question.name, question.meaning);
  app.add_subcommand("action", "Perform an action, such as `vitrinectl action snap left`")
      ->add_option("action", line.action, "Name and argument, as `vitrinectl actions` lists them")
      ->required();
  app.add_subcommand("reload", "Read the configuration again");
  app.add_subcommand("watch",
                     "Show outputs, windows and counts until Ctrl-C; where stdout is no terminal, as lines of JSON");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.footer("Exit status: 0, 1 the session refused or there is none, 2 misused.");
  try { // CLI11's way to end for --help, --version and misuse
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    return app.exit(end) == 0 ? EXIT_SUCCESS : misused;
  }
  if (app.get_subcommands().empty()) {
    std::fprintf(stderr, "vitrinectl: a command is required; see vitrinectl --help\n");
    return misused;
  }
  return run(app, line);
}
