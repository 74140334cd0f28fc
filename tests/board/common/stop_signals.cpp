#include "tests/board/common/stop_signals.h"

#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

namespace vitrine {

Result<StopSignals> StopSignals::create() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return systemError("sigprocmask", "SIGINT, SIGTERM");
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return systemError("signalfd", "SIGINT, SIGTERM");
  return StopSignals(std::move(fd));
}

bool StopSignals::stopped() {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
    stopped_ = true;
  return stopped_;
}

} // namespace vitrine
