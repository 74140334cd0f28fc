#pragma once

#include <functional>

#include "compositor/actions/action.h"
#include "compositor/shell/desktop.h"

namespace vitrine {

/** Does what actions say, for keys, buttons and the control socket alike. */
class ActionRunner {
public:
  /** What actions do outside the desktop. */
  struct Session {
    std::function<void()> quit;
    std::function<void()> reload;
    std::function<void()> startTerminal;
    std::function<void(const std::string& command)> start;
    std::function<void(unsigned vt)> switchVt;
  };
  ActionRunner(Desktop& desktop, Session session) : desktop_(desktop), session_(std::move(session)) {}

  /**
   * Errors: Invalid: the session is locked, there is no focused window, or the action is one of ActionUse::InputOnly, which are
   * the seat's.
   */
  [[nodiscard]] Result<> perform(const Action& action);

private:
  [[nodiscard]] Result<> onFocused(const Action& action);

  Desktop& desktop_;
  Session session_;
};

} // namespace vitrine
