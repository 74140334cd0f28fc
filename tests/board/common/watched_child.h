#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "protected-path/base/clock.h"
#include "protected-path/base/result.h"

namespace vitrine {

/** How a watched child ended. */
struct WatchedEnd {
  enum class How {
    Exited,      ///< `number` is its exit status
    Signalled,   ///< `number` is the signal that ended it: a crash, or somebody's kill
    TimedOut,    ///< it was ended because its time was over
    Interrupted, ///< it was ended because the stop descriptor became readable
  };
  How how = How::Exited;
  int number = 0;
  /** SIGKILL did not end it: it waits in the kernel without end (a hung driver or TEE). It is left behind. */
  bool stuck = false;
  std::string output; ///< what it wrote to its output descriptor
  Nanoseconds took = 0;
};

/** Limits of a watched child. */
struct Watch {
  Nanoseconds limit = 10'000'000'000;
  int stopFd = -1; ///< borrowed (StopSignals::fd()); -1: none
};

/**
 * Runs `body` in a forked child, which leads a process group of its own, and waits for its end.
 *
 * `body` gets the write end of a pipe, of which all bytes come back in WatchedEnd::output; its result is the exit status. The
 * child has default signal dispositions and an empty signal mask, and dies with its parent. At the end of the time limit, or
 * when `stopFd` becomes readable, the whole group gets SIGTERM and a second later SIGKILL. After a child's own end, whatever is
 * left of its group is killed too.
 *
 * The caller must have no other thread. System errors of pipe and fork only.
 */
[[nodiscard]] Result<WatchedEnd> runWatched(const std::function<int(int outputFd)>& body, const Watch& watch);

} // namespace vitrine
