#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "compositor/output/composition.h"
#include "compositor/output/public_view.h"
#include "compositor/protocols/protected_content.h"
#include "compositor/render/gpu_recovery.h"
#include "compositor/wlr/listener.h"
#include "protected-path/planes/planner.h"

namespace vitrine {

/** What an output is told by the configuration. */
struct OutputSettings {
  OutputRule protectedContent = OutputRule::Automatic;
  PlaneUse planes = PlaneUse::Automatic;
  Color background{41.0F / 255, 43.0F / 255, 51.0F / 255, 1}; ///< #292b33
  float scale = 1;
  /** Wanted mode; zero size: the preferred one. */
  Size mode;
  uint32_t refreshMilliHertz = 0; ///< 0: any
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
  uint64_t publicViews = 0;    ///< pictures drawn for captures
  uint64_t gpuResets = 0;      ///< times that this output found the GPU reset and had it set up again
};

/**
 * One output's frames: display list -> plan -> compose -> commit, and its two views.
 *
 * The secure view is what submit() puts on the panel. The public view is what wlroots gets as the output's buffer, and only while
 * somebody captures (`attach_render_locks`): it is drawn into ordinary memory, where the renderer itself refuses protected content,
 * and handed over once the GPU has finished it.
 */
class Output {
public:
  /** What all outputs share; all of it outlives them. */
  struct Machine {
    Renderer& renderer;
    GpuRecovery& gpu;
    OutputBufferAllocator& buffers;
    wlr_scene& scene;
    wlr_scene_tree& cursor; ///< in the scene: what belongs to the pointer
    const ColorRepresentationManager& colors;
    wlr_content_type_manager_v1* contentTypes = nullptr;
    ProtectedContent* protectedContent = nullptr; ///< told what becomes of surfaces; null: nobody is
  };
  Output(KmsOutput& kms, const Machine& machine, OutputSettings settings);
  Output(const Output&) = delete;
  ~Output();

  /** Sets the mode and shows the first picture. The wlr_output must have been given renderer and allocator. */
  [[nodiscard]] Result<> enable();

  [[nodiscard]] KmsOutput& kms() { return kms_; }
  [[nodiscard]] wlr_scene_output* sceneOutput() { return sceneOutput_; }
  [[nodiscard]] const OutputCounters& counters() const { return counters_; }
  /** Whether what is composed lies in protected memory just now. */
  [[nodiscard]] bool inProtectedMemory() const { return composition_.inProtectedMemory(); }
  [[nodiscard]] const std::vector<SurfaceReport>& surfaceReports() const { return reports_; }
  /** What decides whether this output can show protected content. */
  [[nodiscard]] OutputProtection protection() const;

  void suspend();
  void resume();

private:
  void onFrame();
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
  [[nodiscard]] Result<> fillKmsFrame(const FramePlan& plan, Use use, KmsFrame& frame) const;
  [[nodiscard]] Result<> addPlane(const Layer& layer, const LayerSource& source, const LayerOutcome& outcome, Use use,
                                  KmsFrame& frame) const;
  bool announceCommit();
  void servePublicView();
  void onPresented(const Presented& presented);
  void reportSurfaces();
  void tellOutcomes();
  void reportSurface(const Layer& layer, const LayerSource& source, const LayerOutcome& outcome);
  const Mode* chooseMode() const;
  Result<> turnOn(const Mode& mode);
  void makePlanner();
  OutputFacts facts() const { return {kms_.kind(), settings_.protectedContent, false}; }

  KmsOutput& kms_;
  Machine machine_;
  OutputSettings settings_;
  wlr_scene_output* sceneOutput_;
  UniqueFd
      signalledFence_; ///< IN_FENCE_FD of clients' buffers; none on a kernel before 6.0, whose planes wait by themselves
  DisplayListBuilder list_;
  Composition composition_;
  PublicView publicView_;
  OwnedBuffer black_;       ///< shown in place of the composition where that cannot be drawn
  bool showsBlack_ = false; ///< the frame in hand does so
  std::optional<Mode> mode_; ///< what the output was enabled with
  std::optional<Planner> planner_;
  FramePlan plan_;
  KmsFrame frame_;
  KmsFrame testFrame_;
  PlanTest test_;
  OutputCounters counters_;
  std::vector<SurfaceReport> reports_;
  std::unordered_map<uint64_t, size_t> reportOf_; ///< layer id -> index in reports_
  bool suspended_ = false;
  int failures_ = 0; ///< frames in a row that could not be shown; each waits longer for the next attempt
  FlipEvent lastFlip_;
  uint32_t expectedSequence_ = 0;
  wl_event_source* wakeUp_ = nullptr;
  Listener<void> frameListener_;
};

} // namespace vitrine
