#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * A program whose output we read. Started with an argument vector, never by a shell. The destructor ends and reaps it.
 */
class ChildProcess {
public:
  /**
   * Looks `arguments[0]` up in PATH. It inherits our stderr, and its stdin is empty. Error: Missing, with `remedy`, if
   * the program is not installed.
   */
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& arguments, std::string_view remedy);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  /** The read end of its stdout. */
  [[nodiscard]] int output() const { return output_.get(); }

  /** Waits until it has ended. Error: Invalid unless it exits with 0. */
  [[nodiscard]] Result<> finish();

private:
  ChildProcess(std::string name, pid_t pid, UniqueFd output)
      : name_(std::move(name)), pid_(pid), output_(std::move(output)) {}
  std::string name_;
  pid_t pid_;
  UniqueFd output_;
};

} // namespace vitrine
