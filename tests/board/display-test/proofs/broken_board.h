#pragma once

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

/** The parts of the broken board: what it knows, and its wrong answers. Only for broken_board.cpp and the files beside it. */
namespace broken {

/** What mmap() of the display device is told to be an imported buffer's place, where `dumb-map` is broken. */
constexpr uint64_t fakeMapOffset = 0x7f0000000000;

/** What this process did until now, as far as a break depends on it. */
struct Seen {
  std::set<ino_t> protectedBuffers;
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
  bool imported = false;
  bool reopened = false;
  std::set<uint32_t> protectedHandles;
  std::map<uint32_t, std::string> protectedFramebuffers; ///< id: `XR24 256`, format and width
  std::string shown;                                     ///< the one that the last commit put on a plane
  bool tested = false;
  int framebufferOwner = -1;
  int framebufferReader = -1;
  bool gemOpened = false;
  bool allocatedOrdinary = false; ///< from the heap `system`
  uint32_t waylandRegistry = 0;
  std::map<uint32_t, std::string> waylandGlobals; ///< by id: the interface, of the Wayland connection made last
  std::set<std::string> waylandUsed;              ///< interfaces of globals that it sent a request to
  void* bait = nullptr;                           ///< the mapping that is to be read from elsewhere
  int firstBuffer = -1;
  int lastBuffer = -1;
};
Seen& seen();

/** What a case and the processes that it starts did: a TEE session is opened and used in a process of its own. */
struct SeenByCase {
  std::atomic<bool> session;
  std::atomic<bool> bufferClosed;
  std::atomic<bool> registered;
  std::array<std::atomic<bool>, 1024> registeredIds; ///< by shared memory id, of registered dma-bufs
};
SeenByCase& seenByCase();
/** Begins a case: what those before it did is forgotten. */
void forgetCase();

/** Whether this is what $VITRINE_BREAK breaks. */
bool breaks(std::string_view name);
/** $VITRINE_BREAK, or nothing. */
std::string_view breakName();

/** The C library's function of this name. */
template<typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

/** Fills memory with the secret, over and over. */
void writeSecret(void* to, size_t size);
/** A file in memory with the secret in it. */
int secretFile(size_t size);
/** A process of its own, in which is what this one has in memory now, until the case is over. */
void keepInAProcess();
/** write() of the secret, a page of it at most. */
ssize_t writeSecretTo(int fd, size_t size);

bool isDmabuf(int fd);
/** A dma-buf of a heap that this process allocated from, except `system`. */
bool isProtected(int fd);
/** Whether the last commit's picture is the one that the display is broken for. */
bool showsWrongly();

/** Notes the requests in what this process sends a Wayland compositor. */
void noteSent(const msghdr& message);
/** What a Wayland compositor gets instead of a descriptor that this process sends it, as a new descriptor; -1: what was sent. */
int sendInstead(int fd);

/** errno and -1. */
int fails(int number);

void* mapBroken(void* place, size_t length, int protection, int flags, int fd, off64_t offset);
int ioctlBroken(int fd, unsigned long request, void* argument);

using Ioctl = int (*)(int, unsigned long, ...);
Ioctl realIoctl();
int invokeBroken(int tee, void* data);
int registerBroken(int tee, void* data);
void openedSession(void* data);

} // namespace broken
