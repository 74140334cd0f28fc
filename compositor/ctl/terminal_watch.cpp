#include "compositor/ctl/terminal_watch.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "compositor/ctl/status_view.h"
#include "protected-path/base/clock.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

/** What is written as a whole, so that the terminal shows no half page. False: nobody reads it any more. */
bool writeAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(STDOUT_FILENO, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    text.remove_prefix(static_cast<size_t>(done));
  }
  return true;
}

/** The terminal's alternate screen without a cursor, as long as it lives. */
class Screen {
public:
  Screen() { static_cast<void>(writeAll("\x1b[?1049h\x1b[?25l")); }
  Screen(const Screen&) = delete;
  ~Screen() { static_cast<void>(writeAll("\x1b[?25h\x1b[?1049l")); }

  [[nodiscard]] static bool show(const std::vector<std::string>& lines) {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
      size.ws_row = 24;
      size.ws_col = 80;
    }
    std::string page = "\x1b[H";
    const size_t rows = std::min<size_t>(lines.size(), size.ws_row);
    for (size_t i = 0; i < rows; ++i) {
      const bool cut = i + 1 == rows && rows < lines.size();
      page += fitted(cut ? std::string("…") : lines[i], size.ws_col) + "\x1b[K" + (i + 1 < rows ? "\r\n" : "");
    }
    return writeAll(page + "\x1b[J");
  }
};

/** Statuses in the order in which they come, with the time between the last two. */
struct History {
  ordered_json status;
  ordered_json before;
  Nanoseconds at = 0;
  double seconds = 0;

  /** False: the line is no status. */
  bool add(const std::string& line) {
    const ordered_json parsed = ordered_json::parse(line, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("status")) return false;
    before = std::exchange(status, parsed["status"]);
    const Nanoseconds time = now();
    seconds = before.is_null() ? 0 : static_cast<double>(time - at) / 1e9;
    at = time;
    return true;
  }
  [[nodiscard]] std::vector<std::string> lines() const { return statusLines(status, before, seconds); }
};

/** The signals that end or resize, as a file to poll. */
Result<UniqueFd> watchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH})
    sigaddset(&signals, number);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return systemError("sigprocmask", "SIGINT and SIGWINCH");
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd.get() < 0) return systemError("signalfd", "SIGINT and SIGWINCH");
  return fd;
}

enum class Told { Nothing, Resized, Ends };

Told readSignals(int fd) {
  Told told = Told::Nothing;
  signalfd_siginfo info{};
  while (::read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGWINCH) return Told::Ends;
    told = Told::Resized;
  }
  return told;
}

} // namespace

Result<> watchSession(ControlClient& client, WatchStyle style) {
  const auto signals = watchSignals();
  if (!signals) return std::unexpected(signals.error());
  const auto first = client.ask({{"request", "watch"}});
  if (!first) return std::unexpected(first.error());
  std::optional<Screen> screen;
  if (style == WatchStyle::Screen) screen.emplace();
  History history;
  for (bool draws = false;; draws = false) {
    while (client.hasLine()) {
      const auto line = client.takeLine();
      if (style == WatchStyle::Lines && !writeAll(*line + "\n")) return {};
      draws = history.add(*line) || draws;
    }
    if (screen && draws && !Screen::show(history.lines())) return {};
    pollfd polled[] = {{client.fd(), POLLIN, 0}, {signals->get(), POLLIN, 0}};
    if (::poll(polled, std::size(polled), -1) < 0 && errno != EINTR) return systemError("poll", "the control socket");
    const Told told = readSignals(signals->get());
    if (told == Told::Ends) return {};
    if (screen && told == Told::Resized && !Screen::show(history.lines())) return {};
    if (polled[0].revents == 0) continue;
    const auto line = client.takeLine();
    if (!line) return std::unexpected(line.error());
    if (line->empty()) continue;
    if (style == WatchStyle::Lines && !writeAll(*line + "\n")) return {};
    if (history.add(*line) && screen && !Screen::show(history.lines())) return {};
  }
}

} // namespace vitrine
