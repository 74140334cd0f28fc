#pragma once

#include <cstdint>
#include <optional>

#include "protected-path/base/clock.h"

namespace vitrine {

/**
 * Decides which frame to show when. Pure. Frames count from 0, and go on counting when a clip repeats.
 *
 * Goal: each frame is on the panel for its time, and no frame is missed. There are two modes:
 *  - *locked*, if a frame's time is within 1 % of n refreshes, n an integer: each frame is shown for n refreshes, and
 *    none is skipped. The clip runs slightly too fast or too slow, which nobody notices; a skipped frame would be
 *    visible.
 *  - *clocked*, otherwise: frame k is due k frame times after the first was shown. It is committed half a refresh
 *    earlier, so that it meets the nearest refresh. If the player is late, it skips frames.
 *
 *      refresh   |---------|---------|---------|      n = 2
 *      frame 4   ^shown               ^5 is due
 *                               ^5 is committed from here on
 */
class FramePacer {
public:
  /** Frames per second, as a fraction. */
  FramePacer(uint32_t rateNumerator, uint32_t rateDenominator);

  /** What to do now. */
  struct Decision {
    std::optional<uint64_t> frame;         ///< show this one now
    std::optional<Nanoseconds> wakeUpTime; ///< otherwise decide again then; if neither is set, after the next event
  };
  /** `mayCommit`: the compositor has asked for a frame since the last one. */
  [[nodiscard]] Decision decide(Nanoseconds now, bool mayCommit) const;

  /** A frame that decide() returned was committed. Earlier frames that were not committed are missed. */
  void committed(uint64_t frame);
  /** Presentation feedback. `refresh` and `sequence` are 0 if the compositor does not know them. */
  void presented(uint64_t frame, Nanoseconds time, Nanoseconds refresh, uint64_t sequence);
  void discarded(uint64_t frame, Nanoseconds now);

  /** Number of refreshes that showed an old frame although a new one was due, plus frames skipped. */
  [[nodiscard]] uint64_t missed() const { return missed_; }

private:
  /** The latest frame that was shown or discarded. */
  struct Shown {
    uint64_t frame;
    Nanoseconds time;
    uint64_t sequence; ///< 0: unknown
  };
  [[nodiscard]] uint64_t lockedRefreshes() const;
  [[nodiscard]] Decision decideLocked(Nanoseconds now) const;
  [[nodiscard]] Decision decideClocked(Nanoseconds now) const;
  [[nodiscard]] Nanoseconds dueTime(uint64_t frame) const;
  void countMissed(uint64_t frame, Nanoseconds time, uint64_t sequence);

  int64_t rateNumerator_;
  int64_t rateDenominator_;
  Nanoseconds refresh_ = 0;
  uint64_t next_ = 0; ///< the first frame that was not committed
  std::optional<Shown> shown_;
  std::optional<Shown> base_; ///< start of the clock in clocked mode
  uint64_t missed_ = 0;
};

} // namespace vitrine
