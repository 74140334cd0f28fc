/*
 * A board that is broken in one way: preloaded (LD_PRELOAD) into vitrine-display-test, it makes one answer of the kernel or the TEE
 * wrong, the one that $VITRINE_BREAK names, and leaves all others. proofs/table.json says which case has to fail then.
 *
 * Where a break gives a content away, it is that of $VITRINE_BREAK_SECRET, which the program was told to fill buffers with (--secret).
 */
#undef _FILE_OFFSET_BITS // the 32-bit and the 64-bit names are both defined here
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/board/display-test/proofs/broken_board.h"

using namespace broken;

namespace {

bool isBait(const iovec* vector, unsigned long count) {
  return count > 0 && seen().bait != nullptr && vector[0].iov_base == seen().bait;
}

bool isCamera(int fd) {
  std::array<char, 128> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return readlink(link.c_str(), path.data(), path.size() - 1) > 0 &&
         std::string_view(path.data()).starts_with("/dev/panel-camera");
}

/** Never returns. Says so first in the FIFO $VITRINE_BREAK_SIGN. */
[[noreturn]] void hang() {
  const char* sign = std::getenv("VITRINE_BREAK_SIGN");
  const int fd = sign == nullptr ? -1 : ::open(sign, O_WRONLY | O_CLOEXEC);
  if (fd >= 0 && ::write(fd, "x", 1) == 1) ::close(fd);
  for (;;)
    pause();
}

/** What open() of this path gives instead, or -1. */
int openInstead(const char* path) {
  const std::string_view text(path);
  if (breaks("reopen") && text.starts_with("/proc/self/fd/") && isProtected(std::atoi(path + 14)))
    return secretFile(65536);
  if (breaks("name-spoofed") && seen().named && text.starts_with("/proc/self/fdinfo/")) {
    constexpr std::string_view forged = "pos:\t0\nexp_name:\tspoofed\n";
    const int file = memfd_create("fdinfo", MFD_CLOEXEC);
    return ::write(file, forged.data(), forged.size()) > 0 && lseek(file, 0, SEEK_SET) == 0 ? file : -1;
  }
  return -1;
}

int openBroken(const char* path, int flags, mode_t mode) {
  static const auto real = next<int (*)(const char*, int, ...)>("open64");
  const int instead = breakName().empty() ? -1 : openInstead(path);
  return instead >= 0 ? instead : real(path, flags, mode);
}

off64_t seekBroken(int fd, off64_t offset, int whence) {
  static const auto real = next<off64_t (*)(int, off64_t, int)>("lseek64");
  const off64_t result = real(fd, offset, whence);
  if (breakName().empty() || !isProtected(fd)) return result;
  if (breaks("size-rounded") && whence == SEEK_END) return result - 1;
  if (breaks("seek") && whence == SEEK_SET && offset == 1) return 1;
  return result;
}

ssize_t preadBroken(int fd, void* to, size_t size, off64_t offset) {
  static const auto real = next<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
  const bool bait = breaks("proc-mem") && seen().bait != nullptr &&
                    static_cast<uint64_t>(offset) == reinterpret_cast<uint64_t>(seen().bait);
  if (bait || (breaks("pread") && isProtected(fd))) {
    writeSecret(to, size);
    return static_cast<ssize_t>(size);
  }
  return real(fd, to, size, offset);
}

ssize_t pwriteBroken(int fd, const void* from, size_t size, off64_t offset) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  if (breaks("write-from") && from == seen().bait && from != nullptr) {
    std::vector<uint8_t> bytes(size);
    writeSecret(bytes.data(), size);
    return real(fd, bytes.data(), size, offset);
  }
  return real(fd, from, size, offset);
}

ssize_t sendfileBroken(int to, int from, off64_t* offset, size_t size) {
  static const auto real = next<ssize_t (*)(int, int, off64_t*, size_t)>("sendfile64");
  return breaks("sendfile") && isProtected(from) ? writeSecretTo(to, size) : real(to, from, offset, size);
}

[[gnu::constructor]] void countForks() {
  pthread_atfork(
      nullptr, [] { ++seen().forks; },
      [] {
        ++seen().depth;
        seen().forks = 0;
        if (seen().depth == 1) forgetCase();
      });
}

} // namespace

// NOLINTBEGIN: the C library's names and signatures
extern "C" {

void* mmap(void* place, size_t length, int protection, int flags, int fd, off_t offset) noexcept {
  return mapBroken(place, length, protection, flags, fd, offset);
}
void* mmap64(void* place, size_t length, int protection, int flags, int fd, off64_t offset) noexcept {
  return mapBroken(place, length, protection, flags, fd, offset);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  return breakName().empty() ? realIoctl()(fd, request, argument) : ioctlBroken(fd, request, argument);
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return openBroken(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return openBroken(path, flags, mode);
}

off_t lseek(int fd, off_t offset, int whence) noexcept {
  return seekBroken(fd, offset, whence);
}
off64_t lseek64(int fd, off64_t offset, int whence) noexcept {
  return seekBroken(fd, offset, whence);
}

ssize_t read(int fd, void* to, size_t size) {
  static const auto real = next<ssize_t (*)(int, void*, size_t)>("read");
  if (breaks("crash") && isProtected(fd)) std::abort();
  if (breaks("hang") && isProtected(fd)) hang();
  if (breaks("read") && isProtected(fd)) {
    writeSecret(to, size);
    return static_cast<ssize_t>(size);
  }
  const ssize_t got = real(fd, to, size);
  constexpr ssize_t headerBytes = 64;
  if (got > headerBytes && showsWrongly() && isCamera(fd)) std::memset(static_cast<char*>(to) + headerBytes, 0x55, 256);
  return got;
}

ssize_t pread(int fd, void* to, size_t size, off_t offset) {
  return preadBroken(fd, to, size, offset);
}
ssize_t pread64(int fd, void* to, size_t size, off64_t offset) {
  return preadBroken(fd, to, size, offset);
}
ssize_t pwrite(int fd, const void* from, size_t size, off_t offset) {
  return pwriteBroken(fd, from, size, offset);
}
ssize_t pwrite64(int fd, const void* from, size_t size, off64_t offset) {
  return pwriteBroken(fd, from, size, offset);
}

ssize_t readv(int fd, const iovec* to, int count) {
  static const auto real = next<ssize_t (*)(int, const iovec*, int)>("readv");
  if (breaks("readv") && isProtected(fd)) {
    writeSecret(to[0].iov_base, to[0].iov_len);
    return static_cast<ssize_t>(to[0].iov_len);
  }
  return real(fd, to, count);
}

ssize_t splice(int from, off64_t* fromOffset, int to, off64_t* toOffset, size_t size, unsigned flags) {
  static const auto real = next<ssize_t (*)(int, off64_t*, int, off64_t*, size_t, unsigned)>("splice");
  return breaks("splice") && isProtected(from) ? writeSecretTo(to, size)
                                               : real(from, fromOffset, to, toOffset, size, flags);
}

ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  return sendfileBroken(to, from, offset, size);
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t size) noexcept {
  return sendfileBroken(to, from, offset, size);
}

ssize_t copy_file_range(int from, off64_t* fromOffset, int to, off64_t* toOffset, size_t size, unsigned flags) {
  static const auto real = next<ssize_t (*)(int, off64_t*, int, off64_t*, size_t, unsigned)>("copy_file_range");
  return breaks("copy-file-range") && isProtected(from) ? writeSecretTo(to, size)
                                                        : real(from, fromOffset, to, toOffset, size, flags);
}

ssize_t vmsplice(int pipe, const iovec* from, size_t count, unsigned flags) {
  static const auto real = next<ssize_t (*)(int, const iovec*, size_t, unsigned)>("vmsplice");
  return breaks("vmsplice") && isBait(from, count) ? writeSecretTo(pipe, from[0].iov_len)
                                                   : real(pipe, from, count, flags);
}

ssize_t process_vm_readv(pid_t process, const iovec* to, unsigned long toCount, const iovec* from,
                         unsigned long fromCount, unsigned long flags) noexcept {
  static const auto real =
      next<ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long, unsigned long)>(
          "process_vm_readv");
  if (breaks("process-vm-readv") && isBait(from, fromCount)) {
    writeSecret(to[0].iov_base, to[0].iov_len);
    return static_cast<ssize_t>(to[0].iov_len);
  }
  return real(process, to, toCount, from, fromCount, flags);
}

long ptrace(enum __ptrace_request request, ...) noexcept {
  static const auto real = next<long (*)(enum __ptrace_request, pid_t, void*, void*)>("ptrace");
  va_list list;
  va_start(list, request);
  const pid_t process = va_arg(list, pid_t);
  auto* address = va_arg(list, uint8_t*);
  void* data = va_arg(list, void*);
  va_end(list);
  auto* bait = static_cast<uint8_t*>(seen().bait);
  if (breaks("ptrace") && request == PTRACE_PEEKDATA && bait != nullptr && address >= bait && address < bait + 65536) {
    std::array<uint8_t, 32> bytes{};
    writeSecret(bytes.data(), bytes.size());
    long word = 0;
    std::memcpy(&word, bytes.data() + (address - bait) % 16, sizeof word);
    errno = 0;
    return word;
  }
  return real(request, process, address, data);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static const auto real = next<ssize_t (*)(int, const msghdr*, int)>("sendmsg");
  std::vector<int> instead;
  if (!breakName().empty()) noteSent(*message);
  cmsghdr* control = breakName().empty() ? nullptr : CMSG_FIRSTHDR(message);
  for (; control != nullptr; control = CMSG_NXTHDR(const_cast<msghdr*>(message), control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    auto* fds = reinterpret_cast<int*>(CMSG_DATA(control));
    for (size_t i = 0; i < (control->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      const int fd = sendInstead(fds[i]);
      if (fd >= 0) instead.push_back(fds[i] = fd);
    }
  }
  const ssize_t sent = real(socket, message, flags);
  for (const int fd : instead)
    close(fd);
  return sent;
}

ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static const auto real = next<ssize_t (*)(int, msghdr*, int)>("recvmsg");
  seen().received = true;
  return real(socket, message, flags);
}

int mprotect(void* address, size_t length, int protection) noexcept {
  static const auto real = next<int (*)(void*, size_t, int)>("mprotect");
  if (breaks("mmap-then-mprotect") && address == seen().bait && address != nullptr) {
    real(address, length, PROT_READ | PROT_WRITE);
    writeSecret(address, length);
  }
  return real(address, length, protection);
}

int kill(pid_t process, int number) noexcept {
  static const auto real = next<int (*)(pid_t, int)>("kill");
  return breaks("killed") && process > 0 ? 0 : real(process, number);
}

pid_t waitpid(pid_t process, int* status, int options) {
  static const auto real = next<pid_t (*)(pid_t, int*, int)>("waitpid");
  return breaks("killed") && seen().depth == 1 ? process : real(process, status, options);
}

int close(int fd) {
  static const auto real = next<int (*)(int)>("close");
  if (breakName().empty()) return real(fd);
  if (isProtected(fd)) seenByCase().bufferClosed = true;
  seen().teeDescriptors.erase(fd); // the number comes again for something else
  seen().exported.erase(fd);
  return real(fd);
}
}
// NOLINTEND
