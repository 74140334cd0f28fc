#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protected-path/base/result.h"

namespace vitrine {

enum class ActionKind : uint8_t {
  None,
  Terminal,
  Run,
  Close,
  Fullscreen,
  Maximize,
  Minimize,
  Snap,
  FocusNext,
  FocusPrevious,
  Move,
  Resize,
  ReleaseKeys,
  SwitchVt,
  Reload,
  Quit,
};

/** What a key, a button or `vitrinectl action` makes the compositor do. */
struct Action {
  ActionKind kind = ActionKind::None;
  std::string argument; ///< in the form that ActionInfo::argument says; empty where that is empty
  bool operator==(const Action&) const = default;
};

/** A binding that needs no configuration. */
struct DefaultBinding {
  std::string_view chord;    ///< as in the configuration, such as `Logo+Return`
  std::string_view argument; ///< of the action
};

/** When an action is available. */
enum class ActionUse : uint8_t {
  Usual,          ///< not while the session is locked, and not while a client inhibits shortcuts
  DespiteClients, ///< also while a client inhibits shortcuts
  Always,         ///< also while the session is locked
  InputOnly,      ///< Usual, and needs the input event that it is bound to: it cannot be sent to the control socket
};

/** One action that bindings can name. */
struct ActionInfo {
  ActionKind kind;
  std::string_view name;
  std::string_view argument; ///< its form, such as `COMMAND` or `left|right`; empty if it takes none
  std::string_view meaning;
  ActionUse use;
  std::vector<DefaultBinding> keys;
  std::vector<DefaultBinding> buttons;
};

/** Every action, in the order of `vitrine --list-actions`. */
[[nodiscard]] const std::vector<ActionInfo>& actionInfos();
[[nodiscard]] const ActionInfo& infoOf(ActionKind kind);

/** Reads `NAME` or `NAME ARGUMENT`. Error: Invalid: no such action, or a wrong argument; it says what is allowed. */
[[nodiscard]] Result<Action> parseAction(std::string_view text);

} // namespace vitrine
