#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "compositor/actions/action.h"
#include "compositor/control/control_socket.h"

namespace vitrine {

/** What the requests of the control socket mean. */
class SessionControl {
public:
  /** The session's parts of replies, and what requests change. */
  struct Session {
    std::function<nlohmann::ordered_json()> outputs;
    std::function<nlohmann::ordered_json()> windows;
    std::function<nlohmann::ordered_json()> counters;
    std::function<nlohmann::ordered_json()> actions;
    std::function<Result<>(const Action&)> perform;
    std::function<Result<>()> reload;
  };
  explicit SessionControl(Session session) : session_(std::move(session)) {}

  /** The reply to one request. Any text gets one. */
  [[nodiscard]] ControlSocket::Reply answer(std::string_view request) const;
  /** The event for those who watch: outputs, windows and counters. */
  [[nodiscard]] std::string report() const;

private:
  [[nodiscard]] nlohmann::ordered_json status() const;
  [[nodiscard]] nlohmann::ordered_json perform(const nlohmann::json& request) const;
  [[nodiscard]] nlohmann::ordered_json reply(const std::string& what, const nlohmann::json& request) const;

  Session session_;
};

} // namespace vitrine
