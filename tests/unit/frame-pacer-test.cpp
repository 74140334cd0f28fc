#include <gtest/gtest.h>

#include "tests/board/play/frame_pacer.h"

namespace vitrine {
namespace {

constexpr Nanoseconds refresh60 = 16'666'667;

/**
 * A display that refreshes at fixed times, and a player that uses the pacer as vitrine-play does. A frame committed
 * between two refreshes is shown at the second. `stall` lists refreshes at which the player is delayed.
 */
struct Simulation {
  FramePacer pacer;
  Nanoseconds refresh;
  bool tellsSequence = true;
  std::vector<uint64_t> shown; ///< by refresh: the frame on the panel

  void run(uint64_t refreshes, const std::vector<uint64_t>& stall = {}) {
    std::optional<uint64_t> pending;
    for (uint64_t i = 0; i < refreshes; ++i) {
      const Nanoseconds begin = 1'000'000'000 + static_cast<Nanoseconds>(i) * refresh;
      if (pending) {
        shown.push_back(*pending);
        pacer.presented(*pending, begin, refresh, tellsSequence ? i + 100 : 0);
      } else if (!shown.empty()) {
        shown.push_back(shown.back());
      }
      pending.reset();
      if (std::ranges::find(stall, i) != stall.end()) continue;
      auto decision = pacer.decide(begin + 1'000'000, true);
      if (!decision.frame && decision.wakeUpTime && *decision.wakeUpTime < begin + refresh)
        decision = pacer.decide(std::max(*decision.wakeUpTime, begin + 1'000'000), true);
      if (decision.frame) {
        pacer.committed(*decision.frame);
        pending = decision.frame;
      }
    }
  }
  /** How many refreshes each frame was shown for. */
  [[nodiscard]] std::vector<uint64_t> durations() const {
    std::vector<uint64_t> result;
    for (size_t i = 0; i < shown.size(); ++i) {
      if (i == 0 || shown[i] != shown[i - 1]) result.push_back(0);
      ++result.back();
    }
    return result;
  }
};

TEST(FramePacer, LockedShowsEveryFrameForItsRefreshes) {
  struct Case {
    uint32_t numerator, denominator;
    Nanoseconds refresh;
    uint64_t each;
  };
  for (const Case& one : {Case{60, 1, refresh60, 1}, Case{60000, 1001, refresh60, 1}, Case{30, 1, refresh60, 2},
                          Case{24000, 1001, refresh60 / 2, 5}, Case{25, 1, 20'000'000, 2}, Case{1, 1, refresh60, 60}}) {
    Simulation simulation{FramePacer(one.numerator, one.denominator), one.refresh};
    simulation.run(20 * one.each + 1);
    auto durations = simulation.durations();
    durations.pop_back(); // the last frame is still being shown
    ASSERT_GE(durations.size(), 18U) << one.numerator;
    for (const uint64_t duration : durations)
      EXPECT_EQ(duration, one.each) << one.numerator << "/" << one.denominator;
    EXPECT_EQ(simulation.pacer.missed(), 0U);
    for (size_t i = 1; i < simulation.shown.size(); ++i)
      EXPECT_LE(simulation.shown[i] - simulation.shown[i - 1], 1U) << "skipped";
  }
}

TEST(FramePacer, LockedCountsWhatWasLate) {
  for (const bool sequence : {true, false}) {
    Simulation simulation{FramePacer(60, 1), refresh60, sequence};
    simulation.run(60, {10, 30, 31});
    EXPECT_EQ(simulation.pacer.missed(), 3U) << "sequence " << sequence;
    EXPECT_EQ(simulation.shown.back(), 59U - 3 - 1) << "none is skipped";

    Simulation half{FramePacer(30, 1), refresh60, sequence};
    half.run(60, {9, 10, 11});
    EXPECT_GE(half.pacer.missed(), 1U);
    EXPECT_LE(half.pacer.missed(), 2U);
  }
}

TEST(FramePacer, ClockedFollowsTheClock) {
  Simulation film{FramePacer(24, 1), refresh60};
  film.run(601);
  EXPECT_EQ(film.shown.back(), 239U) << "ten seconds of 24 frames";
  for (const uint64_t duration : film.durations())
    EXPECT_TRUE(duration == 2 || duration == 3) << "3:2 pulldown";
  EXPECT_EQ(film.pacer.missed(), 0U);

  Simulation fast{FramePacer(100, 1), refresh60};
  fast.run(601);
  EXPECT_NEAR(static_cast<double>(fast.shown.back()), 999, 2);
  EXPECT_NEAR(static_cast<double>(fast.pacer.missed()), 400, 3) << "more frames than refreshes: the rest is skipped";
}

TEST(FramePacer, ClockedSkipsWhenLateButNotAfterAPause) {
  Simulation late{FramePacer(24, 1), refresh60};
  std::vector<uint64_t> stall(12);
  for (size_t i = 0; i < stall.size(); ++i)
    stall[i] = 100 + i;
  late.run(601, stall);
  EXPECT_EQ(late.shown.back(), 239U) << "it has caught up";
  EXPECT_NEAR(static_cast<double>(late.pacer.missed()), 4, 1);

  Simulation hidden{FramePacer(24, 1), refresh60};
  stall.resize(180);
  for (size_t i = 0; i < stall.size(); ++i)
    stall[i] = 100 + i;
  hidden.run(601, stall);
  EXPECT_EQ(hidden.pacer.missed(), 0U) << "three seconds hidden: it goes on where it was";
  EXPECT_NEAR(static_cast<double>(hidden.shown.back()), 240 - 72, 2);
}

TEST(FramePacer, WaitsForTheCompositor) {
  FramePacer pacer(60, 1);
  EXPECT_EQ(pacer.decide(0, false).frame, 0U) << "the first frame maps the window";
  pacer.committed(0);
  EXPECT_FALSE(pacer.decide(1, true).frame) << "no feedback yet";
  EXPECT_FALSE(pacer.decide(1, true).wakeUpTime);
  pacer.presented(0, 1'000'000'000, refresh60, 5);
  EXPECT_FALSE(pacer.decide(1'000'000'001, false).frame) << "not asked for";
  EXPECT_EQ(pacer.decide(1'000'000'001, true).frame, 1U);
}

TEST(FramePacer, ADiscardedFrameStopsNothing) {
  for (const uint32_t rate : {60U, 30U, 24U}) {
    FramePacer pacer(rate, 1);
    pacer.committed(0);
    pacer.discarded(0, 1'000'000'000);
    const auto next = pacer.decide(1'050'000'000, true);
    EXPECT_TRUE(next.frame) << rate;
    pacer.committed(1);
    pacer.discarded(1, 1'050'000'000);
    pacer.presented(0, 900'000'000, refresh60, 3); // out of order, as some compositors send it
    EXPECT_TRUE(pacer.decide(1'200'000'000, true).frame) << rate;
  }
}

} // namespace
} // namespace vitrine
