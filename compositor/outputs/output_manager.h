#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compositor/backend/kms_backend.h"
#include "compositor/output/output.h"
#include "compositor/outputs/output_move.h"
#include "compositor/wlr/timer.h"

namespace vitrine {

/** Wanted settings per output name. */
using WantedOutputs = std::map<std::string, OutputSettings>;

/**
 * The owner of all outputs: which there are and what is wanted of each.
 *
 * Configuration, hotplug, power and session changes alter the wanted state alone. reconcile() brings the display from its actual
 * state to the wanted one, in one modeset where possible, and is run again at growing intervals until it succeeds. The layout,
 * scene positions and windows (onLayoutChanged) follow.
 */
class OutputManager {
public:
  /** All of it outlives the manager. */
  struct Machine {
    Output::Machine output;
    KmsBackend& kms;
    wlr_output_layout& layout;
    wlr_renderer& renderer;
    wlr_allocator& allocator;
    std::function<OutputSettings(const std::string& name)> configured; ///< what the configuration says of an output
  };
  OutputManager(const Machine& machine, wl_event_loop& loop);
  OutputManager(const OutputManager&) = delete;
  ~OutputManager();

  [[nodiscard]] std::span<const std::unique_ptr<Output>> outputs() const { return outputs_; }
  /** Null for a wlr_output that is none of ours. */
  [[nodiscard]] Output* find(const wlr_output& base) const;
  [[nodiscard]] wlr_output_layout& layout() const { return machine_.layout; }

  /** The backend has a new output. It is lit by the next reconcile(). */
  void add(wlr_output& output);
  /** Brings the display to the wanted state. Does nothing while the session is switched away. */
  void reconcile();

  /** The session was switched away: buffers are given back. Framebuffers must have been removed before (R9). */
  void suspend();
  /** The session has the display again, in any state: connectors are read again and everything is set from the beginning. */
  void activate();

  /**
   * Changes what is wanted of these outputs (by name; others stay). The new modes are tested together before anything changes; on
   * an error everything is as before, also where the modeset failed although its test had passed (R7). Errors: Invalid (no such
   * output, no such mode, a modeset that failed), or the kernel's answer to the test.
   */
  [[nodiscard]] Result<> apply(const WantedOutputs& wanted);
  /**
   * Applies the configuration to the outputs whose part of it changed. What a client or a mode list has changed since stays on the
   * others. Errors: as apply().
   */
  [[nodiscard]] Result<> applyConfiguration(const std::function<OutputSettings(const std::string& name)>& before);
  /** Whether apply() would pass its test. Changes nothing. Errors: as apply(). */
  [[nodiscard]] Result<> test(const WantedOutputs& wanted);
  /** Turns an output off, or on again, without taking it from the layout (DPMS). */
  void setPower(Output& output, bool on);

  /** Nothing that any output has drawn so far is shown or handed out again, not by a modeset either: the session was locked. */
  void forgetPictures();

  /** Outputs came, went, moved or changed their size. */
  std::function<void(std::span<const OutputMove>)> onLayoutChanged;
  /** Outputs may have come, gone or changed in any way. */
  std::function<void()> onReconciled;

private:
  /** An output that is to be turned on, and how. */
  struct Attempt {
    Output* output;
    const Mode* mode;
  };
  enum class Try : uint8_t { Test, Commit };
  /** What was wanted of outputs before a change. */
  using Before = std::vector<std::pair<Output*, OutputSettings>>;
  [[nodiscard]] Result<> want(const WantedOutputs& wanted, Before& before);
  [[nodiscard]] Result<> checkApplied(const Before& changed) const;
  void takeBack(const Before& before);
  [[nodiscard]] Result<> tryModes(std::span<const Attempt> attempts, Try how);
  [[nodiscard]] Result<std::vector<Attempt>> turnOn(std::span<Output* const> outputs);
  [[nodiscard]] std::vector<Attempt> findModes(std::span<Output* const> outputs);
  void settle();
  void place(Output& output);
  void followLayout();
  void retryLater();

  Machine machine_;
  std::vector<std::unique_ptr<Output>> outputs_;
  std::map<const Output*, wlr_box> boxes_; ///< where each was in the layout at its last change
  bool active_ = true;
  bool owned_ = false; ///< the device is in a state that this process has set as a whole
  int failures_ = 0;   ///< attempts in a row that left something to do
  Timer retry_;
  Listener<void> layoutChanged_;
};

} // namespace vitrine
