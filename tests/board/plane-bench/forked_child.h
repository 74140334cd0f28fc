#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "protected-path/base/unique_fd.h"

namespace vitrine::bench {

/**
 * A copy of this process that does something dangerous, while this one keeps what has to survive it.
 *
 * The child is killed with its parent (PR_SET_PDEATHSIG), ignores SIGINT, so that Ctrl-C reaches the parent alone, and has no
 * blocked signals. Fork before there are threads.
 */
class ForkedChild {
public:
  /** Runs `body` in the child with the write end of a pipe; what it returns is the child's exit status. */
  [[nodiscard]] static Result<ForkedChild> start(const std::function<int(int pipe)>& body);
  ForkedChild(ForkedChild&& other) noexcept;
  ForkedChild& operator=(ForkedChild&&) = delete;
  /** Kills it where it still runs, and reaps it. */
  ~ForkedChild();

  /** The read end of the pipe: readable while there is text, at its end when the child has ended. */
  [[nodiscard]] int output() const { return output_.get(); }
  void kill() const;
  /** Waits for its end: empty for exit status 0, else `it was ended by signal 9 (Killed)` or `it ended with status 1`. */
  [[nodiscard]] std::string finish();

private:
  ForkedChild(pid_t pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}
  pid_t pid_ = -1;
  UniqueFd output_;
};

} // namespace vitrine::bench
