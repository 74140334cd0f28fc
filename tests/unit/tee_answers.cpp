#include "tests/unit/tee_answers.h"

#include <linux/tee.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>

#include "protected-path/tee/tee_uapi.h"

namespace vitrine::test {

TeeAnswers openAnswers;
TeeAnswers invokeAnswers;

} // namespace vitrine::test

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  std::optional<uint32_t> answer;
  if (request == TEE_IOC_OPEN_SESSION) answer = vitrine::test::openAnswers.next();
  if (request == TEE_IOC_INVOKE) answer = vitrine::test::invokeAnswers.next();
  if (!answer) return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
  const auto* data = static_cast<const tee_ioctl_buf_data*>(argument);
  constexpr uint32_t originTee = 3; // TEEC_ORIGIN_TEE
  if (request == TEE_IOC_OPEN_SESSION) {
    auto* session = reinterpret_cast<tee_ioctl_open_session_arg*>(data->buf_ptr);
    session->ret = *answer;
    session->ret_origin = originTee;
  } else {
    auto* invocation = reinterpret_cast<tee_ioctl_invoke_arg*>(data->buf_ptr);
    invocation->ret = *answer;
    invocation->ret_origin = originTee;
  }
  return 0;
}
