#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <format>

#include <CLI/CLI.hpp>

#include "compositor/descriptor_limit.h"
#include "compositor/server.h"
#include "compositor/wlr/log_bridge.h"
#include "protected-path/base/log.h"

using namespace vitrine;

namespace {

constexpr int misused = 2;

struct CommandLine {
  bool checkConfig = false;
  bool listProtocols = false;
  bool listActions = false;
  ServerOptions options;
};

void describe(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", "vitrine " VITRINE_VERSION);
  app.add_option("-c,--config", line.options.configFile,
                 "Configuration file (default: vitrine/vitrine.toml below XDG_CONFIG_HOME or /etc/xdg)");
  app.add_flag("--check-config", line.checkConfig, "Read the configuration, say what is wrong with it, and end");
  app.add_flag("--list-protocols", line.listProtocols,
               "List the protocols, who sees each (everybody, or trusted: all but sandboxed clients) and why, and end");
  app.add_flag("--list-actions", line.listActions,
               "List the actions that keys and buttons can be bound to: name, argument, default bindings, and end");
  app.add_option("-s,--startup", line.options.startup, "Shell command to start in the session");
  app.add_option("--status", line.options.statusFile, "Write a JSON report there on SIGUSR1 and at the end");
  app.add_option("-l,--log", line.options.logLevels, "Log levels, such as info,kms=debug (also VITRINE_LOG)")
      ->check([](const std::string& text) {
        const auto levels = parseLogLevels(text);
        return levels ? std::string() : levels.error().text();
      });
  app.add_option("command", line.options.command,
                 "A client to run as a kiosk: the session ends with it, with its status");
  app.positionals_at_end();
  app.footer("Keys and buttons: see --list-actions. SIGHUP reads the configuration again, as saving the file does.\n\n"
             "Exit status: 0 (or the kiosk client's), 1 the session could not start, 2 misused.");
}

void listProtocols() {
  for (const GlobalPolicy& policy : globalPolicies()) {
    std::printf("%-53.*s %-9s %.*s\n", static_cast<int>(policy.interface.size()), policy.interface.data(),
                policy.access == GlobalAccess::Everybody ? "everybody" : "trusted",
                static_cast<int>(policy.reason.size()), policy.reason.data());
  }
}

std::string inTheFile(const DefaultBinding& binding) {
  return std::format("{}{}{}", binding.chord, binding.argument.empty() ? "" : " = ", binding.argument);
}

void listActions() {
  for (const ActionInfo& info : actionInfos()) {
    std::string bindings;
    for (const auto* table : {&info.keys, &info.buttons})
      for (const DefaultBinding& each : *table)
        bindings += std::format("{}{}", bindings.empty() ? "" : ", ", inTheFile(each));
    std::printf("%s\n", std::format("{}{}{}", info.name, info.argument.empty() ? "" : " ", info.argument).c_str());
    std::printf("    %.*s\n", static_cast<int>(info.meaning.size()), info.meaning.data());
    std::printf("    default: %s\n", bindings.empty() ? "not bound" : bindings.c_str());
  }
}

Result<Config> loadConfig(const CommandLine& line) {
  const std::filesystem::path file = line.options.configFile.empty() ? Config::find() : line.options.configFile;
  const ConfigCheck check = line.checkConfig ? ConfigCheck::Machine : ConfigCheck::Text;
  return file.empty() ? Result<Config>(Config{}) : Config::load(file, check);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("A Wayland compositor for content that the display may show and the CPU may never read.", "vitrine");
  CommandLine line;
  describe(app, line);
  try { // CLI11's way to end for --help, --version and misuse
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    return app.exit(end) == 0 ? EXIT_SUCCESS : misused;
  }
  if (line.listProtocols) {
    listProtocols();
    return EXIT_SUCCESS;
  }
  if (line.listActions) {
    listActions();
    return EXIT_SUCCESS;
  }
  installLogBridge();
  auto config = loadConfig(line);
  if (!config) {
    std::fprintf(stderr, "vitrine: %s\n", config.error().text().c_str());
    return misused;
  }
  if (auto done = applyLogLevels(*config, line.options.logLevels); !done) {
    std::fprintf(stderr, "vitrine: %s\n", done.error().text().c_str());
    return misused;
  }
  if (line.checkConfig) return EXIT_SUCCESS;
  raiseDescriptorLimit();
  std::signal(SIGPIPE, SIG_IGN); // a log whose reader has gone must not end the session
  auto server = Server::start(std::move(*config), std::move(line.options));
  if (!server) {
    log("server").error("{}", server.error().text());
    return EXIT_FAILURE;
  }
  return (*server)->run();
}
