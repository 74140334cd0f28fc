#include "tests/board/display-test/read_attempt.h"

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <format>

#include <sys/mman.h>
#include <unistd.h>

namespace vitrine::display_test {
namespace {

constexpr size_t targetBytes = 65536;

sigjmp_buf afterFault; // one thread, in a case's own process

void leaveFault(int number) {
  siglongjmp(afterFault, number);
}

/** SIGBUS and SIGSEGV come back to sigsetjmp(afterFault) while it lives. */
class FaultGuard {
public:
  FaultGuard() {
    struct sigaction action{};
    action.sa_handler = leaveFault;
    sigaction(SIGBUS, &action, &bus_);
    sigaction(SIGSEGV, &action, &segment_);
  }
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;
  ~FaultGuard() {
    sigaction(SIGBUS, &bus_, nullptr);
    sigaction(SIGSEGV, &segment_, nullptr);
  }

private:
  struct sigaction bus_{};
  struct sigaction segment_{};
};

/** memcpy(); the signal that ended it, or 0. A function of its own, since siglongjmp() runs no destructor. */
[[gnu::noinline]] int copyOrFault(void* to, const void* from, size_t sizeBytes) {
  const FaultGuard guard;
  if (const int number = sigsetjmp(afterFault, 1); number != 0) return number;
  std::memcpy(to, from, sizeBytes);
  return 0;
}

void judge(Trial& trial, const ReadAttempt& attempt, const Result<>& filled) {
  switch (attempt.how) {
  case ReadAttempt::How::Refused:
    trial.saw(attempt.step, errnoText(attempt.number));
    return;
  case ReadAttempt::How::Faulted:
    trial.saw("access", std::format("{} (signal {})", strsignal(attempt.number), attempt.number));
    return;
  case ReadAttempt::How::Read:
    break;
  }
  const bool secret = holdsSecret(attempt.bytes, trial.secret());
  const bool zeros = std::ranges::all_of(attempt.bytes, [](std::byte one) { return one == std::byte{0}; });
  const std::string_view content = secret   ? "the content of the buffer"
                                   : zeros  ? "all zero"
                                   : filled ? "not the content of the buffer"
                                            : "unknown content";
  trial.expect(!secret && filled.has_value(), "read by the CPU",
               std::format("{} bytes: {}{}", attempt.bytes.size(), content,
                           filled ? "" : ", and readable; the TEE could write no secret to look for"));
}

} // namespace

Result<> tryToRead(Trial& trial, ReadAttempt (*way)(const Target& target)) {
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), targetBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto filled = buffer->fill(trial.board(), 0, pattern(trial.secret(), targetBytes));
  trial.saw("content", filled ? "a secret, written by the TEE" : "unknown: " + filled.error().text());
  judge(trial, way({buffer->fd(), targetBytes, &trial.board()}), filled);
  return {};
}

ReadAttempt readMemory(const void* address, size_t sizeBytes) {
  std::vector<std::byte> bytes(sizeBytes);
  if (const int number = copyOrFault(bytes.data(), address, sizeBytes); number != 0)
    return {ReadAttempt::How::Faulted, number, {}, {}};
  return ReadAttempt::read(std::move(bytes));
}

ReadAttempt mapAndRead(int fd, size_t sizeBytes, int protection, int flags, off_t offset) {
  void* address = mmap(nullptr, sizeBytes, protection, flags, fd, offset);
  if (address == MAP_FAILED) return ReadAttempt::refused("mmap", errno);
  ReadAttempt attempt = readMemory(address, sizeBytes);
  munmap(address, sizeBytes);
  return attempt;
}

int mapErrno(int fd, int protection) {
  void* address = mmap(nullptr, 4096, protection, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return errno;
  munmap(address, 4096);
  return 0;
}

std::vector<std::byte> readAll(int fd, size_t atMost) {
  std::vector<std::byte> bytes(atMost);
  size_t length = 0;
  while (length < atMost) {
    const ssize_t got = read(fd, bytes.data() + length, atMost - length);
    if (got <= 0) break;
    length += static_cast<size_t>(got);
  }
  bytes.resize(length);
  return bytes;
}

} // namespace vitrine::display_test
