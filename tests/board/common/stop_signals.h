#pragma once

#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * SIGINT and SIGTERM as something to poll, so that a tool ends where it chooses to and cleans up.
 *
 * Blocks both for the calling thread (make it before any other thread); a child that is started must unblock them for
 * itself (FrameSource does). They stay blocked after its destruction: a second Ctrl-C must not interrupt the cleaning
 * up.
 */
class StopSignals {
public:
  [[nodiscard]] static Result<StopSignals> create();

  /** Readable once either signal has come. */
  [[nodiscard]] int fd() const { return fd_.get(); }

  /** Whether one has come since creation; never waits. */
  [[nodiscard]] bool stopped();

private:
  explicit StopSignals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  bool stopped_ = false;
};

} // namespace vitrine
