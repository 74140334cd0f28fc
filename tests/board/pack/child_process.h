#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "protected-path/base/unique_fd.h"

namespace vitrine {

/** A program whose output we read. Started with an argument vector, never through a shell; ended and reaped in the
 * destructor. */
class ChildProcess {
public:
  /** `arguments[0]` is looked up in PATH; Missing, with `remedy`, where it is not there. Its stderr is ours, its stdin
   * empty. */
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& arguments, std::string_view remedy);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  /** The read end of its stdout. */
  [[nodiscard]] int output() const { return output_.get(); }

  /** Waits for its end; Invalid unless it exits with 0. */
  [[nodiscard]] Result<> finish();

private:
  ChildProcess(std::string name, pid_t pid, UniqueFd output)
      : name_(std::move(name)), pid_(pid), output_(std::move(output)) {}
  std::string name_;
  pid_t pid_;
  UniqueFd output_;
};

} // namespace vitrine
