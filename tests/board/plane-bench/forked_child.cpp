#include "tests/board/plane-bench/forked_child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vitrine::bench {
namespace {

[[noreturn]] void runChild(const std::function<int(int)>& body, int pipe, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1); // it ended before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGINT, SIG_IGN);
  // _exit: what the parent has buffered for stdout must not be written twice.
  _exit(body(pipe));
}

} // namespace

Result<ForkedChild> ForkedChild::start(const std::function<int(int)>& body) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return systemError("pipe2", "child");
  UniqueFd readEnd(ends[0]);
  const UniqueFd writeEnd(ends[1]);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return systemError("fork", "child");
  if (pid == 0) {
    readEnd.reset();
    runChild(body, writeEnd.get(), parent);
  }
  return ForkedChild(pid, std::move(readEnd));
}

ForkedChild::ForkedChild(ForkedChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}

ForkedChild::~ForkedChild() {
  if (pid_ < 0) return;
  kill();
  (void)finish();
}

void ForkedChild::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

std::string ForkedChild::finish() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return std::format("waitpid: {}", std::strerror(errno));
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    return std::format("it was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) return std::format("it ended with status {}", WEXITSTATUS(status));
  return {};
}

} // namespace vitrine::bench
