#pragma once

#include <optional>

#include "protected-path/base/clock.h"
#include "protected-path/kms/kms_object.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/**
 * Decides what to ask the kernel for on an external connector's link, and says what the link has. Pure: it reads no clock and makes no
 * call.
 *
 *     Off -> Asking type 1 -> Asking type 0 -> Waiting -> Asking type 1 ...
 *                  \              \              ^
 *                   +-> Enabled <--+   --lost----+
 *
 * Type 1 is asked for first, since it satisfies everybody. A refusal brings no event: an answer that takes longer than `answerLimit` is
 * one. Drivers authenticate once per request, so the request is withdrawn while Waiting and then made again; each wait is twice as
 * long as the one before, until a link has been stable.
 *
 * Source: kernel documentation, "Standard Connector Properties" (Content Protection, HDCP Content Type). Model: HdcpController of
 * AOSP's drm_hwcomposer.
 */
class HdcpController {
public:
  enum class State : uint8_t {
    Off,     ///< nothing on the output needs HDCP, or the connector has none
    Asking,  ///< asked for; the kernel has not answered yet
    Enabled, ///< the kernel says that the link has what was asked for
    Waiting, ///< refused or lost; asked for again later
  };

  static constexpr Nanoseconds second = 1'000'000'000;
  static constexpr Nanoseconds answerLimit = 6 * second; ///< HDCP 2 gives a repeater 3 s, HDCP 1 gives it 5 s
  static constexpr Nanoseconds firstWait = 1 * second;
  static constexpr Nanoseconds longestWait = 64 * second;
  static constexpr Nanoseconds stableAfter =
      30 * second; ///< an enabled link that lasted so long starts again with firstWait
  static constexpr Nanoseconds linger =
      10 * second; ///< HDCP stays on for so long after the last content that needed it

  /** What is known of the output. */
  struct Input {
    /** The lowest type with which something on the output may be shown. Off: nothing needs HDCP. */
    Hdcp least = Hdcp::Off;
    Hdcp supported = Hdcp::Off; ///< the highest type that the connector's properties can ask for
    ContentProtection property = ContentProtection::Unsupported; ///< as the kernel has it now
    Nanoseconds now = 0;
  };
  /** Follows the output. True if state(), request() or link() is another one than before. */
  bool update(const Input& input);
  /** The request could not be committed. */
  void requestFailed(Nanoseconds now) { wait(now); }
  /** A modeset has ended the authentication; the kernel starts a new one for the same request. */
  void linkRestarted(Nanoseconds now);

  [[nodiscard]] State state() const { return state_; }
  /** What to ask the kernel for. Off: nothing ("Undesired"). */
  [[nodiscard]] Hdcp request() const;
  /** What the link has. */
  [[nodiscard]] Hdcp link() const { return state_ == State::Enabled ? asked_ : Hdcp::Off; }
  /** When update() has to be called at the latest; empty: no need. */
  [[nodiscard]] std::optional<Nanoseconds> deadline() const;

private:
  void ask(Hdcp type, Nanoseconds now);
  void wait(Nanoseconds now);

  State state_ = State::Off;
  Hdcp asked_ = Hdcp::Off;     ///< last
  Hdcp least_ = Hdcp::Off;     ///< Input::least, held for `linger`
  Nanoseconds since_ = 0;      ///< when the state began
  Nanoseconds until_ = 0;      ///< Asking and Waiting: when it ends
  Nanoseconds lastNeeded_ = 0; ///< when something last needed HDCP
  bool needed_ = false;        ///< something does so now
  int failures_ = 0;           ///< in a row
};

[[nodiscard]] const char* hdcpStateName(HdcpController::State state);

} // namespace vitrine
