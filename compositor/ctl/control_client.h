#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "protected-path/base/result.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/** A connection to the control socket of a session (vitrine-control(7)). */
class ControlClient {
public:
  /** Errors: System: nothing listens there. */
  [[nodiscard]] static Result<ControlClient> connect(const std::string& path);

  /** Sends one request and waits for its reply. Errors: System; Invalid: the reply is not one, or says `"ok": false`. */
  [[nodiscard]] Result<nlohmann::ordered_json> ask(const nlohmann::ordered_json& request);
  /** The next line that came, without its end; empty where none is complete. Errors: Missing: the session has ended. */
  [[nodiscard]] Result<std::string> takeLine();
  /** Whether takeLine() has one without reading. */
  [[nodiscard]] bool hasLine() const { return received_.contains('\n'); }
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  explicit ControlClient(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  std::string received_;
};

} // namespace vitrine
