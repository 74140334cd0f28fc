#pragma once

#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * SIGINT and SIGTERM as an fd to poll, so that a tool ends at a point of its choice and cleans up.
 *
 * Blocks both signals for the calling thread, so create it before any other thread. A child process must unblock them
 * (FrameSource does). They stay blocked after its destruction, so that a second Ctrl-C does not interrupt the clean-up.
 */
class StopSignals {
public:
  [[nodiscard]] static Result<StopSignals> create();

  /** Readable after either signal. */
  [[nodiscard]] int fd() const { return fd_.get(); }

  /** Whether a signal has arrived since creation. Never waits. */
  [[nodiscard]] bool stopped();

private:
  explicit StopSignals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  bool stopped_ = false;
};

} // namespace vitrine
