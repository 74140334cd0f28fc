#include "tests/board/play/frame_pacer.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

/** A window that was hidden for longer than this does not catch up on the frames that it missed. */
constexpr Nanoseconds longestCatchUp = 1'000'000'000;

} // namespace

FramePacer::FramePacer(uint32_t rateNumerator, uint32_t rateDenominator)
    : rateNumerator_(rateNumerator), rateDenominator_(rateDenominator) {}

uint64_t FramePacer::lockedRefreshes() const {
  if (refresh_ <= 0) return 0;
  const double refreshes =
      1e9 * static_cast<double>(rateDenominator_) / static_cast<double>(rateNumerator_) / static_cast<double>(refresh_);
  const double whole = std::round(refreshes);
  return whole >= 1 && std::abs(refreshes - whole) <= 0.01 * whole ? static_cast<uint64_t>(whole) : 0;
}

Nanoseconds FramePacer::dueTime(uint64_t frame) const {
  const auto frames = static_cast<long double>(frame) - static_cast<long double>(base_->frame);
  return base_->time + static_cast<Nanoseconds>(frames * 1e9L * static_cast<long double>(rateDenominator_) /
                                                static_cast<long double>(rateNumerator_));
}

FramePacer::Decision FramePacer::decide(Nanoseconds now, bool mayCommit) const {
  if (next_ == 0) return {0, std::nullopt};
  if (!mayCommit || !base_) return {};
  return lockedRefreshes() > 0 ? decideLocked(now) : decideClocked(now);
}

FramePacer::Decision FramePacer::decideLocked(Nanoseconds now) const {
  const auto refreshes = static_cast<Nanoseconds>(lockedRefreshes());
  if (refreshes == 1) return {next_, std::nullopt};
  if (shown_->frame + 1 != next_) return {}; // the time base comes with its feedback
  const Nanoseconds time = shown_->time + refreshes * refresh_ - refresh_ / 2;
  if (now >= time) return {next_, std::nullopt};
  return {std::nullopt, time};
}

FramePacer::Decision FramePacer::decideClocked(Nanoseconds now) const {
  const Nanoseconds margin = refresh_ / 2;
  if (now < dueTime(next_) - margin) return {std::nullopt, dueTime(next_) - margin};
  if (now - dueTime(next_) > longestCatchUp) return {next_, std::nullopt};
  uint64_t frame = next_;
  while (dueTime(frame + 1) - margin <= now)
    ++frame;
  return {frame, std::nullopt};
}

void FramePacer::committed(uint64_t frame) {
  missed_ += frame - next_;
  next_ = frame + 1;
}

void FramePacer::countMissed(uint64_t frame, Nanoseconds time, uint64_t sequence) {
  const uint64_t perFrame = lockedRefreshes();
  if (perFrame == 0 || !shown_ || frame <= shown_->frame) return;
  const bool counted = sequence != 0 && shown_->sequence != 0 && sequence > shown_->sequence;
  const auto passed =
      counted ? sequence - shown_->sequence
              : static_cast<uint64_t>(std::max<Nanoseconds>((time - shown_->time + refresh_ / 2) / refresh_, 0));
  const uint64_t expected = (frame - shown_->frame) * perFrame;
  if (passed > expected) missed_ += (passed - expected + perFrame - 1) / perFrame;
}

void FramePacer::presented(uint64_t frame, Nanoseconds time, Nanoseconds refresh, uint64_t sequence) {
  refresh_ = refresh;
  countMissed(frame, time, sequence);
  if (!shown_ || frame >= shown_->frame) shown_ = {frame, time, sequence};
  if (!base_ || time - dueTime(frame) > longestCatchUp) base_ = {frame, time, sequence};
}

void FramePacer::discarded(uint64_t frame, Nanoseconds now) {
  if (!base_)
    base_ = shown_ = {frame, now, 0};
  else if (shown_->frame < frame)
    shown_ = {frame, std::max(now, shown_->time), 0};
}

} // namespace vitrine
