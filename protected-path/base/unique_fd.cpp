#include "protected-path/base/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <format>

#include "protected-path/base/log.h"

namespace vitrine {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) reset(std::exchange(other.fd_, -1));
  return *this;
}

void UniqueFd::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  // EBADF means that other code has closed our fd, which is a bug.
  if (old >= 0 && ::close(old) != 0 && errno == EBADF) log("base").error("close fd {}: EBADF: closed twice", old);
}

Result<UniqueFd> duplicateFd(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return systemError("F_DUPFD_CLOEXEC", std::format("fd {}", fd));
  return copy;
}

} // namespace vitrine
