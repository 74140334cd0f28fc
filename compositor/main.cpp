#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "compositor/descriptor_limit.h"
#include "compositor/server.h"
#include "compositor/wlr/log_bridge.h"
#include "protected-path/base/log.h"

using namespace vitrine;

namespace {

constexpr int misused = 2;

struct CommandLine {
  std::filesystem::path config;
  std::string logLevels;
  bool checkConfig = false;
  bool listProtocols = false;
  ServerOptions options;
};

void describe(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", "vitrine " VITRINE_VERSION);
  app.add_option("-c,--config", line.config,
                 "Configuration file (default: vitrine/vitrine.toml below XDG_CONFIG_HOME or /etc/xdg)");
  app.add_flag("--check-config", line.checkConfig, "Read the configuration, say what is wrong with it, and end");
  app.add_flag("--list-protocols", line.listProtocols,
               "List the protocols, who sees each (everybody, or trusted: all but sandboxed clients) and why, and end");
  app.add_option("-s,--startup", line.options.startup, "Shell command to start in the session");
  app.add_option("--status", line.options.statusFile, "Write a JSON report there on SIGUSR1 and at the end");
  app.add_option("-l,--log", line.logLevels, "Log levels, such as info,kms=debug (also VITRINE_LOG)")
      ->check([](const std::string& text) {
        const auto levels = parseLogLevels(text);
        return levels ? std::string() : levels.error().text();
      });
  app.add_option("command", line.options.command,
                 "A client to run as a kiosk: the session ends with it, with its status");
  app.positionals_at_end();
  app.footer("Keys: Logo+Return terminal, Logo+Tab next window, Logo+F fullscreen, Logo+M maximise, Logo+Q close,\n"
             "Logo+drag move or resize, Ctrl+Alt+Fn switch VT, Ctrl+Alt+Backspace end the session.\n\n"
             "Exit status: 0 (or the kiosk client's), 1 the session could not start, 2 misused.");
}

void listProtocols() {
  for (const GlobalPolicy& policy : globalPolicies()) {
    std::printf("%-53.*s %-9s %.*s\n", static_cast<int>(policy.interface.size()), policy.interface.data(),
                policy.access == GlobalAccess::Everybody ? "everybody" : "trusted",
                static_cast<int>(policy.reason.size()), policy.reason.data());
  }
}

Result<Config> loadConfig(const CommandLine& line) {
  const std::filesystem::path file = line.config.empty() ? Config::find() : line.config;
  const ConfigCheck check = line.checkConfig ? ConfigCheck::Machine : ConfigCheck::Text;
  return file.empty() ? Result<Config>(Config{}) : Config::load(file, check);
}

/** In this order, so that the command line has the last word. What the other two say has been checked. */
Result<> applyLogLevels(const CommandLine& line, const Config& config) {
  const char* environment = std::getenv("VITRINE_LOG");
  if (auto done = setLogLevels(config.logLevels); !done) return done;
  if (auto done = setLogLevels(environment != nullptr ? environment : ""); !done) {
    return invalid("read VITRINE_LOG", environment, done.error().text());
  }
  return setLogLevels(line.logLevels);
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
  installLogBridge();
  auto config = loadConfig(line);
  if (!config) {
    std::fprintf(stderr, "vitrine: %s\n", config.error().text().c_str());
    return misused;
  }
  if (auto done = applyLogLevels(line, *config); !done) {
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
