#pragma once

#include <string>

#include "protected-path/base/unique_fd.h"
#include "tests/board/wayland/wayland_connection.h"
#include "tests/clients/bad_case.h"

namespace vitrine {

/** How long a shown buffer stays, beyond its first presentation, for somebody to look at it. */
struct BadClientOptions {
  bool hold = false;
  std::string heapName; ///< a heap that the buffer comes from instead of the case's; empty: the case's
};

/**
 * Does what a case says and returns what the compositor answered. Missing where the case needs what this machine or the
 * compositor has not (a protected heap, weston_restricted_buffer_v1). KillMidFlip does not return: `beforeKill` is
 * called right before. An answer that does not come within ten seconds is an error.
 */
[[nodiscard]] Result<BadAnswer> runBadCase(const BadCase& one, const BadClientOptions& options, void (*beforeKill)());

} // namespace vitrine
