#include "tests/leak/detector.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <set>
#include <vector>

#include "protected-path/base/unique_fd.h"

namespace vitrine::test {
namespace {

constexpr size_t pageBytes = 4096;
constexpr uintptr_t largestRegion = uintptr_t{16} << 30; ///< larger ones are a sanitizer's shadow memory

/** A dma-buf's exporter, from /proc/self/fdinfo; empty for any other file. */
std::string exporterOf(const std::string& fd) {
  std::error_code failed;
  const std::string link = std::filesystem::read_symlink("/proc/self/fd/" + fd, failed).string();
  if (failed || !link.starts_with("/dmabuf:")) return {};
  std::ifstream info("/proc/self/fdinfo/" + fd);
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("exp_name:")) return line.substr(line.find_first_not_of(" \t", 9));
  }
  return "?";
}

thread_local sigjmp_buf* unreachable = nullptr; ///< where to continue after a fault; null outside readGuarded()

void onFault(int signal) {
  if (unreachable != nullptr) siglongjmp(*unreachable, 1);
  std::signal(signal, SIG_DFL); // not from readGuarded(): it is raised again and ends the program
}

/**
 * Copies memory that may be inaccessible. A fault (SIGBUS if a mapping has no page) ends the copy. Returns the number
 * of bytes copied. Not sanitized, since it also reads memory that a sanitizer poisons.
 */
__attribute__((no_sanitize("address", "undefined"))) size_t readGuarded(const uint8_t* from, std::span<uint8_t> into) {
  static const bool guarded = [] {
    struct sigaction action{};
    action.sa_handler = onFault;
    return sigaction(SIGBUS, &action, nullptr) == 0 && sigaction(SIGSEGV, &action, nullptr) == 0;
  }();
  if (!guarded) return 0;
  volatile size_t copied = 0;
  sigjmp_buf here;
  if (sigsetjmp(here, 1) != 0) {
    unreachable = nullptr;
    return copied;
  }
  unreachable = &here;
  while (copied < into.size()) {
    const size_t end = std::min(into.size(), copied + pageBytes);
    for (size_t i = copied; i < end; ++i)
      into[i] = from[i];
    copied = end;
  }
  unreachable = nullptr;
  return copied;
}

/**
 * A buffer into which memory is copied to be searched. It is cleared afterwards, or the next search would find the
 * copy.
 */
class Glass {
public:
  explicit Glass(size_t size) : bytes_(size) {}
  Glass(const Glass&) = delete;
  Glass& operator=(const Glass&) = delete;
  ~Glass() { explicit_bzero(bytes_.data(), bytes_.size()); }
  [[nodiscard]] std::span<uint8_t> first(size_t size) { return std::span(bytes_).first(size); }

private:
  std::vector<uint8_t> bytes_;
};

/** Whether `bytes` has a run of a repeated pattern. The pattern itself is never in memory, or it would be found. */
template<size_t Size>
bool hasRun(std::span<const uint8_t> bytes, const std::array<uint8_t, Size>& pattern) {
  constexpr size_t wanted = 32;
  size_t run = 0;
  for (const uint8_t byte : bytes) {
    run = byte == pattern[run % Size] ? run + 1 : byte == pattern[0] ? 1 : 0;
    if (run == wanted) return true;
  }
  return false;
}

/** The pages of a range that exist (Documentation/admin-guide/mm/pagemap.rst). The others have no content. */
std::vector<bool> presentPages(int pagemap, uintptr_t begin, uintptr_t end) {
  constexpr uint64_t present = uint64_t{1} << 63;
  std::vector<uint64_t> entries((end - begin) / pageBytes);
  const ssize_t got = pread(pagemap, entries.data(), entries.size() * sizeof(uint64_t),
                            static_cast<off_t>(begin / pageBytes * sizeof(uint64_t)));
  std::vector<bool> pages(entries.size(), got < 0); // all, if the kernel does not say
  for (size_t i = 0; i < static_cast<size_t>(std::max<ssize_t>(got, 0)) / sizeof(uint64_t); ++i)
    pages[i] = (entries[i] & present) != 0;
  return pages;
}

} // namespace

std::optional<size_t> findGreen(std::span<const uint8_t> pixels) {
  for (size_t i = 1; i < pixels.size(); i += 4) {
    if (pixels[i] > mostGreen) return i;
  }
  return std::nullopt;
}

Search searchBuffers() {
  Search search;
  Glass glass(pageBytes);
  std::set<ino_t> seen; // several fds may refer to one buffer
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string name = entry.path().filename().string();
    const std::string exporter = exporterOf(name);
    if (exporter.empty()) continue;
    const int fd = std::stoi(name);
    struct stat status{};
    if (fstat(fd, &status) != 0 || !seen.insert(status.st_ino).second) continue;
    const off_t end = lseek(fd, 0, SEEK_END);
    if (end <= 0) continue; // another thread has closed it
    const auto size = static_cast<size_t>(end);
    void* mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) continue; // refused, so it cannot be read
    size_t looked = 0;
    std::optional<size_t> green;
    while (looked < size && !green) {
      const std::span<uint8_t> bytes = glass.first(std::min(pageBytes, size - looked));
      if (readGuarded(static_cast<const uint8_t*>(mapped) + looked, bytes) < bytes.size()) break; // inaccessible
      if (const auto at = findGreen(bytes)) green = looked + *at;
      looked += bytes.size();
    }
    munmap(mapped, size);
    if (looked == 0) continue;
    search.buffers += 1;
    search.bytes += looked;
    if (green) {
      search.found = std::format("green at byte {} of a {} byte buffer of {}", *green, size, exporter);
      break;
    }
  }
  return search;
}

Search searchMemory() {
  Search search;
  const UniqueFd pagemap(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  Glass glass(pageBytes);
  const std::span<uint8_t> bytes = glass.first(pageBytes);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char readable = '-';
    if (std::sscanf(line.c_str(), "%lx-%lx %c", &begin, &end, &readable) != 3 || readable != 'r') continue;
    if (end - begin > largestRegion) continue;
    // pagemap does not cover the pages of dma-bufs, which are not normal memory.
    const bool dmabuf = line.find("/dmabuf:") != std::string::npos;
    const std::vector<bool> pages =
        dmabuf ? std::vector<bool>((end - begin) / pageBytes, true) : presentPages(pagemap.get(), begin, end);
    for (size_t i = 0; i < pages.size(); ++i) {
      if (!pages[i]) continue;
      const size_t got = readGuarded(reinterpret_cast<const uint8_t*>(begin + i * pageBytes), bytes);
      search.bytes += got;
      const std::span<const uint8_t> page = bytes.first(got);
      if (hasRun(page, secretPixel) || hasRun(page, secretChroma)) {
        search.found = "the secret in memory: " + line;
        return search;
      }
    }
  }
  return search;
}

} // namespace vitrine::test
