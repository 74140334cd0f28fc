#include "compositor/actions/action.h"

#include <algorithm>
#include <charconv>
#include <format>
#include <ranges>

namespace vitrine {
namespace {

constexpr unsigned mostVts = 12; ///< as many as there are function keys

std::unexpected<Error> wrongArgument(const ActionInfo& info, std::string_view given) {
  if (info.argument.empty()) return invalid("read action", info.name, std::format("takes no argument '{}'", given));
  if (given.empty()) return invalid("read action", info.name, std::format("needs {}", info.argument));
  return invalid("read action", info.name, std::format("needs {}, not '{}'", info.argument, given));
}

bool isNumberWithin(std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
}

bool fits(const ActionInfo& info, std::string_view argument) {
  if (info.argument.empty()) return argument.empty();
  if (info.kind == ActionKind::SwitchVt) return isNumberWithin(argument, 1, mostVts);
  if (!info.argument.contains('|')) return !argument.empty();
  return std::ranges::any_of(std::views::split(info.argument, '|'),
                             [&](const auto& word) { return std::string_view(word) == argument; });
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

} // namespace

const std::vector<ActionInfo>& actionInfos() {
  using enum ActionKind;
  using enum ActionUse;
  static const std::vector<ActionInfo> infos = {
      {Terminal, "terminal", "", "start the terminal of [desktop]", Usual, {{"Logo+Return", ""}}, {}},
      {Run, "run", "COMMAND", "run a shell command", Usual, {}, {}},
      {Close, "close", "", "ask the focused window to close", Usual, {{"Logo+q", ""}}, {}},
      {Fullscreen, "fullscreen", "", "make the focused window fullscreen, or end that", Usual, {{"Logo+f", ""}}, {}},
      {Maximize, "maximize", "", "maximise the focused window, or end that", Usual, {{"Logo+m", ""}}, {}},
      {Minimize, "minimize", "", "hide the focused window; focus-next shows it again", Usual, {{"Logo+n", ""}}, {}},
      {Snap,
       "snap",
       "left|right|top|bottom|off",
       "put the focused window on a half of its output, or back where it was",
       Usual,
       {{"Logo+Left", "left"}, {"Logo+Right", "right"}, {"Logo+Down", "off"}},
       {}},
      {FocusNext,
       "focus-next",
       "",
       "focus the window that had the keyboard longest ago",
       Usual,
       {{"Logo+Tab", ""}},
       {}},
      {FocusPrevious,
       "focus-previous",
       "",
       "focus the window that focus-next came from",
       Usual,
       {{"Logo+Shift+Tab", ""}},
       {}},
      {Move, "move", "", "drag the window under the pointer", InputOnly, {}, {{"Logo+LeftButton", ""}}},
      {Resize, "resize", "", "drag the lower right corner of the window", InputOnly, {}, {{"Logo+RightButton", ""}}},
      {ReleaseKeys,
       "release-keys",
       "",
       "take the shortcuts back from a client that inhibits them",
       InputOnly,
       {{"Logo+Escape", ""}},
       {}},
      {SwitchVt,
       "switch-vt",
       "NUMBER",
       "switch to a virtual terminal, 1 to 12",
       Always,
       {{"Ctrl+Alt+F1", "1"},
        {"Ctrl+Alt+F2", "2"},
        {"Ctrl+Alt+F3", "3"},
        {"Ctrl+Alt+F4", "4"},
        {"Ctrl+Alt+F5", "5"},
        {"Ctrl+Alt+F6", "6"},
        {"Ctrl+Alt+F7", "7"},
        {"Ctrl+Alt+F8", "8"},
        {"Ctrl+Alt+F9", "9"},
        {"Ctrl+Alt+F10", "10"},
        {"Ctrl+Alt+F11", "11"},
        {"Ctrl+Alt+F12", "12"}},
       {}},
      {Reload, "reload", "", "read the configuration again", Usual, {}, {}},
      {Quit, "quit", "", "end the session", DespiteClients, {{"Ctrl+Alt+BackSpace", ""}}, {}},
      {None, "none", "", "nothing: takes a default binding away, the input goes to the window", Usual, {}, {}},
  };
  return infos;
}

const ActionInfo& infoOf(ActionKind kind) {
  return *std::ranges::find(actionInfos(), kind, &ActionInfo::kind);
}

Result<Action> parseAction(std::string_view text) {
  const std::string_view whole = trimmed(text);
  const std::string_view name = whole.substr(0, whole.find_first_of(" \t"));
  const std::string_view argument = trimmed(whole.substr(name.size()));
  const auto info = std::ranges::find(actionInfos(), name, &ActionInfo::name);
  if (info == actionInfos().end()) {
    std::string known;
    for (const ActionInfo& each : actionInfos())
      known += std::format("{}{}", known.empty() ? "" : ", ", each.name);
    return invalid("read action", name, "there is no such action", "the actions are " + known);
  }
  if (!fits(*info, argument)) return wrongArgument(*info, argument);
  return Action{info->kind, std::string(argument)};
}

} // namespace vitrine
