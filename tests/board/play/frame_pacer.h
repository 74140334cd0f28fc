#pragma once

#include <cstdint>
#include <optional>

#include "protected-path/base/clock.h"

namespace vitrine {

/**
 * Decides which frame to show when. Pure; frames are counted from 0 on and go on counting when a clip starts anew.
 *
 * Goal: every frame for its time on the panel, and no frame missed. Two ways:
 *  - *locked*, where a frame's time is within 1 % of a whole number n of refreshes: each frame for n refreshes, none
 * skipped. The clip then runs that little bit faster or slower, which nobody sees, while a skipped frame is seen.
 *  - *clocked* otherwise: frame k is due k frame times after the first was shown; it is committed half a refresh before
 * that, so that it meets the nearest refresh. Who is late skips.
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
    std::optional<Nanoseconds> wakeUpTime; ///< else: ask again then; neither: ask again after the next event
  };
  /** `mayCommit`: the compositor has asked for a frame since the last one. */
  [[nodiscard]] Decision decide(Nanoseconds now, bool mayCommit) const;

  /** A frame that decide() named was committed; those before it that were not are missed. */
  void committed(uint64_t frame);
  /** Feedback: `refresh` and `sequence` are 0 where the compositor does not know. */
  void presented(uint64_t frame, Nanoseconds time, Nanoseconds refresh, uint64_t sequence);
  void discarded(uint64_t frame, Nanoseconds now);

  /** Refreshes at which a new frame was due and the one before was still shown, and frames skipped. */
  [[nodiscard]] uint64_t missed() const { return missed_; }

private:
  /** The latest frame that reached its end, shown or not. */
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
  std::optional<Shown> base_; ///< where the clock of the clocked way starts
  uint64_t missed_ = 0;
};

} // namespace vitrine
