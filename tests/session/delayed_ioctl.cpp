/* Preloaded into a program: makes one kind of DRM ioctl slower, as a worse kernel would.
 * VITRINE_DELAY_IOCTL=NR:MICROSECONDS, with the ioctl's number in hexadecimal (b8 is DRM_IOCTL_MODE_ADDFB2). */
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <dlfcn.h>

namespace {

struct Delay {
  unsigned number = 0;
  long microseconds = 0; ///< 0: none
};

Delay readDelay() {
  Delay delay;
  const char* text = std::getenv("VITRINE_DELAY_IOCTL");
  if (text != nullptr && std::sscanf(text, "%x:%ld", &delay.number, &delay.microseconds) != 2) {
    std::fprintf(stderr, "delayed_ioctl: VITRINE_DELAY_IOCTL=%s is not NR:MICROSECONDS\n", text);
    std::abort();
  }
  return delay;
}

bool isDrm(unsigned long request, unsigned number) {
  return (request & 0xff) == number && ((request >> 8) & 0xff) == 'd';
}

} // namespace

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  static const auto next = reinterpret_cast<int (*)(int, unsigned long, void*)>(dlsym(RTLD_NEXT, "ioctl"));
  static const Delay delay = readDelay();
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (delay.microseconds > 0 && isDrm(request, delay.number)) {
    const timespec time{delay.microseconds / 1'000'000, delay.microseconds % 1'000'000 * 1000};
    nanosleep(&time, nullptr);
  }
  return next(fd, request, argument);
}
