#include "compositor/actions/action_runner.h"

#include <charconv>
#include <map>

namespace vitrine {
namespace {

unsigned number(const std::string& text) {
  unsigned value = 0; // parseAction() has checked it
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

uint32_t edgeOf(const std::string& half) {
  static const std::map<std::string, uint32_t> edges = {
      {"left", WLR_EDGE_LEFT}, {"right", WLR_EDGE_RIGHT}, {"top", WLR_EDGE_TOP}, {"bottom", WLR_EDGE_BOTTOM}};
  const auto found = edges.find(half);
  return found != edges.end() ? found->second : uint32_t{WLR_EDGE_NONE};
}

} // namespace

Result<> ActionRunner::onFocused(const Action& action) {
  Toplevel* focused = desktop_.focused();
  if (focused == nullptr) return invalid("perform", infoOf(action.kind).name, "no window is focused");
  switch (action.kind) {
  case ActionKind::Fullscreen:
    focused->setFullscreen(!focused->isFullscreen());
    break;
  case ActionKind::Maximize:
    focused->setMaximized(!focused->isMaximized());
    break;
  case ActionKind::Minimize:
    desktop_.setMinimized(*focused, true);
    break;
  case ActionKind::Snap:
    focused->snap(edgeOf(action.argument));
    break;
  default:
    focused->close();
    break;
  }
  return {};
}

Result<> ActionRunner::perform(const Action& action) {
  const ActionInfo& info = infoOf(action.kind);
  if (desktop_.isLocked() && info.use != ActionUse::Always)
    return invalid("perform", info.name, "the session is locked");
  switch (action.kind) {
  case ActionKind::None:
    break;
  case ActionKind::Terminal:
    session_.startTerminal();
    break;
  case ActionKind::Run:
    session_.start(action.argument);
    break;
  case ActionKind::Close:
  case ActionKind::Fullscreen:
  case ActionKind::Maximize:
  case ActionKind::Minimize:
  case ActionKind::Snap:
    return onFocused(action);
  case ActionKind::FocusNext:
    desktop_.focusNext();
    break;
  case ActionKind::FocusPrevious:
    desktop_.focusPrevious();
    break;
  case ActionKind::Move:
  case ActionKind::Resize:
  case ActionKind::ReleaseKeys:
    return invalid("perform", info.name, "needs the key or button that it is bound to");
  case ActionKind::SwitchVt:
    session_.switchVt(number(action.argument));
    break;
  case ActionKind::Reload:
    session_.reload();
    break;
  case ActionKind::Quit:
    session_.quit();
    break;
  }
  return {};
}

} // namespace vitrine
