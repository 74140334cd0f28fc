#include "tests/board/common/watched_child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protected-path/base/unique_fd.h"

namespace vitrine {
namespace {

constexpr Nanoseconds second = 1'000'000'000;

[[noreturn]] void beChild(const std::function<int(int)>& body, UniqueFd output, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127); // it ended before the line above
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD})
    std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int status = body(output.get());
  std::fflush(nullptr);
  _exit(status);
}

/** Milliseconds for poll() until `deadline`, rounded up. */
int untilMs(Nanoseconds deadline) {
  return static_cast<int>(std::clamp<Nanoseconds>((deadline - now() + 999'999) / 1'000'000, 0, 3'600'000));
}

/** Waits until the process has ended; false at the deadline. */
bool endedBy(int processFd, Nanoseconds deadline) {
  for (;;) {
    pollfd process{processFd, POLLIN, 0};
    if (poll(&process, 1, untilMs(deadline)) > 0) return true;
    if (now() >= deadline) return false;
  }
}

/** Reads what there is; false at the end of the stream. */
bool drain(int fd, std::string& to) {
  std::array<char, 16384> part;
  const ssize_t got = read(fd, part.data(), part.size());
  if (got > 0) to.append(part.data(), static_cast<size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

/** Reads the output until the child ends, its time is over, or a stop is asked for. */
WatchedEnd::How follow(int processFd, int outputFd, const Watch& watch, Nanoseconds deadline, std::string& output) {
  bool open = true;
  for (;;) {
    std::array<pollfd, 3> waits{{{processFd, POLLIN, 0}, {open ? outputFd : -1, POLLIN, 0}, {watch.stopFd, POLLIN, 0}}};
    if (poll(waits.data(), waits.size(), untilMs(deadline)) < 0 && errno != EINTR) return WatchedEnd::How::TimedOut;
    if (waits[1].revents != 0) {
      open = drain(outputFd, output);
      continue; // all it wrote before it ended
    }
    if (waits[0].revents != 0) return WatchedEnd::How::Exited;
    if (waits[2].revents != 0) return WatchedEnd::How::Interrupted;
    if (now() >= deadline) return WatchedEnd::How::TimedOut;
  }
}

} // namespace

Result<WatchedEnd> runWatched(const std::function<int(int outputFd)>& body, const Watch& watch) {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return systemError("pipe2", "output of a child");
  UniqueFd readEnd(ends[0]);
  UniqueFd writeEnd(ends[1]);
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const Nanoseconds start = now();
  const pid_t child = fork();
  if (child < 0) return systemError("fork", "child");
  if (child == 0) {
    readEnd.reset();
    beChild(body, std::move(writeEnd), parent);
  }
  setpgid(child, child); // both sides, so that it has its group before either goes on
  writeEnd.reset();
  const UniqueFd process(
      static_cast<int>(syscall(SYS_pidfd_open, child, 0))); // glibc 2.41 declares its wrapper for C alone
  if (!process) {
    auto error = systemError("pidfd_open", "child");
    kill(-child, SIGKILL);
    waitpid(child, nullptr, 0);
    return error;
  }

  WatchedEnd end;
  end.how = follow(process.get(), readEnd.get(), watch, start + watch.limit, end.output);
  if (end.how != WatchedEnd::How::Exited) {
    kill(-child, SIGTERM);
    if (!endedBy(process.get(), now() + second)) {
      kill(-child, SIGKILL);
      end.stuck = !endedBy(process.get(), now() + 2 * second);
    }
  }
  kill(-child, SIGKILL); // what it started and left behind
  end.took = now() - start;
  if (end.stuck) return end;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (end.how == WatchedEnd::How::Exited) {
    if (WIFSIGNALED(status)) end.how = WatchedEnd::How::Signalled;
    end.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  }
  return end;
}

} // namespace vitrine
