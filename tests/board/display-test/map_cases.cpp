#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/map_device_ways.h"
#include "tests/board/display-test/read_attempt.h"

namespace vitrine::display_test {
namespace {

// ---- mmap ----

ReadAttempt mapRead(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ, MAP_SHARED);
}

ReadAttempt mapWrite(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_WRITE, MAP_SHARED);
}

ReadAttempt mapReadWrite(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED);
}

ReadAttempt mapExecute(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ | PROT_EXEC, MAP_SHARED);
}

ReadAttempt mapPrivate(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ, MAP_PRIVATE);
}

ReadAttempt mapPopulated(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ, MAP_SHARED | MAP_POPULATE);
}

ReadAttempt mapLocked(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ, MAP_SHARED | MAP_LOCKED);
}

ReadAttempt mapValidated(const Target& target) {
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ, MAP_SHARED_VALIDATE);
}

ReadAttempt mapSecondPage(const Target& target) {
  const long page = sysconf(_SC_PAGESIZE);
  return mapAndRead(target.fd, target.sizeBytes - static_cast<size_t>(page), PROT_READ, MAP_SHARED, page);
}

ReadAttempt mapFixed(const Target& target) {
  void* place = mmap(nullptr, target.sizeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return ReadAttempt::refused("mmap of a place", errno);
  void* address = mmap(place, target.sizeBytes, PROT_READ, MAP_SHARED | MAP_FIXED, target.fd, 0);
  if (address == MAP_FAILED) return ReadAttempt::refused("mmap", errno);
  return readMemory(address, target.sizeBytes);
}

ReadAttempt mapThenProtect(const Target& target) {
  void* address = mmap(nullptr, target.sizeBytes, PROT_NONE, MAP_SHARED, target.fd, 0);
  if (address == MAP_FAILED) return ReadAttempt::refused("mmap(PROT_NONE)", errno);
  if (mprotect(address, target.sizeBytes, PROT_READ) != 0) return ReadAttempt::refused("mprotect(PROT_READ)", errno);
  return readMemory(address, target.sizeBytes);
}

ReadAttempt syncThenMap(const Target& target) {
  dma_buf_sync sync{DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW};
  if (ioctl(target.fd, DMA_BUF_IOCTL_SYNC, &sync) != 0) return ReadAttempt::refused("DMA_BUF_IOCTL_SYNC", errno);
  return mapAndRead(target.fd, target.sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED);
}

// ---- The descriptor as a file ----

ReadAttempt plainRead(const Target& target) {
  std::vector<std::byte> bytes(target.sizeBytes);
  if (read(target.fd, bytes.data(), bytes.size()) < 0) return ReadAttempt::refused("read", errno);
  return ReadAttempt::read(std::move(bytes));
}

ReadAttempt positionedRead(const Target& target) {
  std::vector<std::byte> bytes(target.sizeBytes);
  if (pread(target.fd, bytes.data(), bytes.size(), 0) < 0) return ReadAttempt::refused("pread", errno);
  return ReadAttempt::read(std::move(bytes));
}

ReadAttempt vectorRead(const Target& target) {
  std::vector<std::byte> bytes(target.sizeBytes);
  const iovec to{bytes.data(), bytes.size()};
  if (readv(target.fd, &to, 1) < 0) return ReadAttempt::refused("readv", errno);
  return ReadAttempt::read(std::move(bytes));
}

/** A pipe's two ends; invalid where there is none. */
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  UniqueFd out;
  UniqueFd in;
};

ReadAttempt spliced(const Target& target) {
  const Pipe pipe;
  if (splice(target.fd, nullptr, pipe.in.get(), nullptr, target.sizeBytes, SPLICE_F_NONBLOCK) < 0)
    return ReadAttempt::refused("splice", errno);
  return ReadAttempt::read(readAll(pipe.out.get(), target.sizeBytes));
}

ReadAttempt sentFile(const Target& target) {
  const UniqueFd file(memfd_create("display-test", MFD_CLOEXEC));
  if (sendfile(file.get(), target.fd, nullptr, target.sizeBytes) < 0) return ReadAttempt::refused("sendfile", errno);
  lseek(file.get(), 0, SEEK_SET);
  return ReadAttempt::read(readAll(file.get(), target.sizeBytes));
}

ReadAttempt copiedRange(const Target& target) {
  const UniqueFd file(memfd_create("display-test", MFD_CLOEXEC));
  if (copy_file_range(target.fd, nullptr, file.get(), nullptr, target.sizeBytes, 0) < 0)
    return ReadAttempt::refused("copy_file_range", errno);
  lseek(file.get(), 0, SEEK_SET);
  return ReadAttempt::read(readAll(file.get(), target.sizeBytes));
}

ReadAttempt reopened(const Target& target) {
  const std::string path = std::format("/proc/self/fd/{}", target.fd);
  const UniqueFd again(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!again) return ReadAttempt::refused("open " + path, errno);
  std::vector<std::byte> bytes = readAll(again.get(), target.sizeBytes);
  return bytes.empty() ? mapAndRead(again.get(), target.sizeBytes, PROT_READ, MAP_SHARED)
                       : ReadAttempt::read(std::move(bytes));
}

// ---- A mapping that may not be touched, read from elsewhere ----

/** The most that the exporter grants: a readable mapping, or one without any access; MAP_FAILED where it grants none. */
void* anyMapping(const Target& target) {
  void* none = mmap(nullptr, target.sizeBytes, PROT_NONE, MAP_SHARED, target.fd, 0);
  if (none == MAP_FAILED) return none;
  void* readable = mmap(nullptr, target.sizeBytes, PROT_READ, MAP_SHARED, target.fd, 0);
  return readable == MAP_FAILED ? none : readable;
}

ReadAttempt noMapping() {
  return ReadAttempt::refused("mmap(PROT_NONE), to be read from elsewhere", errno);
}

ReadAttempt vmSpliced(const Target& target) {
  void* address = anyMapping(target);
  if (address == MAP_FAILED) return noMapping();
  const Pipe pipe;
  const iovec from{address, target.sizeBytes};
  if (vmsplice(pipe.in.get(), &from, 1, SPLICE_F_NONBLOCK) < 0) return ReadAttempt::refused("vmsplice", errno);
  return ReadAttempt::read(readAll(pipe.out.get(), target.sizeBytes));
}

ReadAttempt writtenFrom(const Target& target) {
  void* address = anyMapping(target);
  if (address == MAP_FAILED) return noMapping();
  const UniqueFd file(memfd_create("display-test", MFD_CLOEXEC));
  if (pwrite(file.get(), address, target.sizeBytes, 0) < 0) return ReadAttempt::refused("pwrite", errno);
  return ReadAttempt::read(readAll(file.get(), target.sizeBytes));
}

ReadAttempt processRead(const Target& target) {
  void* address = anyMapping(target);
  if (address == MAP_FAILED) return noMapping();
  std::vector<std::byte> bytes(target.sizeBytes);
  const iovec to{bytes.data(), bytes.size()};
  const iovec from{address, target.sizeBytes};
  if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) < 0) return ReadAttempt::refused("process_vm_readv", errno);
  return ReadAttempt::read(std::move(bytes));
}

ReadAttempt procMem(const Target& target) {
  void* address = anyMapping(target);
  if (address == MAP_FAILED) return noMapping();
  const UniqueFd memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  if (!memory) return ReadAttempt::refused("open /proc/self/mem", errno);
  std::vector<std::byte> bytes(target.sizeBytes);
  if (pread(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(reinterpret_cast<uintptr_t>(address))) < 0)
    return ReadAttempt::refused("pread /proc/self/mem", errno);
  return ReadAttempt::read(std::move(bytes));
}

ReadAttempt traced(const Target& target) {
  auto* address = static_cast<std::byte*>(anyMapping(target));
  if (address == MAP_FAILED) return noMapping();
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  std::vector<std::byte> bytes(256);
  int number = 0;
  for (size_t at = 0; at < bytes.size() && number == 0; at += sizeof(long)) {
    errno = 0;
    const long word = ptrace(PTRACE_PEEKDATA, child, address + at, nullptr);
    number = errno;
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return number != 0 ? ReadAttempt::refused("ptrace(PTRACE_PEEKDATA)", number) : ReadAttempt::read(std::move(bytes));
}

// ---- The table ----

template<ReadAttempt (*way)(const Target&)>
Result<> with(Trial& trial) {
  return tryToRead(trial, way);
}

constexpr std::string_view noMmapOp =
    "drivers/tee/tee_heap.c: the exporter has no mmap and no vmap, so dma_buf_mmap() says EINVAL; vendor "
    "kernels say EPERM (MediaTek, Tegra VPR) or EACCES (Samsung)";
constexpr std::string_view noReadOp = "drivers/dma-buf/dma-buf.c: dma_buf_fops has neither read_iter nor splice_read";
constexpr std::string_view remote =
    "mm/gup.c: what has no struct page is not read for others; mm/memory.c: __access_remote_vm() asks the "
    "exporter's vm_ops->access, which must not read around the firewall";
constexpr std::string_view export_ =
    "drivers/gpu/drm/drm_prime.c: the same dma-buf comes back from PRIME export, with its own refusals";

constexpr std::array cases = {
    Case{"map/mmap-read", "mmap(PROT_READ, MAP_SHARED) does not give the content.", noMmapOp, NeedHeap, Undisturbed,
         0.1, with<mapRead>},
    Case{"map/mmap-write", "mmap(PROT_WRITE, MAP_SHARED) does not give the content.", noMmapOp, NeedHeap, Undisturbed,
         0.1, with<mapWrite>},
    Case{"map/mmap-read-write", "mmap(PROT_READ | PROT_WRITE, MAP_SHARED) does not give the content.", noMmapOp,
         NeedHeap, Undisturbed, 0.1, with<mapReadWrite>},
    Case{"map/mmap-exec", "mmap(PROT_READ | PROT_EXEC, MAP_SHARED) does not give the content.", noMmapOp, NeedHeap,
         Undisturbed, 0.1, with<mapExecute>},
    Case{"map/mmap-private", "mmap(PROT_READ, MAP_PRIVATE) does not give the content.", noMmapOp, NeedHeap, Undisturbed,
         0.1, with<mapPrivate>},
    Case{"map/mmap-populate", "MAP_POPULATE does not change the refusal.", noMmapOp, NeedHeap, Undisturbed, 0.1,
         with<mapPopulated>},
    Case{"map/mmap-locked", "MAP_LOCKED does not change the refusal.", noMmapOp, NeedHeap, Undisturbed, 0.1,
         with<mapLocked>},
    Case{"map/mmap-validate", "MAP_SHARED_VALIDATE does not change the refusal.", noMmapOp, NeedHeap, Undisturbed, 0.1,
         with<mapValidated>},
    Case{"map/mmap-fixed", "MAP_FIXED over memory of the process does not change the refusal.", noMmapOp, NeedHeap,
         Undisturbed, 0.1, with<mapFixed>},
    Case{"map/mmap-offset", "A mapping of all but the first page does not give the content.", noMmapOp, NeedHeap,
         Undisturbed, 0.1, with<mapSecondPage>},
    Case{"map/mmap-then-mprotect", "A mapping without access does not become readable by mprotect.", noMmapOp, NeedHeap,
         Undisturbed, 0.1, with<mapThenProtect>},
    Case{"map/sync-then-mmap", "DMA_BUF_IOCTL_SYNC opens no way to the content.",
         "linux/dma-buf.h; it returns 0 with mainline's heap, and means nothing for protection", NeedHeap, Undisturbed,
         0.1, with<syncThenMap>},
    Case{"map/read", "read does not give the content.", noReadOp, NeedHeap, Undisturbed, 0.1, with<plainRead>},
    Case{"map/pread", "pread does not give the content.", noReadOp, NeedHeap, Undisturbed, 0.1, with<positionedRead>},
    Case{"map/readv", "readv does not give the content.", noReadOp, NeedHeap, Undisturbed, 0.1, with<vectorRead>},
    Case{"map/splice", "splice into a pipe does not give the content.", noReadOp, NeedHeap, Undisturbed, 0.1,
         with<spliced>},
    Case{"map/sendfile", "sendfile into a file does not give the content.", noReadOp, NeedHeap, Undisturbed, 0.1,
         with<sentFile>},
    Case{"map/copy-file-range", "copy_file_range into a file does not give the content.", noReadOp, NeedHeap,
         Undisturbed, 0.1, with<copiedRange>},
    Case{"map/reopen", "The buffer cannot be opened again through /proc/self/fd with other rights.",
         "fs/inode.c: no_open() says ENXIO", NeedHeap, Undisturbed, 0.1, with<reopened>},
    Case{"map/vmsplice", "vmsplice of a mapping does not give the content.", remote, NeedHeap, Undisturbed, 0.1,
         with<vmSpliced>},
    Case{"map/write-from", "write from a mapping into a file does not give the content.", remote, NeedHeap, Undisturbed,
         0.1, with<writtenFrom>},
    Case{"map/process-vm-readv", "process_vm_readv of a mapping does not give the content.", remote, NeedHeap,
         Undisturbed, 0.1, with<processRead>},
    Case{"map/proc-mem",
         "/proc/PID/mem at a mapping does not give the content, although it reads what the process may not.", remote,
         NeedHeap, Undisturbed, 0.1, with<procMem>},
    Case{"map/ptrace", "PTRACE_PEEKDATA at a mapping does not give the content.", remote, NeedHeap, Undisturbed, 0.2,
         with<traced>},
    Case{"map/tee-descriptor", "The descriptor that the TEE gives for a registered buffer cannot be mapped.",
         "drivers/tee/tee_shm.c: tee_shm_fop_mmap() refuses registered dma-bufs", NeedHeap | NeedTee, Undisturbed, 0.1,
         with<teeDescriptor>},
    Case{"map/udmabuf", "udmabuf makes no ordinary buffer of a protected one.",
         "drivers/dma-buf/udmabuf.c: check_memfd_seals() takes memfds only", NeedHeap | NeedUdmabuf, Undisturbed, 0.1,
         with<udmabufOf>},
    Case{"map/dumb-map", "The display's handle of a protected buffer cannot be mapped as a dumb buffer.",
         "drivers/gpu/drm/drm_gem.c: drm_gem_dumb_map_offset() refuses imported buffers", NeedHeap | NeedCard,
         Undisturbed, 0.2, with<dumbMap>},
    Case{"map/prime-export",
         "The dma-buf that the display exports of its handle can be mapped no more than the original.", export_,
         NeedHeap | NeedCard, Undisturbed, 0.2, with<primeExport>},
    Case{"map/getfb2", "The handle of a framebuffer (GETFB2) leads to nothing that can be mapped.", export_,
         NeedHeap | NeedCard, Undisturbed, 0.2, with<framebufferHandle>},
    Case{"map/getfb2-other-file", "Another open file of the display device finds no mappable buffer in a framebuffer.",
         "drivers/gpu/drm/drm_framebuffer.c: handles go only to the master or CAP_SYS_ADMIN", NeedHeap | NeedCard,
         Undisturbed, 0.2, with<foreignFramebufferHandle>},
    Case{"map/gem-flink", "A global GEM name of a protected buffer leads to nothing that can be mapped.",
         "drivers/gpu/drm/drm_gem.c: drm_gem_flink_ioctl(), drm_gem_open_ioctl()", NeedHeap | NeedCard, Undisturbed,
         0.2, with<flinkedName>},
};

} // namespace

std::span<const Case> mapCases() {
  return cases;
}

} // namespace vitrine::display_test
