#include "tests/board/plane-bench/drm_master.h"

#include <charconv>
#include <filesystem>
#include <format>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

namespace vitrine::bench {
namespace {

namespace fs = std::filesystem;

std::string readFile(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/** Processes with a file descriptor on `node`, without this one. */
std::vector<DrmClient> openers(const std::string& node) {
  std::vector<DrmClient> clients;
  std::error_code ignored; // processes end while we look, and those of others may not be read
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string name = process.path().filename();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    if (pid == getpid()) continue;
    for (const auto& entry : fs::directory_iterator(process.path() / "fd", ignored)) {
      std::error_code gone;
      if (fs::read_symlink(entry.path(), gone) != node || gone) continue;
      std::string command = readFile(process.path() / "comm");
      while (!command.empty() && command.back() == '\n')
        command.pop_back();
      clients.push_back({command, pid, false});
      break;
    }
  }
  return clients;
}

std::string describeHolders(const std::string& node, int fd) {
  struct stat status{};
  fstat(fd, &status);
  for (const DrmClient& client :
       parseDrmClients(readFile(std::format("/sys/kernel/debug/dri/{}/clients", minor(status.st_rdev))))) {
    if (client.master && client.pid != getpid())
      return std::format("{} (process {}) is its DRM master", client.command, client.pid);
  }
  std::string list;
  for (const DrmClient& client : openers(node))
    list += std::format("{}{} (process {})", list.empty() ? "" : ", ", client.command, client.pid);
  return list.empty() ? "another process is its DRM master; root can see which"
                      : "another process is its DRM master; it is open in " + list;
}

} // namespace

std::vector<DrmClient> parseDrmClients(const std::string& text) {
  std::vector<DrmClient> clients;
  std::istringstream lines(text);
  // command tgid dev master a uid magic …; a command may contain spaces, so that numbers are looked for from its end.
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;)
      fields.push_back(word);
    for (size_t i = 1; i + 2 < fields.size(); ++i) {
      int pid = 0;
      const std::string& field = fields[i];
      const bool isNumber =
          std::from_chars(field.data(), field.data() + field.size(), pid).ptr == field.data() + field.size();
      if (!isNumber || (fields[i + 2] != "y" && fields[i + 2] != "n")) continue;
      std::string command = fields[0];
      for (size_t word = 1; word < i; ++word)
        command += " " + fields[word];
      clients.push_back({command, pid, fields[i + 2] == "y"});
      break;
    }
  }
  return clients;
}

Result<UniqueFd> openAsMaster(const std::string& node) {
  UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    return systemError("open", node, 0, errno == EACCES ? "run as root, or as a user in the group of the node" : "");
  }
  if (drmIsMaster(fd.get()) || drmSetMaster(fd.get()) == 0) return fd;
  const int number = errno;
  if (number == EACCES || number == EBUSY) {
    const std::string holders = describeHolders(node, fd.get());
    auto failed =
        systemError("DRM_IOCTL_SET_MASTER", node, EBUSY, "stop it, or switch to a virtual terminal without a session");
    failed.error().detail = holders;
    return failed;
  }
  return systemError("DRM_IOCTL_SET_MASTER", node, number);
}

} // namespace vitrine::bench
