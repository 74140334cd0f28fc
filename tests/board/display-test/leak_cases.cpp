#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/protected_buffer.h"

/*
 * After the TEE has written a secret into a protected buffer, the secret is looked for wherever it should not be. This process and the
 * program that started it know the secret and are left out.
 */

namespace vitrine::display_test {
namespace {

constexpr size_t frameBytes = 1 << 20;
constexpr size_t chunkBytes = 1 << 20;

/** Looks for the secret in what `read` gives at [begin, end). The offset of the first hit, or empty. */
template<typename Read>
std::optional<uint64_t> find(const Secret& secret, uint64_t begin, uint64_t end, std::vector<std::byte>& buffer,
                             Read read) {
  constexpr uint64_t overlap = sizeof(Secret) - 1;
  for (uint64_t at = begin; at < end;) {
    const ssize_t got = read(buffer.data(), std::min<uint64_t>(buffer.size(), end - at), at);
    if (got <= 0) return std::nullopt;
    const auto size = static_cast<size_t>(got);
    const void* hit = memmem(buffer.data(), size, secret.data(), secret.size());
    if (hit != nullptr) return at + static_cast<uint64_t>(static_cast<const std::byte*>(hit) - buffer.data());
    if (size <= overlap || at + size >= end) return std::nullopt;
    at += size - overlap;
  }
  return std::nullopt;
}

struct Searched {
  unsigned places = 0; ///< processes or files that could be read
  uint64_t bytes = 0;
  std::vector<std::string> hits;
};

std::string readWhole(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/** All readable mappings of one process. */
void searchProcess(pid_t pid, const Secret& secret, std::vector<std::byte>& buffer, Searched& searched) {
  const std::filesystem::path directory = std::format("/proc/{}", pid);
  const UniqueFd memory(open((directory / "mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory) return;
  ++searched.places;
  std::ifstream maps(directory / "maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char readable = '-';
    if (std::sscanf(line.c_str(), "%lx-%lx %c", &begin, &end, &readable) != 3 || readable != 'r') continue;
    if (line.contains("[vvar") || line.contains("[vsyscall]")) continue;
    searched.bytes += end - begin;
    const auto hit = find(secret, begin, end, buffer, [&memory](void* to, size_t size, uint64_t at) {
      return pread(memory.get(), to, size, static_cast<off_t>(at));
    });
    if (!hit) continue;
    std::string name = readWhole(directory / "comm");
    if (name.ends_with('\n')) name.pop_back();
    searched.hits.push_back(std::format("process {} ({}) at {:#x}: {}", pid, name, *hit, line.substr(0, 60)));
    return;
  }
}

Result<> inProcesses(Trial& trial) {
  const auto buffer = ProtectedBuffer::withSecret(trial, frameBytes);
  if (!buffer) return std::unexpected(buffer.error());
  std::vector<std::byte> bytes(chunkBytes);
  Searched searched;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    if (pid == getppid() || getpgid(pid) == getpgrp()) continue;
    searchProcess(pid, trial.secret(), bytes, searched);
  }
  if (searched.places == 0) return trial.skip("the memory of no other process may be read: run as root");
  trial.saw("searched", std::format("{} processes, {} MiB", searched.places, searched.bytes >> 20));
  for (const std::string& hit : searched.hits)
    trial.expect(false, "the content was found", hit);
  return {};
}

/** Directories in memory, and those for temporary files. */
constexpr const char* volatileDirectories[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};

Result<> inFiles(Trial& trial) {
  using std::filesystem::directory_options;
  const auto buffer = ProtectedBuffer::withSecret(trial, frameBytes);
  if (!buffer) return std::unexpected(buffer.error());
  std::vector<std::byte> bytes(chunkBytes);
  Searched searched;
  for (const char* directory : volatileDirectories) {
    std::error_code error;
    std::filesystem::recursive_directory_iterator entries(directory, directory_options::skip_permission_denied, error);
    for (; !error && entries != std::filesystem::recursive_directory_iterator(); entries.increment(error)) {
      std::error_code ignored;
      if (entries->is_symlink(ignored) || !entries->is_regular_file(ignored)) continue;
      const UniqueFd file(open(entries->path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
      if (!file) continue;
      ++searched.places;
      const auto size = static_cast<uint64_t>(std::max<off_t>(lseek(file.get(), 0, SEEK_END), 0));
      searched.bytes += size;
      const auto hit = find(trial.secret(), 0, size, bytes, [&file](void* to, size_t length, uint64_t at) {
        return pread(file.get(), to, length, static_cast<off_t>(at));
      });
      if (hit) searched.hits.push_back(std::format("{} at byte {}", entries->path().string(), *hit));
    }
  }
  trial.saw("searched", std::format("{} files, {} MiB", searched.places, searched.bytes >> 20));
  for (const std::string& hit : searched.hits)
    trial.expect(false, "the content was found", hit);
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
