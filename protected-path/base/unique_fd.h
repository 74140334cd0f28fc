#pragma once

#include <utility>

#include "protected-path/base/result.h"

namespace vitrine {

/**
 * The one owner of a file descriptor. Move-only; closes in its destructor; -1 is "none".
 *
 * If a call consumes the fd, release() it on the next line after that call has succeeded.
 */
class UniqueFd {
public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool isValid() const { return fd_ >= 0; }
  explicit operator bool() const { return isValid(); }

  /** Gives up ownership; the caller closes it or hands it to the kernel. */
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  /** Closes the fd that it holds, and takes `fd`. */
  void reset(int fd = -1);

private:
  int fd_ = -1;
};

/** A close-on-exec duplicate of a borrowed fd (F_DUPFD_CLOEXEC). */
[[nodiscard]] Result<UniqueFd> duplicateFd(int fd);

} // namespace vitrine
