#pragma once

#include <memory>
#include <unordered_map>

#include "compositor/capture/capture_source.h"
#include "compositor/wlr/timer.h"

namespace vitrine {

class Desktop;
class Toplevel;

/**
 * One mapped window as a capture source: what counts as window (xdg_surface.set_window_geometry) in pixels of its output, over black.
 *
 * Subsurfaces and popups are in the picture where they lie inside that box. The window's dialogs are not, and other windows that cover
 * it are not. While the session is locked, there is nothing to take a picture of.
 */
class WindowCapture final : public CaptureSource {
public:
  /** All of it outlives the windows. */
  struct Machine {
    Desktop& desktop;
    KmsDevice& display;
    Renderer& renderer;
    const ColorRepresentationManager& colors;
    wl_event_loop& loop;
    /** The source that shows an output, or null. */
    std::function<CaptureSource*(wlr_output&)> outputSource;
  };
  WindowCapture(const Machine& machine, Toplevel& toplevel);
  virtual ~WindowCapture();

  [[nodiscard]] std::string captureName() const override { return "window"; }
  [[nodiscard]] Size captureSize() const override;
  [[nodiscard]] Transform captureTransform() const override { return Transform::Normal; }
  [[nodiscard]] Nanoseconds captureInterval() const override;
  /** Surfaces that no output shows get their frame callbacks here, so that a covered or minimised window goes on. */
  [[nodiscard]] Picture picture() override;

private:
  /** A surface in the window's tree. */
  struct Watched {
    Listener<wlr_surface> commit;
    Listener<void> gone;
  };
  void compareSoon();
  void compare();
  void followOutput();
  void visit(wlr_scene_node& node, const timespec& time);
  void watch(wlr_surface& surface);
  [[nodiscard]] bool hasPointer() const;
  [[nodiscard]] double scale() const;

  Machine machine_;
  Toplevel& toplevel_;
  DisplayListBuilder list_;
  Timer timer_; ///< for the next compare()
  bool isTimerSet_ = false;
  Nanoseconds compared_ = 0;                 ///< when compare() ran last
  std::unique_ptr<CaptureSourceRef> output_; ///< the one under the window: pointer motion is a frame of it
  std::unordered_map<wlr_surface*, Watched> watched_;
  Listener<void> desktopChanged_;
  Listener<void> locked_;
};

/** The capture sources of windows. Each is made when it is first asked for, and goes when its window is unmapped. */
class WindowCaptures {
public:
  explicit WindowCaptures(WindowCapture::Machine machine) : machine_(std::move(machine)) {}
  WindowCaptures(const WindowCaptures&) = delete;
  WindowCaptures& operator=(const WindowCaptures&) = delete;

  /** The source of an ext_foreign_toplevel_handle_v1; null: its window is not mapped any more. */
  [[nodiscard]] CaptureSource* of(wl_resource* handle);

private:
  struct Entry {
    std::unique_ptr<WindowCapture> source;
    Listener<void> gone;
  };
  WindowCapture::Machine machine_;
  std::unordered_map<wlr_ext_foreign_toplevel_handle_v1*, Entry> entries_;
};

} // namespace vitrine
