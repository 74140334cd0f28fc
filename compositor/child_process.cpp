#include "compositor/child_process.h"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compositor/descriptor_limit.h"
#include "protected-path/base/unique_fd.h"

extern "C" { // glibc before 2.42 does not say so itself
#include <sys/pidfd.h>
}

extern char** environ;

namespace vitrine {

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The event loop blocks the signals that it handles; a child must not inherit that.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  // Not every library marks its file descriptors: wlroots accepts a sandboxed client's connection without close-on-exec.
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  ChildProcess child;
  const InheritedDescriptorLimit limit;
  const int failed = posix_spawnp(&child.pid_, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return systemError("start", command[0], failed, "check the command's name and PATH");
  return child;
}

bool ChildProcess::wait(int flags) {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, flags) != pid_) return false;
  pid_ = -1;
  exitStatus_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

void ChildProcess::terminate() const {
  if (pid_ > 0) ::kill(-pid_, SIGTERM);
}

void ChildProcess::awaitEnd(Nanoseconds deadline) {
  if (pid_ <= 0) return;
  const UniqueFd process(::pidfd_open(pid_, 0));
  pollfd polled{process.get(), POLLIN, 0};
  const timespec limit = toTimespec(std::max<Nanoseconds>(deadline - now(), 0));
  if (::ppoll(&polled, 1, &limit, nullptr) != 1) ::kill(-pid_, SIGKILL);
  wait(0);
}

} // namespace vitrine
