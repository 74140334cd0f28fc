#pragma once

#include <vector>

#include "protected-path/kms/kms_pipe.h"

namespace vitrine {

/**
 * One modeset of one or more pipes: a single blocking atomic commit with ALLOW_MODESET. It happens as a whole or not at all.
 *
 * Lives for the call in which it is made. No event is asked for, so CRTCs that stay off may take part.
 */
class Modeset {
public:
  explicit Modeset(const KmsDevice& device);

  /**
   * The pipe is to show `frame` in this mode, with neutral colour properties. `frame` must live until commit(), which takes its
   * locks on success. Errors: System (no memory for the mode's blob).
   */
  [[nodiscard]] Result<> turnOn(KmsPipe& pipe, const Mode& mode, KmsFrame& frame);
  /** The pipe is to be off. */
  void turnOff(KmsPipe& pipe);
  /**
   * Brings the rest of the device into a known state: every connector and CRTC that no pipe of this modeset has is off and
   * neutral, and so is every plane. For the first modeset after the session has got the device; undoes what the previous master
   * left (its routing, planes, night light). Call it after the last turnOn() and turnOff().
   */
  void turnOffTheRest();

  /** Whether the pipe is turned on or off by it. */
  [[nodiscard]] bool changes(const KmsPipe& pipe) const;

  /** TEST_ONLY. Changes nothing. Errors: System with the kernel's errno. */
  [[nodiscard]] Result<> test() { return request_.test(true); }
  /** On failure nothing has changed. Errors: System with the kernel's errno. */
  [[nodiscard]] Result<> commit();

private:
  struct Part {
    KmsPipe* pipe;
    const Mode* mode = nullptr; ///< null: off
    std::optional<PropertyBlob> blob;
    KmsFrame* frame = nullptr;
  };
  const KmsDevice& device_;
  AtomicCounters counters_;
  AtomicRequest request_;
  std::vector<Part> parts_;
};

} // namespace vitrine
