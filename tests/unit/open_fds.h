#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace vitrine::test {

/** The open files of this process: the targets of /proc/self/fd, such as `/dev/dri/card0` or `/dmabuf:`, sorted. */
[[nodiscard]] inline std::vector<std::string> openFds() {
  std::vector<std::string> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone; // a thread of the driver may have closed it meanwhile
    const auto file = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone) result.push_back(file.string());
  }
  std::ranges::sort(result);
  return result;
}

} // namespace vitrine::test
