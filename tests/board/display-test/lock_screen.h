#pragma once

#include "protected-path/base/unique_fd.h"
#include "tests/board/display-test/compositor_stage.h"

namespace vitrine::display_test {

/**
 * A lock screen in one colour over the first output (ext-session-lock-v1).
 *
 * A session whose locker has died stays locked. The locker is therefore a process of its own, in a session of its own: it unlocks as soon
 * as this object, or the process that has it, is gone.
 */
class LockScreen {
public:
  /** Locks, and waits until the lock screen is presented. Missing: the compositor has no such protocol, or is locked already. */
  [[nodiscard]] static Result<LockScreen> lock(const Colour& colour);
  /** Unlocks, and waits until the compositor has done that. */
  [[nodiscard]] Result<> unlock();

private:
  explicit LockScreen(UniqueFd locker) : locker_(std::move(locker)) {}
  UniqueFd locker_; ///< the locker unlocks at its end
};

} // namespace vitrine::display_test
