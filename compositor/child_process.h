#pragma once

#include <sys/types.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "protected-path/base/clock.h"
#include "protected-path/base/result.h"

namespace vitrine {

/** A program that the compositor started, with default signals and in a process group of its own. */
class ChildProcess {
public:
  ChildProcess() = default;
  /** Starts `command` (program and arguments, found by PATH). The Error names the program. */
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& command);

  [[nodiscard]] bool isRunning() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /** Does not wait. Returns true if the process has ended since the last call. Libraries wait for children of their own. */
  bool noteEnd() { return wait(WNOHANG); }
  /** Exit status, or 128 + signal, of a process that has ended. */
  [[nodiscard]] int exitStatus() const { return exitStatus_; }
  /** SIGTERM to the process group. */
  void terminate() const;
  /** Waits for the process after terminate(). If it has not ended by `deadline` (now()'s clock), kills its group. */
  void awaitEnd(Nanoseconds deadline);

private:
  bool wait(int flags);
  pid_t pid_ = -1;
  int exitStatus_ = 0;
};

} // namespace vitrine
