#include "tests/board/pack/child_process.h"

#include <cerrno>
#include <csignal>
#include <format>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vitrine {
namespace {

/** Owns the two settings objects of posix_spawn. */
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  explicit SpawnSettings(int stdoutFd) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, stdoutFd, STDOUT_FILENO);
    // SIGINT and SIGTERM are blocked for signalfd. A child that inherited this would ignore Ctrl-C.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

} // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments, std::string_view remedy) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return systemError("pipe2", arguments[0]);
  UniqueFd readEnd(ends[0]);
  const UniqueFd writeEnd(ends[1]);

  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str())); // POSIX: posix_spawn does not write to argv's strings
  argv.push_back(nullptr);
  const SpawnSettings settings(writeEnd.get());
  pid_t pid = -1;
  const int result = posix_spawnp(&pid, argv[0], &settings.actions, &settings.attributes, argv.data(), environ);
  if (result == ENOENT) return missing("start", arguments[0], "it is not installed, or not in PATH", remedy);
  if (result != 0) return systemError("posix_spawnp", arguments[0], result);
  return ChildProcess(arguments[0], pid, std::move(readEnd));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : name_(std::move(other.name_)), pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<> ChildProcess::finish() {
  output_.reset();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return systemError("waitpid", name_);
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return invalid("run", name_, std::format("it was ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    return invalid("run", name_, std::format("it ended with status {}; its own words are above", WEXITSTATUS(status)));
  return {};
}

} // namespace vitrine
