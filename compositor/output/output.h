#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "compositor/backend/kms_output.h"
#include "compositor/capture/capture_source.h"
#include "compositor/output/composition.h"
#include "compositor/protocols/protected_content.h"
#include "compositor/render/gpu_recovery.h"
#include "compositor/render/idle_preparation.h"
#include "compositor/wlr/listener.h"
#include "compositor/wlr/timer.h"
#include "protected-path/kms/hdcp_controller.h"
#include "protected-path/planes/planner.h"

namespace vitrine {

/** A point of the layout, in its (logical) pixels. */
struct Position {
  int32_t x = 0;
  int32_t y = 0;
  bool operator==(const Position&) const = default;
};

/** What is wanted of an output. */
struct OutputSettings {
  OutputRule protectedContent = OutputRule::Automatic;
  Hdcp hdcp = Hdcp::Type0; ///< what protected content needs of an external link under the rule Automatic
  PlaneUse planes = PlaneUse::Automatic;
  Color background{41.0F / 255, 43.0F / 255, 51.0F / 255, 1}; ///< #292b33
  float scale = 1;
  /** Wanted mode; zero size: the preferred one. */
  Size mode;
  uint32_t refreshMilliHertz = 0; ///< 0: any
  bool enabled = true;
  /** Where its top left corner is in the layout; empty: to the right of the others. */
  std::optional<Position> position;
  std::optional<Transform> transform; ///< empty: as the panel is mounted
  bool operator==(const OutputSettings&) const = default;
};

/** What became of a protected surface: for reports, kept after the surface is gone. */
struct SurfaceReport {
  std::string application; ///< xdg app_id; never a title
  Evidence evidence = Evidence::None;
  LayerOutcome outcome;                   ///< its refusal: why it is on no plane
  Refusal composeRefusal = Refusal::None; ///< why it is not composed
  std::string format;
  uint64_t frames = 0; ///< frames in which it was on this output with this outcome
};

/** Counts of one output since it was enabled. */
struct OutputCounters {
  uint64_t framesPresented = 0;
  uint64_t framesMissed = 0;   ///< vblanks between the one that a frame was for and the one that it reached
  uint64_t framesRendered = 0; ///< frames for which the GPU drew
  uint64_t gpuResets = 0;      ///< times that this output found the GPU reset and had it set up again
};

/**
 * One output's frames: display list -> plan -> compose -> commit, and its two views.
 *
 * The secure view is what submit() puts on the panel. Captures draw the public view from the same display list, off screen and into
 * ordinary memory, where the renderer itself refuses protected content.
 */
class Output final : public CaptureSource {
public:
  /** What all outputs share; all of it outlives them. */
  struct Machine {
    Renderer& renderer;
    GpuRecovery& gpu;
    IdlePreparation& preparation; ///< told of each frame that was shown
    OutputBufferAllocator& buffers;
    wlr_scene& scene;
    wlr_scene_tree& cursor; ///< in the scene: what belongs to the pointer
    const ColorRepresentationManager& colors;
    wlr_content_type_manager_v1* contentTypes = nullptr;
    ProtectedContent* protectedContent = nullptr; ///< told what becomes of surfaces; null: nobody is
  };
  Output(KmsOutput& kms, const Machine& machine, OutputSettings settings);
  Output(const Output&) = delete;
  virtual ~Output();

  // The manager's part: modesets are its own, since one may cover several outputs.

  [[nodiscard]] const OutputSettings& settings() const { return settings_; }
  /** Replaces what is wanted. A new mode takes effect with the next modeset, the rest with settle(). */
  void configure(const OutputSettings& settings);
  void setPower(bool on) { powered_ = on; }
  /** Whether the output is to be on. */
  [[nodiscard]] bool isWanted() const { return settings_.enabled && powered_; }
  /** Whether the kernel has to be asked for another state of the pipe than it has, to fulfil what is wanted of an output that is on. */
  [[nodiscard]] bool needsModeset() const;
  /** Whether a mode is the one that the settings name; any is where they name none. */
  [[nodiscard]] bool wants(const Mode& mode) const;
  /** The modes of the connector, best first: those that were asked for, the preferred one, the others. */
  [[nodiscard]] std::vector<const Mode*> modesToTry() const;
  /** A picture for the modeset: what was shown last, or black. Errors: System (no memory), Refused (framebuffer). */
  [[nodiscard]] Result<KmsFrame> firstPicture(const Mode& mode);
  /**
   * Follows what the pipe does since the last modeset: buffers, planner, wlroots' state. Does nothing where nothing has changed.
   * The wlr_output must have been given renderer and allocator. Errors: System (no memory for buffers); may be called again.
   */
  [[nodiscard]] Result<> settle();
  /** Whether the output shows frames in the pipe's mode, or is off as the pipe is. */
  [[nodiscard]] bool isSettled() const { return settledFor_ == kms_.pipe().modesetSerial(); }
  /** The hardware may answer differently now: other outputs of the device came, went or changed. */
  void forgetVerdicts();
  /** A modeset is about to replace the frame on its way to the screen, if there is one: nobody will see it. */
  void abandonFrame();
  /** What was drawn so far must not be shown or handed out any more: the session was locked. */
  void forgetPicture();
  /** Frames fail in a way that only a modeset may mend. */
  [[nodiscard]] bool isModesetDue() const { return modesetDue_; }
  std::function<void()> onModesetDue;

  [[nodiscard]] KmsOutput& kms() { return kms_; }
  [[nodiscard]] wlr_scene_output* sceneOutput() { return sceneOutput_; }
  [[nodiscard]] const OutputCounters& counters() const { return counters_; }
  /** Whether it is about to show something new. */
  [[nodiscard]] bool waitsForFrame() const { return kms_.base()->enabled && kms_.base()->needs_frame; }
  /** Whether what is composed lies in protected memory just now. */
  [[nodiscard]] bool inProtectedMemory() const {
    return composition_.inProtectedMemory() || upper_.inProtectedMemory();
  }
  /** Planes that show composed content, by the last plan. */
  [[nodiscard]] size_t composedPlanes() const { return plan_.composed().size(); }
  [[nodiscard]] const std::vector<SurfaceReport>& surfaceReports() const { return reports_; }
  /** How a surface reached the panel in the last frame; empty where it was not in it. Its address alone is compared. */
  [[nodiscard]] std::optional<LayerOutcome> outcomeOf(const wlr_surface& surface) const;
  /** The KMS ids of the planes that the last plan uses, from the lowest to the highest. */
  [[nodiscard]] std::vector<uint32_t> planesInUse() const;
  /** The HDCP of the output's link. */
  [[nodiscard]] const HdcpController& hdcp() const { return hdcp_; }
  /** What decides whether this output can show protected content. */
  [[nodiscard]] OutputProtection protection() const;

  [[nodiscard]] std::string captureName() const override { return kms_.connector().name; }
  [[nodiscard]] Size captureSize() const override;
  [[nodiscard]] Transform captureTransform() const override { return static_cast<Transform>(kms_.base()->transform); }
  [[nodiscard]] Nanoseconds captureInterval() const override;
  [[nodiscard]] Picture picture() override;

  /** The session was switched away: gives buffers back. The way back is a modeset and settle(). */
  void suspend();

private:
  void onFrame();
  [[nodiscard]] Result<Composition*> compositionFor(const ComposedBuffer& buffer);
  [[nodiscard]] Refusal protectedRefusal(Nanoseconds time) const;
  bool showFrame(Nanoseconds time);
  void buildList(Nanoseconds time);
  bool submitWithFallback(Nanoseconds time);
  [[nodiscard]] Result<> compose(Nanoseconds time);
  [[nodiscard]] Result<> makeBlack(Size size, uint32_t fourcc);
  bool recoverFrom(const Error& error, Nanoseconds time);
  bool fallBack(const Error& error);
  void scheduleWakeUp(Nanoseconds time);
  /** What a frame is made for: a commit locks its buffers. */
  enum class Use : uint8_t { Test, Commit };
  [[nodiscard]] Result<> fillKmsFrame(const FramePlan& plan, Use use, KmsFrame& frame);
  [[nodiscard]] const Plane* planeOf(uint32_t id) const;
  [[nodiscard]] Result<> addPlane(const Layer& layer, const LayerSource& source, const LayerOutcome& outcome, Use use,
                                  KmsFrame& frame) const;
  bool announceCommit();
  void onPresented(const Presented& presented);
  void reportSurfaces();
  void tellOutcomes();
  void reportDemand();
  void reportSurface(const Layer& layer, const LayerSource& source, const LayerOutcome& outcome);
  void makePlanner();
  [[nodiscard]] Result<> tellWlroots();
  OutputFacts facts() const { return {kms_.kind(), settings_.protectedContent, hdcp_.link(), settings_.hdcp}; }
  [[nodiscard]] Hdcp leastHdcp() const;
  void followHdcp();
  void askForHdcp();

  KmsOutput& kms_;
  Machine machine_;
  OutputSettings settings_;
  wlr_scene_output* sceneOutput_;
  UniqueFd
      signalledFence_; ///< IN_FENCE_FD of clients' buffers; none on a kernel before 6.0, whose planes wait by themselves
  DisplayListBuilder list_;
  Composition composition_;       ///< on the primary
  Composition upper_;             ///< above layers on planes; has buffers only while there is need
  Nanoseconds upperLastUsed_ = 0; ///< when a frame last needed it
  OwnedBuffer black_;             ///< shown in place of the composition where that cannot be drawn
  bool showsBlack_ = false;       ///< the frame in hand does so
  std::optional<Planner> planner_;
  uint64_t epoch_ = 0; ///< the device's, of the planner's answers
  FramePlan plan_;
  KmsFrame frame_;
  KmsFrame testFrame_;
  PlanTest test_;
  OutputCounters counters_;
  std::vector<SurfaceReport> reports_;
  std::unordered_map<uint64_t, size_t> reportOf_; ///< layer id -> index in reports_
  bool powered_ = true;
  std::optional<uint64_t> settledFor_; ///< the modeset that settle() was last called for
  bool forgotten_ = false;             ///< what was drawn so far, until the next frame
  bool modesetDue_ = false;            ///< frames fail since the last one
  Size configuredMode_;                ///< the wish that the last modeset was for
  uint32_t configuredRefresh_ = 0;
  bool busy_ = false; ///< the last commit met one that was still pending
  int failures_ = 0;  ///< frames in a row that could not be shown; each waits longer for the next attempt
  FlipEvent lastFlip_;
  uint32_t expectedSequence_ = 0;
  Timer wakeUp_;
  HdcpController hdcp_;
  Timer hdcpTimer_;
  Listener<void> frameListener_;
};

} // namespace vitrine
