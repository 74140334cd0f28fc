#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protected-path/dmabuf/inspector.h"
#include "protected-path/dmabuf/sync_file.h"
#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/exec_child.h"
#include "tests/board/display-test/protected_buffer.h"
#include "tests/board/display-test/read_attempt.h"

namespace vitrine::display_test {
namespace {

constexpr size_t smallBytes = 65536;
constexpr std::string_view heapUapi = "linux/dma-heap.h, and drivers/dma-buf/dma-heap.c: dma_heap_ioctl_allocate()";

/** An allocation with wrong arguments: closes what it may give, and returns the errno. */
int refusalOf(const Trial& trial, uint64_t size, uint32_t fdFlags, uint64_t heapFlags, uint32_t fd) {
  const UniqueFd given(rawAllocate(trial.heap().node, size, fdFlags, heapFlags, fd));
  return given ? 0 : -given.get();
}

Result<> evidence(Trial& trial) {
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto identity = Inspector::identify(buffer->fd());
  if (!identity) return std::unexpected(identity.error());
  const int number = mapErrno(buffer->fd(), PROT_NONE);
  trial.saw("exporter (exp_name)", identity->exporterName);
  trial.saw("mmap(PROT_NONE)", errnoText(number));
  if (number == 0) {
    trial.fail(
        "Suspect: its name says protected, but its buffers can be mapped, and only an access shows what that gives");
    return {};
  }
  trial.saw("evidence", identity->exporterName == "tee" ? "KernelProtected" : "Unmappable");
  return {};
}

Result<> sizeZero(Trial& trial) {
  trial.expectErrno("allocate 0 bytes", refusalOf(trial, 0, O_RDWR | O_CLOEXEC, 0, 0), {EINVAL});
  return {};
}

Result<> sizeRounded(Trial& trial) {
  const long page = sysconf(_SC_PAGESIZE);
  for (const long size : {1L, page - 1, page, page + 1, 5000L}) {
    const auto buffer = ProtectedBuffer::allocate(trial.heap(), static_cast<size_t>(size));
    if (!buffer) return std::unexpected(buffer.error());
    const off_t got = lseek(buffer->fd(), 0, SEEK_END);
    trial.expect(got >= size && got % page == 0, std::format("size of a buffer of {} bytes", size),
                 std::to_string(got));
  }
  return {};
}

Result<> sizeTooLarge(Trial& trial) {
  for (const uint64_t size : {uint64_t{1} << 40, ~uint64_t{0}}) {
    trial.expectErrno(std::format("allocate {} bytes", size), refusalOf(trial, size, O_RDWR | O_CLOEXEC, 0, 0),
                      {ENOMEM, ENOSPC, EINVAL});
  }
  return {};
}

Result<> fdFlags(Trial& trial) {
  for (const uint32_t flags : {O_RDWR | O_APPEND, O_RDWR | O_NONBLOCK, O_RDWR | O_DIRECT})
    trial.expectErrno(std::format("allocate with fd_flags {:#x}", flags), refusalOf(trial, smallBytes, flags, 0, 0),
                      {EINVAL});
  return {};
}

Result<> heapFlags(Trial& trial) {
  for (const uint64_t flags : {uint64_t{1}, uint64_t{1} << 63})
    trial.expectErrno(std::format("allocate with heap_flags {:#x}", flags),
                      refusalOf(trial, smallBytes, O_RDWR | O_CLOEXEC, flags, 0), {EINVAL});
  return {};
}

Result<> fdField(Trial& trial) {
  trial.expectErrno("allocate with fd 1", refusalOf(trial, smallBytes, O_RDWR | O_CLOEXEC, 0, 1), {EINVAL});
  return {};
}

Result<> accessMode(Trial& trial) {
  for (const int mode : {O_RDONLY, O_WRONLY, O_RDWR}) {
    const UniqueFd buffer(rawAllocate(trial.heap().node, smallBytes, static_cast<uint32_t>(mode) | O_CLOEXEC));
    if (!trial.expect(buffer.isValid(), std::format("allocate with access mode {}", mode),
                      errnoText(buffer ? 0 : -buffer.get())))
      continue;
    const int got = fcntl(buffer.get(), F_GETFL) & O_ACCMODE;
    trial.expect(got == mode, std::format("access mode of a buffer allocated with {}", mode), std::to_string(got));
  }
  return {};
}

Result<> nodeMode(Trial& trial) {
  const UniqueFd buffer(rawAllocate(trial.heap().node, smallBytes, O_RDWR | O_CLOEXEC, 0, 0, O_RDONLY));
  trial.expectErrno("allocate through a node opened O_RDONLY", buffer ? 0 : -buffer.get(), {0});
  return {};
}

Result<> closeOnExec(Trial& trial) {
  const UniqueFd closed(rawAllocate(trial.heap().node, smallBytes, O_RDWR | O_CLOEXEC));
  const UniqueFd kept(rawAllocate(trial.heap().node, smallBytes, O_RDWR));
  if (!closed || !kept) return systemError("DMA_HEAP_IOCTL_ALLOC", trial.heap().name, -(closed ? kept : closed).get());
  trial.expectErrno("fstat after exec, of a buffer with O_CLOEXEC", runExecChild("fstat", closed.get()), {EBADF});
  trial.expectErrno("fstat after exec, of one without", runExecChild("fstat", kept.get()), {0});
  return {};
}

Result<> overExec(Trial& trial) {
  const UniqueFd kept(rawAllocate(trial.heap().node, smallBytes, O_RDWR));
  if (!kept) return systemError("DMA_HEAP_IOCTL_ALLOC", trial.heap().name, -kept.get());
  const int owner = mapErrno(kept.get(), PROT_READ);
  trial.saw("mmap(PROT_READ) by its owner", errnoText(owner));
  trial.expectErrno("mmap(PROT_READ) after exec", runExecChild("mmap", kept.get()), {owner});
  return {};
}

/** The result of `body` as the exit status of a forked child; -1 where it did not end by itself. */
template<typename Body>
int inFork(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

Result<> overFork(Trial& trial) {
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const int owner = mapErrno(buffer->fd(), PROT_READ);
  trial.saw("mmap(PROT_READ) by its owner", errnoText(owner));
  trial.expectErrno("mmap(PROT_READ) by a forked child", inFork([&] { return mapErrno(buffer->fd(), PROT_READ); }),
                    {owner});
  return {};
}

bool sendFd(int socket, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, 0) == 1;
}

UniqueFd receiveFd(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == nullptr) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return UniqueFd(fd);
}

Result<> passed(Trial& trial) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return systemError("socketpair", "AF_UNIX");
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  constexpr int notReceived = 250;
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const int owner = mapErrno(buffer->fd(), PROT_READ);
  trial.saw("mmap(PROT_READ) by its owner", errnoText(owner));
  if (!sendFd(ours.get(), buffer->fd())) return systemError("sendmsg", "SCM_RIGHTS");
  const int received = inFork([&] {
    const UniqueFd fd = receiveFd(theirs.get());
    return fd ? mapErrno(fd.get(), PROT_READ) : notReceived;
  });
  if (received == notReceived) return invalid("recvmsg", "SCM_RIGHTS", "the descriptor did not arrive");
  trial.expectErrno("mmap(PROT_READ) by a process that it was passed to", received, {owner});
  return {};
}

Result<> nameSpoofed(Trial& trial) {
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto before = Inspector::identify(buffer->fd());
  if (!before) return std::unexpected(before.error());
  if (ioctl(buffer->fd(), DMA_BUF_SET_NAME_B, "x\nexp_name:\tspoofed\n") != 0) {
    trial.saw("DMA_BUF_SET_NAME", errnoText(errno));
    return {};
  }
  const auto after = Inspector::identify(buffer->fd());
  if (!after) return std::unexpected(after.error());
  trial.expect(after->exporterName == before->exporterName,
               "exporter after DMA_BUF_SET_NAME(`x\\nexp_name:\\tspoofed\\n`)", after->exporterName);
  return {};
}

Result<> seek(Trial& trial) {
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto errnoOf = [&](off_t offset, int whence) { return lseek(buffer->fd(), offset, whence) < 0 ? errno : 0; };
  trial.expectErrno("lseek(0, SEEK_SET)", errnoOf(0, SEEK_SET), {0});
  trial.expectErrno("lseek(1, SEEK_SET)", errnoOf(1, SEEK_SET), {EINVAL});
  trial.expectErrno("lseek(0, SEEK_CUR)", errnoOf(0, SEEK_CUR), {EINVAL});
  return {};
}

Result<> fences(Trial& trial) {
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto fence = exportSyncFile(buffer->fd(), FenceUse::Write);
  trial.expect(fence.has_value(), "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", fence ? "succeeded" : fence.error().text());
  if (!fence) return {};
  const auto imported = importSyncFile(buffer->fd(), fence->get(), FenceUse::Write);
  trial.expect(imported.has_value(), "DMA_BUF_IOCTL_IMPORT_SYNC_FILE",
               imported ? "succeeded" : imported.error().text());
  return {};
}

// ---- All of the pool ----

constexpr size_t pieceBytes = 4 << 20;
constexpr size_t piecesAtMost = 4096; // 16 GiB: not a carve-out any more

/** Takes pieces until the heap says no: how many, and its errno (0: there were more than this looks for). */
struct Taken {
  std::vector<UniqueFd> pieces;
  int error = 0;
};

Taken takeAll(const Heap& heap) {
  Taken taken;
  while (taken.pieces.size() < piecesAtMost) {
    const int fd = rawAllocate(heap.node, pieceBytes);
    if (fd < 0) {
      taken.error = -fd;
      break;
    }
    taken.pieces.emplace_back(fd);
  }
  return taken;
}

Result<> exhaustion(Trial& trial) {
  Taken first = takeAll(trial.heap());
  trial.saw("room", std::format("{} buffers of {} MiB", first.pieces.size(), pieceBytes >> 20));
  if (first.error == 0) return trial.skip("the pool has no end within 16 GiB");
  trial.expectErrno("allocate in a full pool", first.error, {ENOMEM, ENOSPC});
  return {};
}

Result<> recovery(Trial& trial) {
  const size_t before = takeAll(trial.heap()).pieces.size();
  const Taken again = takeAll(trial.heap());
  trial.saw("room", std::format("{} buffers of {} MiB", before, pieceBytes >> 20));
  trial.expect(again.pieces.size() >= before, "room after all were closed", std::to_string(again.pieces.size()));
  return {};
}

Result<> killedOwner(Trial& trial) {
  const size_t before = takeAll(trial.heap()).pieces.size();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return systemError("pipe2", "owner");
  const UniqueFd readEnd(ends[0]);
  UniqueFd writeEnd(ends[1]);
  const pid_t owner = fork();
  if (owner == 0) {
    const Taken all = takeAll(trial.heap());
    if (write(writeEnd.get(), "x", 1) == 1)
      for (;;)
        pause();
    _exit(1);
  }
  writeEnd.reset();
  char ready = 0;
  const bool held = read(readEnd.get(), &ready, 1) == 1;
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  if (!held) return invalid("fork", "owner", "it did not take the pool");
  const Taken again = takeAll(trial.heap());
  trial.saw("room", std::format("{} buffers of {} MiB", before, pieceBytes >> 20));
  trial.expect(again.pieces.size() >= before, "room after the owner of all was killed",
               std::to_string(again.pieces.size()));
  return {};
}

// ---- Contents, as the secure world reports them ----

Result<> apart(Trial& trial) {
  const auto first = ProtectedBuffer::withSecret(trial, smallBytes);
  if (!first) return std::unexpected(first.error());
  const auto second = ProtectedBuffer::allocate(trial.heap(), smallBytes);
  if (!second) return std::unexpected(second.error());
  if (auto filled = second->fill(trial.board(), 0, std::vector<std::byte>(smallBytes)); !filled) return filled;
  const auto content = first->dump(trial.board(), 0, smallBytes);
  if (!content) return std::unexpected(content.error());
  trial.expect(*content == pattern(trial.secret(), smallBytes), "content after another buffer was filled",
               *content == pattern(trial.secret(), smallBytes) ? "unchanged" : "changed");
  return {};
}

constexpr std::array cases = {
    Case{"heap/evidence",
         "The kernel gives evidence that the heap's buffers are protected: they cannot be mapped at all.",
         "dma-buf heaps (Documentation/userspace-api/dma-buf-heaps.rst): `protected` buffers are not accessible to the "
         "OS; a name alone "
         "is no evidence, since reserved-memory nodes name CMA heaps",
         NeedHeap, Undisturbed, 0.1, evidence},
    Case{"heap/size-zero", "A buffer without size is refused.", heapUapi, NeedHeap, Undisturbed, 0.1, sizeZero},
    Case{"heap/size-rounded", "Buffers have whole pages, and at least what was asked for.", heapUapi, NeedHeap,
         Undisturbed, 0.1, sizeRounded},
    Case{"heap/size-too-large", "A buffer larger than any memory is refused with an errno, and nothing else happens.",
         heapUapi, NeedHeap, Undisturbed, 0.1, sizeTooLarge},
    Case{"heap/fd-flags", "Descriptor flags other than access mode and O_CLOEXEC are refused.", heapUapi, NeedHeap,
         Undisturbed, 0.1, fdFlags},
    Case{"heap/heap-flags", "Heap flags, of which the kernel has none, are refused.", heapUapi, NeedHeap, Undisturbed,
         0.1, heapFlags},
    Case{"heap/fd-field", "The field that returns the descriptor has to be zero in a request.", heapUapi, NeedHeap,
         Undisturbed, 0.1, fdField},
    Case{"heap/access-mode", "A buffer's descriptor has the access mode that was asked for.", heapUapi, NeedHeap,
         Undisturbed, 0.1, accessMode},
    Case{"heap/node-mode",
         "Buffers can be allocated through a node opened for reading, as Android's libdmabufheap does.", heapUapi,
         NeedHeap, Undisturbed, 0.1, nodeMode},
    Case{"heap/close-on-exec", "A buffer with O_CLOEXEC is closed by exec, and one without is not.", heapUapi, NeedHeap,
         Undisturbed, 0.3, closeOnExec},
    Case{"heap/exec", "A program that inherits a buffer over exec can map it no more than its owner.",
         "open(2), execve(2): rights belong to the open file", NeedHeap, Undisturbed, 0.2, overExec},
    Case{"heap/fork", "A forked child can map a buffer no more than its owner.",
         "fork(2): rights belong to the open file", NeedHeap, Undisturbed, 0.1, overFork},
    Case{"heap/passed", "A process that gets a buffer over a Unix socket can map it no more than its owner.",
         "unix(7): SCM_RIGHTS passes the open file; this is how Wayland clients hand buffers over", NeedHeap,
         Undisturbed, 0.1, passed},
    Case{"heap/name-spoofed", "A name that a client sets does not change what the kernel says about the exporter.",
         "drivers/dma-buf/dma-buf.c: dma_buf_show_fdinfo() writes exp_name before name, and DMA_BUF_SET_NAME sets only "
         "name",
         NeedHeap, Undisturbed, 0.1, nameSpoofed},
    Case{"heap/seek", "lseek tells the size and moves nothing.", "drivers/dma-buf/dma-buf.c: dma_buf_llseek()",
         NeedHeap, Undisturbed, 0.1, seek},
    Case{"heap/fences", "Fences can be taken from a buffer and added to it, which displays and GPUs rely on.",
         "linux/dma-buf.h: DMA_BUF_IOCTL_EXPORT_SYNC_FILE and IMPORT_SYNC_FILE (Linux 6.0)", NeedHeap, Undisturbed, 0.1,
         fences},
    Case{"heap/exhaustion", "A full pool is told by ENOMEM or ENOSPC.",
         "drivers/tee/tee_heap.c (ENOMEM), Tegra VPR series v5 (ENOSPC)", NeedHeap, FillsPool, 1, exhaustion},
    Case{"heap/recovery", "What was taken of the pool comes back when it is closed.",
         "dma-buf.c: the buffer is released with its last reference", NeedHeap, FillsPool, 1, recovery},
    Case{"heap/killed-owner", "What a killed process had of the pool comes back.",
         "dma-buf.c: the buffer is released with its last reference", NeedHeap, FillsPool, 2, killedOwner},
    Case{"heap/apart", "Filling one buffer leaves another as it is.",
         "OP-TEE's sdp_basic test (optee_test host/xtest/sdp_basic.c) relies on it",
         NeedHeap | NeedFill | NeedSdpBasic | NeedDump, Undisturbed, 0.3, apart},
};

} // namespace

std::span<const Case> heapCases() {
  return cases;
}

} // namespace vitrine::display_test
