#include "tests/board/display-test/memory_search.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <optional>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protected-path/base/unique_fd.h"

namespace vitrine::display_test {
namespace {

using std::filesystem::directory_iterator;
using std::filesystem::directory_options;

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

std::string readWhole(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/** `process 12 (vitrine)` */
std::string processText(pid_t pid) {
  std::string name = readWhole(std::format("/proc/{}/comm", pid));
  if (name.ends_with('\n')) name.pop_back();
  return std::format("process {} ({})", pid, name);
}

std::vector<pid_t> otherProcesses() {
  std::vector<pid_t> processes;
  for (const auto& entry : directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    if (pid != getppid() && getpgid(pid) != getpgrp()) processes.push_back(pid);
  }
  return processes;
}

/** All readable mappings of one process, until the first hit. */
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
    searched.hits.push_back(std::format("{} at {:#x}: {}", processText(pid), *hit, line.substr(0, 60)));
    return;
  }
}

/** One file. Its name in a hit: `name`. */
void searchFile(const std::filesystem::path& path, const std::string& name, const Secret& secret,
                std::vector<std::byte>& buffer, Searched& searched) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return;
  ++searched.places;
  const auto size = static_cast<uint64_t>(std::max<off_t>(lseek(file.get(), 0, SEEK_END), 0));
  searched.bytes += size;
  const auto hit = find(secret, 0, size, buffer, [&file](void* to, size_t length, uint64_t at) {
    return pread(file.get(), to, length, static_cast<off_t>(at));
  });
  if (hit) searched.hits.push_back(std::format("{} at byte {}", name, *hit));
}

constexpr const char* volatileDirectories[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};

} // namespace

Searched searchProcesses(const Secret& secret) {
  std::vector<std::byte> buffer(chunkBytes);
  Searched searched;
  for (const pid_t pid : otherProcesses())
    searchProcess(pid, secret, buffer, searched);
  return searched;
}

Searched searchOpenFiles(const Secret& secret) {
  std::vector<std::byte> buffer(chunkBytes);
  Searched searched;
  std::set<std::pair<dev_t, ino_t>> done; // several processes may have the same file
  for (const pid_t pid : otherProcesses()) {
    std::error_code error;
    for (const auto& entry : directory_iterator(std::format("/proc/{}/fd", pid), error)) {
      struct stat status{};
      if (stat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 0) continue;
      if (!done.insert({status.st_dev, status.st_ino}).second) continue;
      std::error_code ignored;
      const std::string target = read_symlink(entry.path(), ignored).string();
      searchFile(entry.path(), std::format("{}, open in {}", target, processText(pid)), secret, buffer, searched);
    }
  }
  return searched;
}

Searched searchFiles(const Secret& secret) {
  std::vector<std::byte> buffer(chunkBytes);
  Searched searched;
  for (const char* directory : volatileDirectories) {
    std::error_code error;
    std::filesystem::recursive_directory_iterator entries(directory, directory_options::skip_permission_denied, error);
    for (; !error && entries != std::filesystem::recursive_directory_iterator(); entries.increment(error)) {
      std::error_code ignored;
      if (entries->is_symlink(ignored) || !entries->is_regular_file(ignored)) continue;
      searchFile(entries->path(), entries->path().string(), secret, buffer, searched);
    }
  }
  return searched;
}

void report(Trial& trial, const Searched& searched, std::string_view unit) {
  trial.saw("searched", std::format("{} {}, {} MiB", searched.places, unit, searched.bytes >> 20));
  for (const std::string& hit : searched.hits)
    trial.expect(false, "the content was found", hit);
}

} // namespace vitrine::display_test
