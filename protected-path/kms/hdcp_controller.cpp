#include "protected-path/kms/hdcp_controller.h"

#include <algorithm>

namespace vitrine {

bool HdcpController::update(const Input& input) {
  const State before = state_;
  const Hdcp askedBefore = asked_;
  needed_ = input.least != Hdcp::Off;
  if (needed_) {
    least_ = input.least;
    lastNeeded_ = input.now;
  } else if (input.now - lastNeeded_ >= linger) {
    least_ = Hdcp::Off;
  }
  if (least_ == Hdcp::Off || input.supported == Hdcp::Off) {
    state_ = State::Off;
    asked_ = Hdcp::Off;
    failures_ = 0;
    return state_ != before;
  }
  const bool enabled = input.property == ContentProtection::Enabled;
  switch (state_) {
  case State::Off:
    ask(input.supported, input.now);
    break;
  case State::Asking:
    if (enabled) {
      state_ = State::Enabled;
      since_ = input.now;
    } else if (input.now >= until_) {
      if (asked_ > least_) {
        ask(least_, input.now);
      } else {
        wait(input.now);
      }
    }
    break;
  case State::Enabled:
    if (input.now - since_ >= stableAfter) failures_ = 0;
    // Type 0 is worth nothing to content that needs type 1.
    if (!enabled || asked_ < least_) wait(input.now);
    break;
  case State::Waiting:
    if (input.now >= until_) ask(input.supported, input.now);
    break;
  }
  return state_ != before || asked_ != askedBefore;
}

void HdcpController::linkRestarted(Nanoseconds now) {
  if (state_ == State::Enabled || state_ == State::Asking) ask(asked_, now);
}

void HdcpController::ask(Hdcp type, Nanoseconds now) {
  state_ = State::Asking;
  asked_ = type;
  since_ = now;
  until_ = now + answerLimit;
}

void HdcpController::wait(Nanoseconds now) {
  constexpr int mostDoublings = 6;
  state_ = State::Waiting;
  asked_ = Hdcp::Off;
  since_ = now;
  until_ = now + (firstWait << std::min(failures_, mostDoublings));
  failures_ = std::min(failures_ + 1, mostDoublings);
}

Hdcp HdcpController::request() const {
  return state_ == State::Asking || state_ == State::Enabled ? asked_ : Hdcp::Off;
}

std::optional<Nanoseconds> HdcpController::deadline() const {
  if (state_ == State::Off) return std::nullopt;
  std::optional<Nanoseconds> next;
  if (state_ != State::Enabled) next = until_;
  if (!needed_) next = std::min(next.value_or(lastNeeded_ + linger), lastNeeded_ + linger);
  return next;
}

const char* hdcpStateName(HdcpController::State state) {
  switch (state) {
  case HdcpController::State::Off:
    return "off";
  case HdcpController::State::Asking:
    return "asking";
  case HdcpController::State::Enabled:
    return "enabled";
  case HdcpController::State::Waiting:
    break;
  }
  return "waiting";
}

} // namespace vitrine
