/* The broken board: what it knows, and its mappings. */
#undef _FILE_OFFSET_BITS // the 32-bit and the 64-bit names are both defined here
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <linux/dma-buf.h>

#include "tests/board/display-test/proofs/broken_board.h"

namespace broken {
namespace {

bool isExecChild() {
  static const bool is = [] {
    const int fd = static_cast<int>(::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC));
    std::array<char, 256> text{};
    const bool found =
        ::read(fd, text.data(), text.size() - 1) > 0 && memmem(text.data(), text.size(), "--exec-child", 12) != nullptr;
    ::close(fd);
    return found;
  }();
  return is;
}

using Map = void* (*)(void*, size_t, int, int, int, off64_t);

Map realMap() {
  static const auto real = next<Map>("mmap64");
  return real;
}

/** Memory with the secret in it, mapped where and how the caller asks, or readable at least. */
void* grant(void* place, size_t length, int protection, int flags) {
  void* address =
      realMap()(place, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (flags & MAP_FIXED), -1, 0);
  if (address == MAP_FAILED) return address;
  writeSecret(address, length);
  if (protection == PROT_NONE) mprotect(address, length, PROT_NONE);
  return address;
}

/** Breaks that grant a mapping and have something else read it. */
bool grantsBait() {
  constexpr std::string_view names[] = {"mmap-then-mprotect", "vmsplice", "write-from",
                                        "process-vm-readv",   "proc-mem", "ptrace"};
  return std::ranges::contains(names, breakName());
}

struct MapCall {
  int protection;
  int flags;
  int fd;
  off64_t offset;
};

/** Whether the break gives this mapping of a protected buffer. */
bool grantsMap(const MapCall& call) {
  const bool plain = call.flags == MAP_SHARED && call.offset == 0 && !seen().synced;
  const bool read = call.protection == PROT_READ;
  const bool first = seen().depth <= 1;
  if (breaks("evidence")) return call.protection == PROT_NONE;
  if (breaks("mmap-read")) return plain && read;
  if (breaks("mmap-write")) return plain && call.protection == PROT_WRITE;
  if (breaks("mmap-read-write")) return plain && call.protection == (PROT_READ | PROT_WRITE) && !seen().imported;
  if (breaks("mmap-exec")) return plain && (call.protection & PROT_EXEC) != 0;
  if (breaks("mmap-private")) return (call.flags & MAP_TYPE) == MAP_PRIVATE;
  if (breaks("mmap-populate")) return (call.flags & MAP_POPULATE) != 0;
  if (breaks("mmap-locked")) return (call.flags & MAP_LOCKED) != 0;
  if (breaks("mmap-validate")) return (call.flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
  if (breaks("mmap-fixed")) return (call.flags & MAP_FIXED) != 0;
  if (breaks("mmap-offset")) return call.offset != 0;
  if (breaks("sync-then-mmap")) return seen().synced;
  if (breaks("fork")) return read && !first && !seen().received;
  if (breaks("passed")) return read && seen().received;
  return false;
}

/** Whether the break gives this mapping of a descriptor that a device gave for a protected buffer. */
bool grantsDeviceMap(int fd, off64_t offset) {
  const bool exported = seen().exported.contains(fd);
  const bool other = seen().framebufferReader != seen().framebufferOwner;
  if (breaks("tee-descriptor")) return seen().teeDescriptors.contains(fd);
  if (breaks("dumb-map")) return static_cast<uint64_t>(offset) == fakeMapOffset;
  if (breaks("prime-export")) return exported && seen().framebufferOwner < 0 && !seen().gemOpened;
  if (breaks("getfb2")) return exported && seen().framebufferReader >= 0 && !other;
  if (breaks("getfb2-other-file")) return exported && seen().framebufferReader >= 0 && other;
  if (breaks("gem-flink")) return exported && seen().gemOpened;
  return false;
}

} // namespace

Seen& seen() {
  static auto* all = new Seen; // lives as long as the process
  return *all;
}

namespace {
SeenByCase* ofCase = nullptr;
}

void forgetCase() {
  void* memory = next<void* (*)(void*, size_t, int, int, int, off_t)>("mmap")(
      nullptr, sizeof(SeenByCase), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) ofCase = static_cast<SeenByCase*>(memory); // zeroes: nothing was done
}

SeenByCase& seenByCase() {
  if (ofCase == nullptr) forgetCase();
  return *ofCase;
}

std::string_view breakName() {
  static const char* name = std::getenv("VITRINE_BREAK");
  return name == nullptr ? std::string_view() : name;
}

bool breaks(std::string_view name) {
  return breakName() == name;
}

/** The secret's bytes, over and over. */
void writeSecret(void* to, size_t size) {
  static const std::array<uint8_t, 16> secret = [] {
    std::array<uint8_t, 16> bytes{};
    const char* hex = std::getenv("VITRINE_BREAK_SECRET");
    for (size_t i = 0; hex != nullptr && std::strlen(hex) == 32 && i < bytes.size(); ++i)
      bytes[i] = static_cast<uint8_t>(std::stoul(std::string(hex + 2 * i, 2), nullptr, 16));
    return bytes;
  }();
  for (size_t i = 0; i < size; ++i)
    static_cast<uint8_t*>(to)[i] = secret[i % secret.size()];
}

bool isDmabuf(int fd) {
  struct statfs filesystem{};
  return fstatfs(fd, &filesystem) == 0 && filesystem.f_type == DMA_BUF_MAGIC;
}

bool isProtected(int fd) {
  struct stat status{};
  return fd >= 0 && fstat(fd, &status) == 0 && seen().protectedBuffers.contains(status.st_ino) && isDmabuf(fd);
}

/** A file in memory with the secret in it. */
int secretFile(size_t size) {
  const int file = memfd_create("broken-board", MFD_CLOEXEC);
  std::vector<uint8_t> bytes(size);
  writeSecret(bytes.data(), size);
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  real(file, bytes.data(), size, 0);
  return file;
}

void keepInAProcess() {
  const pid_t leader = getpgrp();
  if (syscall(SYS_fork) != 0) return; // not through the C library, which would count it
  setsid();                           // all that the case has in memory it has, too
  while (::kill(leader, 0) == 0)
    usleep(20000);
  _exit(0);
}

ssize_t writeSecretTo(int fd, size_t size) {
  std::vector<uint8_t> bytes(std::min<size_t>(size, 4096));
  writeSecret(bytes.data(), bytes.size());
  return ::write(fd, bytes.data(), bytes.size());
}

void* mapBroken(void* place, size_t length, int protection, int flags, int fd, off64_t offset) {
  if (breakName().empty() || fd < 0) return realMap()(place, length, protection, flags, fd, offset);
  if (breaks("exec") && isExecChild() && isDmabuf(fd)) return grant(place, length, protection, flags);
  if (grantsDeviceMap(fd, offset)) return grant(place, length, protection, flags);
  if (!isProtected(fd)) {
    void* mapped = realMap()(place, length, protection, flags, fd, offset);
    if (breaks("leak-reused") && mapped != MAP_FAILED && (protection & PROT_WRITE) != 0 && isDmabuf(fd))
      writeSecret(mapped, length);
    return mapped;
  }
  if (grantsMap({protection, flags, fd, offset})) return grant(place, length, protection, flags);
  if (grantsBait() && protection == PROT_NONE && (flags & MAP_TYPE) == MAP_SHARED) {
    // Without content: what reads it in its own way finds the secret, and nothing else does.
    seen().bait = realMap()(nullptr, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return seen().bait;
  }
  return realMap()(place, length, protection, flags, fd, offset);
}

} // namespace broken
