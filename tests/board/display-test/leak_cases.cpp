#include <array>
#include <format>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/memory_search.h"
#include "tests/board/display-test/protected_buffer.h"

/* After the TEE has written a secret into a protected buffer, the secret is looked for wherever it should not be. */

namespace vitrine::display_test {
namespace {

constexpr size_t frameBytes = 1 << 20;

Result<> inProcesses(Trial& trial) {
  const auto buffer = ProtectedBuffer::withSecret(trial, frameBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const Searched searched = searchProcesses(trial.secret());
  if (searched.places == 0) return trial.skip("the memory of no other process may be read: run as root");
  report(trial, searched, "processes");
  return {};
}

Result<> inOpenFiles(Trial& trial) {
  const auto buffer = ProtectedBuffer::withSecret(trial, frameBytes);
  if (!buffer) return std::unexpected(buffer.error());
  report(trial, searchOpenFiles(trial.secret()), "files without a name");
  return {};
}

Result<> inFiles(Trial& trial) {
  const auto buffer = ProtectedBuffer::withSecret(trial, frameBytes);
  if (!buffer) return std::unexpected(buffer.error());
  report(trial, searchFiles(trial.secret()), "files");
  return {};
}

/** Whether memory that is given to this process now has the secret in it. `fd`: of a dma-buf, or -1 for anonymous memory. */
Result<bool> mapsSecret(const Trial& trial, int fd, size_t sizeBytes) {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* address = mmap(nullptr, sizeBytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) return systemError("mmap", std::format("{} bytes", sizeBytes));
  const bool found = holdsSecret({static_cast<const std::byte*>(address), sizeBytes}, trial.secret());
  munmap(address, sizeBytes);
  return found;
}

Result<> inReusedMemory(Trial& trial) {
  {
    const auto buffer = ProtectedBuffer::withSecret(trial, frameBytes);
    if (!buffer) return std::unexpected(buffer.error());
  }
  constexpr size_t pieces = 32;
  std::vector<UniqueFd> held; // so that each piece is other memory
  for (size_t i = 0; i < pieces; ++i) {
    held.emplace_back(rawAllocate("/dev/dma_heap/system", frameBytes));
    if (!held.back()) return systemError("DMA_HEAP_IOCTL_ALLOC", "system", -held.back().get());
    const auto found = mapsSecret(trial, held.back().get(), frameBytes);
    if (!found) return std::unexpected(found.error());
    if (!trial.expect(!*found, std::format("ordinary buffer {} after a protected one was freed", i),
                      *found ? "has the content" : "does not have the content"))
      return {};
  }
  const auto anonymous = mapsSecret(trial, -1, pieces * frameBytes);
  if (!anonymous) return std::unexpected(anonymous.error());
  trial.expect(!*anonymous, "anonymous memory", *anonymous ? "has the content" : "does not have the content");
  return {};
}

constexpr std::string_view promise =
    "protected heaps: the content is in no memory that the CPU may read (Documentation/userspace-api/"
    "dma-buf-heaps.rst)";

constexpr std::array cases = {
    Case{"leak/processes",
         "After the TEE has filled a protected buffer, no other process has its content in memory; the TEE's "
         "supplicant and services least of all.",
         promise, NeedHeap | NeedFill, Undisturbed, 3, inProcesses},
    Case{"leak/files", "After the TEE has filled a protected buffer, no temporary file has its content.", promise,
         NeedHeap | NeedFill, Undisturbed, 1, inFiles},
    Case{"leak/open-files",
         "After the TEE has filled a protected buffer, no file without a name that another process has open (memfd, "
         "shared memory, deleted file) has its content.",
         promise, NeedHeap | NeedFill, Undisturbed, 1, inOpenFiles},
    Case{"leak/reused-memory",
         "What a freed protected buffer held is in no ordinary memory that is given out after it.",
         "drivers/dma-buf/heaps: heaps clear what they give out", NeedHeap | NeedFill | NeedOrdinary, Undisturbed, 1,
         inReusedMemory},
};

} // namespace

std::span<const Case> leakCases() {
  return cases;
}

} // namespace vitrine::display_test
