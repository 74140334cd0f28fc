/* The broken board: its TEE. */
#undef _FILE_OFFSET_BITS // the 32-bit and the 64-bit names are both defined here
#include <fcntl.h>
#include <linux/tee.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "protected-path/tee/tee_uapi.h"
#include "tests/board/display-test/proofs/broken_board.h"

namespace broken {
namespace {

using vitrine::teeIocShmRegisterFd;
using vitrine::TeeShmRegisterFd;

struct Invocation {
  tee_ioctl_invoke_arg* argument;
  tee_ioctl_param* params;
  explicit Invocation(void* data)
      : argument(reinterpret_cast<tee_ioctl_invoke_arg*>(static_cast<tee_ioctl_buf_data*>(data)->buf_ptr)),
        params(reinterpret_cast<tee_ioctl_param*>(argument + 1)) {}
  [[nodiscard]] bool isProtected(unsigned index) const {
    return index < argument->num_params && params[index].c < seenByCase().registeredIds.size() &&
           seenByCase().registeredIds[params[index].c];
  }
  [[nodiscard]] uint64_t type(unsigned index) const { return params[index].attr & TEE_IOCTL_PARAM_ATTR_TYPE_MASK; }
};

constexpr uint32_t accessDenied = 0xffff0001;
constexpr uint32_t badParameters = 0xffff0006;
constexpr uint32_t shortBuffer = 0xffff0010;
constexpr uint32_t genericError = 0xffff0000;
constexpr uint32_t outOfMemory = 0xffff000c;

/** An answer that the break gives instead of asking the TEE, or 0. */
uint32_t answerInstead(const Invocation& call) {
  const tee_ioctl_invoke_arg& argument = *call.argument;
  const bool sdpInject =
      argument.func == 0 && !seen().decryptSessions.contains(argument.session) && argument.num_params == 2;
  if (breaks("inject") && sdpInject && call.params[1].a == 255) return genericError;
  if (breaks("large-frame") && sdpInject && call.params[1].a >= 1 << 20) return outOfMemory;
  if (breaks("decrypt") && argument.func == 1 && seen().decryptSessions.contains(argument.session)) return genericError;
  if (breaks("outlives-descriptor") && seenByCase().bufferClosed && sdpInject) return genericError;
  return 0;
}

/** Whether the break makes a success of what the TEE refused. */
bool accepts(const Invocation& call) {
  const tee_ioctl_invoke_arg& argument = *call.argument;
  const bool denied = argument.ret == accessDenied || argument.ret == badParameters;
  const bool inject =
      argument.func % 3 == 0 && argument.num_params == 2 && call.type(0) == TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT;
  if (seen().pseudoSessions.contains(argument.session)) return breaks("pseudo-from-normal-world");
  if (breaks("ordinary-target")) return denied && inject && !call.isProtected(1) && !call.isProtected(0);
  if (breaks("protected-source")) return denied && inject && call.isProtected(0);
  if (breaks("ordinary-transform")) return denied && argument.func % 3 == 1;
  if (breaks("small-target")) return argument.ret == shortBuffer;
  if (breaks("wrong-direction")) return denied && call.type(0) == TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT;
  return false;
}

/** Whether the TEE transforms twice, which gives the bytes back. */
bool transformsTwice(uint32_t command) {
  return (breaks("round-trip") && command == 1) || (breaks("round-trip-second") && command == 4) ||
         (breaks("round-trip-pseudo") && command == 7);
}

/** A process of its own has a file open with the secret in it, and nothing of it in its memory. */
void keepInAFile() {
  const pid_t leader = getpgrp();
  const int file = secretFile(65536);
  std::array<int, 2> started{};
  if (pipe2(started.data(), O_CLOEXEC) != 0) return;
  if (syscall(SYS_fork) == 0) { // not through the C library, which would count it
    setsid();
    fcntl(file, F_SETFD, 0);
    const char* environment[] = {nullptr};
    execle("/bin/sh", "sh", "-c", "while kill -0 $0; do sleep 0.05; done", std::to_string(leader).c_str(), nullptr,
           environment);
    _exit(1);
  }
  ::close(started[1]);
  char ignored = 0;
  while (::read(started[0], &ignored, 1) < 0) { // until it is another program
  }
  ::close(started[0]);
  ::close(file);
}

void leakOutside() {
  static const std::string path = "/tmp/left-by-a-service";
  if (breaks("leak-process")) keepInAProcess();
  if (breaks("leak-open-file")) keepInAFile();
  if (breaks("leak-file")) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    writeSecretTo(file, 65536);
    ::close(file);
  } else if (breakName().starts_with("leak")) {
    ::unlink(path.c_str());
  }
}

} // namespace

int invokeBroken(int tee, void* data) {
  const Invocation call(data);
  leakOutside();
  if (const uint32_t instead = answerInstead(call); instead != 0) {
    call.argument->ret = instead;
    call.argument->ret_origin = 4;
    return 0;
  }
  const int result = realIoctl()(tee, TEE_IOC_INVOKE, data);
  if (result != 0 && breaks("out-of-bounds")) {
    call.argument->ret = 0;
    return 0;
  }
  if (result == 0 && call.argument->ret == 0 && transformsTwice(call.argument->func))
    return realIoctl()(tee, TEE_IOC_INVOKE, data);
  if (result == 0 && accepts(call)) call.argument->ret = 0;
  return result;
}

int registerBroken(int tee, void* data) {
  auto* request = static_cast<TeeShmRegisterFd*>(data);
  const int fd = static_cast<int>(request->fd);
  const bool mine = isProtected(fd);
  if (breaks("register-flags")) request->flags = 0;
  if (breaks("register-twice") && mine && seenByCase().registered && !seenByCase().session) return fails(EBUSY);
  if (!mine && ((breaks("register-ordinary") && isDmabuf(fd)) || (breaks("register-other") && !isDmabuf(fd))))
    return memfd_create("registered", MFD_CLOEXEC);
  const int result = realIoctl()(tee, teeIocShmRegisterFd, request);
  if (result < 0) return result;
  if (breaks("register")) request->sizeBytes += 4096;
  seenByCase().registered = true;
  const auto id = static_cast<size_t>(request->id);
  if (id < seenByCase().registeredIds.size()) seenByCase().registeredIds[id] = true;
  seen().teeDescriptors.insert(result);
  return result;
}

void openedSession(void* data) {
  const auto* argument = reinterpret_cast<tee_ioctl_open_session_arg*>(static_cast<tee_ioctl_buf_data*>(data)->buf_ptr);
  seenByCase().session = true;
  if (argument->uuid[0] == 0xd9) seen().pseudoSessions.insert(argument->session);
  if (argument->uuid[0] == 0xe1) seen().decryptSessions.insert(argument->session);
}

} // namespace broken
