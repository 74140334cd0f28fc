#include "protected-path/tee/tee_worker.h"

#include <linux/tee.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <span>
#include <utility>

namespace vitrine {
namespace {

constexpr Nanoseconds closeTimeout = 2'000'000'000; ///< for a worker to close its session and end
constexpr Nanoseconds killTimeout = 200'000'000;    ///< for SIGKILL to end it

/** An argument of TEE_IOC_OPEN_SESSION or TEE_IOC_INVOKE with room for the parameters that follow it. */
template<typename Argument>
struct WithParameters {
  static constexpr uint32_t most = std::tuple_size_v<decltype(TeeCall::parameters)>;
  alignas(8) std::array<std::byte, sizeof(Argument) + most * sizeof(tee_ioctl_param)> storage{};

  explicit WithParameters(uint32_t count) { (new (storage.data()) Argument{})->num_params = std::min(count, most); }
  Argument& argument() { return *std::launder(reinterpret_cast<Argument*>(storage.data())); }
  std::span<tee_ioctl_param> parameters() { return {argument().params, argument().num_params}; }
  tee_ioctl_buf_data descriptor() {
    return {reinterpret_cast<uint64_t>(storage.data()), sizeof(Argument) + parameters().size_bytes()};
  }
};

// ---- In the worker: after a fork, so nothing here may allocate or lock ----

int retryIoctl(int fd, unsigned long request, void* argument) {
  int result = 0;
  do {
    result = ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

TeeAnswer openSession(int tee, const TeeCall& call) {
  WithParameters<tee_ioctl_open_session_arg> open(0);
  std::ranges::copy(call.application, open.argument().uuid);
  open.argument().clnt_login = TEE_IOCTL_LOGIN_PUBLIC;
  tee_ioctl_buf_data descriptor = open.descriptor();
  TeeAnswer answer;
  if (retryIoctl(tee, TEE_IOC_OPEN_SESSION, &descriptor) != 0) answer.error = errno;
  answer.result = open.argument().ret;
  answer.origin = open.argument().ret_origin;
  answer.session = open.argument().session;
  return answer;
}

TeeAnswer invoke(int tee, uint32_t session, const TeeCall& call) {
  WithParameters<tee_ioctl_invoke_arg> invocation(call.parameterCount);
  invocation.argument().func = call.command;
  invocation.argument().session = session;
  const std::span<tee_ioctl_param> parameters = invocation.parameters();
  std::ranges::copy_n(call.parameters.begin(), static_cast<ptrdiff_t>(parameters.size()), parameters.begin());
  tee_ioctl_buf_data descriptor = invocation.descriptor();
  TeeAnswer answer;
  if (retryIoctl(tee, TEE_IOC_INVOKE, &descriptor) != 0) answer.error = errno;
  answer.result = invocation.argument().ret;
  answer.origin = invocation.argument().ret_origin;
  std::ranges::copy(parameters, answer.parameters.begin());
  return answer;
}

/** Closes every file but two: a worker that never ends must keep no pipe, no socket and no buffer alive. */
void closeAllBut(int one, int other) {
  const unsigned low = static_cast<unsigned>(std::min(one, other));
  const unsigned high = static_cast<unsigned>(std::max(one, other));
  if (low > 0) close_range(0, low - 1, 0);
  if (high > low + 1) close_range(low + 1, high - 1, 0);
  close_range(high + 1, UINT_MAX, 0);
}

[[noreturn]] void serve(int tee, int channel) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  closeAllBut(tee, channel);
  std::optional<uint32_t> session;
  TeeCall call;
  while (recv(channel, &call, sizeof(call), 0) == static_cast<ssize_t>(sizeof(call))) {
    const bool opens = call.kind == TeeCall::Kind::OpenSession;
    const TeeAnswer answer = opens ? openSession(tee, call) : invoke(tee, session.value_or(0), call);
    if (opens && answer.error == 0 && answer.result == 0) session = answer.session;
    if (send(channel, &answer, sizeof(answer), MSG_NOSIGNAL) < 0) break;
  }
  if (session) {
    tee_ioctl_close_session_arg request{*session};
    retryIoctl(tee, TEE_IOC_CLOSE_SESSION, &request);
  }
  _exit(0);
}

// ---- Here ----

/**
 * Waits until `fd` is readable or hung up. 0, ETIMEDOUT, or ECANCELED once `stopFd` is readable: a stop counts even
 * when the answer has come as well, so that the result does not depend on which of the two is seen first.
 */
int await(int fd, std::optional<Nanoseconds> timeout, int stopFd) {
  const Nanoseconds deadline = now() + timeout.value_or(0);
  for (;;) {
    pollfd fds[] = {{fd, POLLIN, 0}, {stopFd, POLLIN, 0}};
    const Nanoseconds left = std::max<Nanoseconds>(deadline - now(), 0);
    const timespec limit{left / 1'000'000'000, left % 1'000'000'000};
    const int ready = ppoll(fds, 2, timeout ? &limit : nullptr, nullptr);
    if (ready < 0 && errno != EINTR) return errno;
    if (fds[1].revents != 0 && ready > 0) return ECANCELED;
    if (fds[0].revents != 0 && ready > 0) return 0;
    if (ready == 0) return ETIMEDOUT;
  }
}

} // namespace

TeeWorker::TeeWorker(UniqueFd channel, UniqueFd process, pid_t pid)
    : channel_(std::move(channel)), process_(std::move(process)), pid_(pid) {}

Result<TeeWorker> TeeWorker::start(int teeFd) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return systemError("socketpair", "TEE worker");
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return systemError("fork", "TEE worker");
  if (pid == 0) serve(teeFd, theirs.get());
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return TeeWorker(std::move(ours), std::move(process), pid);
}

Result<TeeAnswer> TeeWorker::call(const TeeCall& call, std::optional<Nanoseconds> timeout, int stopFd,
                                  std::string_view operation, const std::string& object) {
  int error = channel_ ? 0 : EPIPE;
  if (error == 0 && send(channel_.get(), &call, sizeof(call), MSG_NOSIGNAL) < 0) error = errno;
  if (error == 0) error = await(channel_.get(), timeout, stopFd);
  TeeAnswer answer;
  if (error == 0 && recv(channel_.get(), &answer, sizeof(answer), 0) != static_cast<ssize_t>(sizeof(answer)))
    error = EPIPE;
  if (error == 0) return answer;
  channel_.reset(); // no idle worker: it is not waited for
  end();
  return systemError(operation, object, error);
}

void TeeWorker::end() {
  if (pid_ < 0) return;
  const bool idle = static_cast<bool>(channel_);
  channel_.reset(); // an idle worker sees the end of the channel, closes its session and ends
  const bool ended = idle && await(process_.get(), closeTimeout, -1) == 0;
  if (!ended) {
    kill(pid_, SIGKILL);
    await(process_.get(), killTimeout, -1);
  }
  waitpid(pid_, nullptr, WNOHANG);
  pid_ = -1;
}

TeeWorker::TeeWorker(TeeWorker&& other) noexcept
    : channel_(std::move(other.channel_)), process_(std::move(other.process_)), pid_(std::exchange(other.pid_, -1)) {}

TeeWorker& TeeWorker::operator=(TeeWorker&& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(process_, other.process_);
  std::swap(pid_, other.pid_);
  return *this;
}

TeeWorker::~TeeWorker() {
  end();
}

} // namespace vitrine
