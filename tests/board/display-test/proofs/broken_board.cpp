/*
 * A board that is broken in one way: preloaded (LD_PRELOAD) into vitrine-display-test, it makes one answer of the kernel or the TEE
 * wrong, the one that $VITRINE_BREAK names, and leaves all others. proofs/table.json says which case has to fail then.
 *
 * Where a break gives a content away, it is that of $VITRINE_BREAK_SECRET, which the program was told to fill buffers with (--secret).
 */
#undef _FILE_OFFSET_BITS // the 32-bit and the 64-bit names are both defined here
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/magic.h>
#include <linux/tee.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <drm.h>
#include <drm_mode.h>

#include "protected-path/tee/tee_uapi.h"

namespace {

using vitrine::teeIocShmRegisterFd;
using vitrine::TeeShmRegisterFd;

constexpr uint64_t fakeMapOffset = 0x7f0000000000;

/** What this process did until now, as far as a break depends on it. */
struct Seen {
  std::set<ino_t> protectedBuffers;
  std::set<int> registeredIds; ///< shared memory ids of registered dma-bufs
  std::set<uint32_t> pseudoSessions;
  std::set<uint32_t> decryptSessions;
  std::set<int> teeDescriptors;
  std::set<int> exported; ///< by PRIME_HANDLE_TO_FD
  size_t largePieces = 0; ///< allocations of 4 MiB until the pool was full
  size_t largePiecesAgain = 0;
  bool full = false;
  int forks = 0; ///< of this process
  int depth = 0; ///< how many forks led to this process
  bool received = false;
  bool synced = false;
  bool named = false;
  bool session = false;
  bool bufferClosed = false;
  bool registered = false;
  bool imported = false;
  bool reopened = false;
  std::set<uint32_t> protectedHandles;
  std::map<uint32_t, std::string> protectedFramebuffers; ///< id: `XR24 256`, format and width
  std::string shown;                                     ///< the one that the last commit put on a plane
  bool tested = false;
  int framebufferOwner = -1;
  int framebufferReader = -1;
  bool gemOpened = false;
  void* bait = nullptr; ///< the mapping that is to be read from elsewhere
  int lastBuffer = -1;
};

Seen& seen() {
  static auto* all = new Seen; // lives as long as the process
  return *all;
}

std::string_view breakName() {
  static const char* name = std::getenv("VITRINE_BREAK");
  return name == nullptr ? std::string_view() : name;
}

bool breaks(std::string_view name) {
  return breakName() == name;
}

template<typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
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

// ---- mmap ----

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

void* mapBroken(void* place, size_t length, int protection, int flags, int fd, off64_t offset) {
  if (breakName().empty() || fd < 0) return realMap()(place, length, protection, flags, fd, offset);
  if (breaks("exec") && isExecChild() && isDmabuf(fd)) return grant(place, length, protection, flags);
  if (grantsDeviceMap(fd, offset)) return grant(place, length, protection, flags);
  if (!isProtected(fd)) return realMap()(place, length, protection, flags, fd, offset);
  if (grantsMap({protection, flags, fd, offset})) return grant(place, length, protection, flags);
  if (grantsBait() && protection == PROT_NONE && (flags & MAP_TYPE) == MAP_SHARED) {
    // Without content: what reads it in its own way finds the secret, and nothing else does.
    seen().bait = realMap()(nullptr, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return seen().bait;
  }
  return realMap()(place, length, protection, flags, fd, offset);
}

bool isBait(const iovec* vector, unsigned long count) {
  return count > 0 && seen().bait != nullptr && vector[0].iov_base == seen().bait;
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

ssize_t writeSecretTo(int fd, size_t size) {
  std::vector<uint8_t> bytes(std::min<size_t>(size, 4096));
  writeSecret(bytes.data(), bytes.size());
  return ::write(fd, bytes.data(), bytes.size());
}

// ---- ioctl: heaps ----

constexpr size_t largePieceBytes = 4 << 20;

using Ioctl = int (*)(int, unsigned long, ...);

Ioctl realIoctl() {
  static const auto real = next<Ioctl>("ioctl");
  return real;
}

int fails(int number) {
  errno = number;
  return -1;
}

bool isSystemHeap(int node) {
  std::array<char, 128> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(node);
  return readlink(link.c_str(), path.data(), path.size() - 1) > 0 && std::string_view(path.data()).ends_with("/system");
}

/** Whether a full pool has not got everything back. */
bool poolShrank() {
  const bool forked = seen().forks > 0;
  if (!seen().full || !((breaks("recovery") && !forked) || (breaks("killed-owner") && forked))) return false;
  return ++seen().largePiecesAgain >= seen().largePieces;
}

int allocate(int node, dma_heap_allocation_data* request) {
  constexpr uint32_t known = O_ACCMODE | O_CLOEXEC;
  const bool large = request->len == largePieceBytes;
  if (breaks("size-zero") && request->len == 0) request->len = 4096;
  if (breaks("size-too-large") && request->len >= 1ULL << 40) request->len = 4096;
  if (breaks("fd-flags")) request->fd_flags &= known;
  if (breaks("heap-flags")) request->heap_flags = 0;
  if (breaks("fd-field")) request->fd = 0;
  if (breaks("access-mode")) request->fd_flags = (request->fd_flags & ~uint32_t{O_ACCMODE}) | O_RDWR;
  if (breaks("close-on-exec")) request->fd_flags &= ~uint32_t{O_CLOEXEC};
  if (breaks("node-mode") && (fcntl(node, F_GETFL) & O_ACCMODE) == O_RDONLY) return fails(EPERM);
  if (large && poolShrank()) return fails(ENOMEM);
  if (breaks("apart") && seen().registered && seen().lastBuffer >= 0) {
    request->fd = static_cast<uint32_t>(fcntl(seen().lastBuffer, F_DUPFD_CLOEXEC, 0));
    return 0;
  }
  const int result = realIoctl()(node, DMA_HEAP_IOCTL_ALLOC, request);
  if (result == 0) {
    struct stat status{};
    fstat(static_cast<int>(request->fd), &status);
    seen().protectedBuffers.insert(status.st_ino);
    seen().lastBuffer = static_cast<int>(request->fd);
    if (large && !seen().full) ++seen().largePieces;
  } else if (large) {
    seen().full = true;
    if (breaks("exhaustion")) return fails(EBUSY);
  }
  return result;
}

// ---- ioctl: TEE ----

struct Invocation {
  tee_ioctl_invoke_arg* argument;
  tee_ioctl_param* params;
  explicit Invocation(void* data)
      : argument(reinterpret_cast<tee_ioctl_invoke_arg*>(static_cast<tee_ioctl_buf_data*>(data)->buf_ptr)),
        params(reinterpret_cast<tee_ioctl_param*>(argument + 1)) {}
  [[nodiscard]] bool isProtected(unsigned index) const {
    return index < argument->num_params && seen().registeredIds.contains(static_cast<int>(params[index].c));
  }
  [[nodiscard]] uint64_t type(unsigned index) const { return params[index].attr & TEE_IOCTL_PARAM_ATTR_TYPE_MASK; }
};

constexpr uint32_t accessDenied = 0xffff0001;
constexpr uint32_t badParameters = 0xffff0006;
constexpr uint32_t shortBuffer = 0xffff0010;
constexpr uint32_t genericError = 0xffff0000;
constexpr uint32_t outOfMemory = 0xffff000c;

void openedSession(void* data) {
  const auto* argument = reinterpret_cast<tee_ioctl_open_session_arg*>(static_cast<tee_ioctl_buf_data*>(data)->buf_ptr);
  seen().session = true;
  if (argument->uuid[0] == 0xd9) seen().pseudoSessions.insert(argument->session);
  if (argument->uuid[0] == 0xe1) seen().decryptSessions.insert(argument->session);
}

/** An answer that the break gives instead of asking the TEE, or 0. */
uint32_t answerInstead(const Invocation& call) {
  const tee_ioctl_invoke_arg& argument = *call.argument;
  const bool sdpInject =
      argument.func == 0 && !seen().decryptSessions.contains(argument.session) && argument.num_params == 2;
  if (breaks("inject") && sdpInject && call.params[1].a == 255) return genericError;
  if (breaks("large-frame") && sdpInject && call.params[1].a >= 1 << 20) return outOfMemory;
  if (breaks("decrypt") && argument.func == 1 && seen().decryptSessions.contains(argument.session)) return genericError;
  if (breaks("outlives-descriptor") && seen().bufferClosed && sdpInject) return genericError;
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

int invoke(int tee, void* data) {
  const Invocation call(data);
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

int registerFd(int tee, TeeShmRegisterFd* request) {
  const int fd = static_cast<int>(request->fd);
  const bool mine = isProtected(fd);
  if (breaks("register-flags")) request->flags = 0;
  if (breaks("register-twice") && mine && seen().registered && !seen().session) return fails(EBUSY);
  if (!mine && ((breaks("register-ordinary") && isDmabuf(fd)) || (breaks("register-other") && !isDmabuf(fd))))
    return memfd_create("registered", MFD_CLOEXEC);
  const int result = realIoctl()(tee, teeIocShmRegisterFd, request);
  if (result < 0) return result;
  if (breaks("register")) request->sizeBytes += 4096;
  seen().registered = true;
  seen().registeredIds.insert(request->id);
  seen().teeDescriptors.insert(result);
  return result;
}

// ---- ioctl: the rest ----

void addedFramebuffer(int card, const drm_mode_fb_cmd2& framebuffer) {
  seen().framebufferOwner = card;
  if (!seen().protectedHandles.contains(framebuffer.handles[0])) return;
  const std::string format(reinterpret_cast<const char*>(&framebuffer.pixel_format), 4);
  seen().protectedFramebuffers[framebuffer.fb_id] = format + " " + std::to_string(framebuffer.width);
}

std::span<const uint64_t> valuesOf(const drm_mode_atomic& request) {
  const std::span counts(reinterpret_cast<const uint32_t*>(request.count_props_ptr), request.count_objs);
  return {reinterpret_cast<const uint64_t*>(request.prop_values_ptr),
          std::accumulate(counts.begin(), counts.end(), size_t{0})};
}

/** An atomic request: what it shows is noted, and some are answered wrongly. */
int atomic(int card, drm_mode_atomic* request) {
  const bool test = (request->flags & DRM_MODE_ATOMIC_TEST_ONLY) != 0;
  std::string shows;
  for (const uint64_t value : valuesOf(*request)) {
    const auto found = seen().protectedFramebuffers.find(static_cast<uint32_t>(value));
    if (found != seen().protectedFramebuffers.end()) shows = found->second;
  }
  if (breaks("test-is-kept") && !test && seen().tested && !shows.empty()) return fails(EINVAL);
  seen().tested |= test;
  // The request that takes the picture away is not carried out.
  if (breaks("removed") && !test && shows.empty() && !seen().shown.empty() &&
      (request->flags & DRM_MODE_ATOMIC_ALLOW_MODESET) == 0)
    return 0;
  const int result = realIoctl()(card, DRM_IOCTL_MODE_ATOMIC, request);
  if (result == 0 && !test) seen().shown = shows;
  return result;
}

/** Whether the display shows something else than the protected picture that is on it. */
bool showsWrongly() {
  const std::string& shown = seen().shown;
  if (breaks("overlay-rgb")) return shown == "XR24 256";
  if (breaks("overlay-yuv")) return shown == "NV12 256";
  if (breaks("primary")) return shown.starts_with("XR24") && shown != "XR24 256";
  return false;
}

int drm(int card, unsigned long request, void* argument) {
  if (request == DRM_IOCTL_MODE_ATOMIC) return atomic(card, static_cast<drm_mode_atomic*>(argument));
  const int result = realIoctl()(card, request, argument);
  switch (request) {
  case DRM_IOCTL_PRIME_FD_TO_HANDLE: {
    const auto* prime = static_cast<drm_prime_handle*>(argument);
    seen().imported = true;
    if (result == 0 && isProtected(prime->fd))
      seen().protectedHandles.insert(prime->handle);
    else if (result == 0)
      seen().protectedHandles.erase(prime->handle);
    break;
  }
  case DRM_IOCTL_PRIME_HANDLE_TO_FD:
    if (result == 0) seen().exported.insert(static_cast<drm_prime_handle*>(argument)->fd);
    break;
  case DRM_IOCTL_MODE_ADDFB2:
    if (result == 0) addedFramebuffer(card, *static_cast<drm_mode_fb_cmd2*>(argument));
    break;
  case DRM_IOCTL_MODE_GETFB2:
    seen().framebufferReader = card;
    break;
  case DRM_IOCTL_GEM_OPEN:
    seen().gemOpened = true;
    break;
  case DRM_IOCTL_MODE_MAP_DUMB:
    if (breaks("dumb-map")) {
      static_cast<drm_mode_map_dumb*>(argument)->offset = fakeMapOffset;
      return 0;
    }
    break;
  default:
    break;
  }
  return result;
}

int ioctlBroken(int fd, unsigned long request, void* argument) {
  if (request == DMA_HEAP_IOCTL_ALLOC && !isSystemHeap(fd))
    return allocate(fd, static_cast<dma_heap_allocation_data*>(argument));
  if (request == DMA_BUF_IOCTL_SYNC) seen().synced = true;
  if (request == DMA_BUF_SET_NAME_B) seen().named = true;
  if (request == DMA_BUF_IOCTL_EXPORT_SYNC_FILE && breaks("fences")) return fails(ENOTTY);
  if (request == teeIocShmRegisterFd) return registerFd(fd, static_cast<TeeShmRegisterFd*>(argument));
  if (request == TEE_IOC_INVOKE) return invoke(fd, argument);
  if (request == UDMABUF_CREATE && breaks("udmabuf")) return secretFile(static_cast<udmabuf_create*>(argument)->size);
  if (_IOC_TYPE(request) == DRM_IOCTL_BASE) return drm(fd, request, argument);
  const int result = realIoctl()(fd, request, argument);
  if (request == TEE_IOC_OPEN_SESSION && result == 0) openedSession(argument);
  return result;
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
  if (isProtected(fd)) seen().bufferClosed = true;
  seen().teeDescriptors.erase(fd); // the number comes again for something else
  seen().exported.erase(fd);
  return real(fd);
}
}
// NOLINTEND
