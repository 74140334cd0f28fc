#pragma once

#include <list>
#include <memory>
#include <optional>

#include "tests/board/wayland/cover.h"
#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/** When and how a frame was shown (wp_presentation_feedback.presented). */
struct Presentation {
  Nanoseconds time = 0;    ///< on the connection's presentation clock
  Nanoseconds refresh = 0; ///< until the next refresh; 0 if not known
  uint64_t sequence = 0;   ///< the output's refresh count; 0 if not known
  bool zeroCopy = false;   ///< the buffer itself was scanned out
};

/** Events of a VideoWindow. WaylandConnection::dispatch() calls them. */
class VideoWindowObserver {
public:
  virtual ~VideoWindowObserver() = default;
  /** The compositor suggests to show the next frame. */
  virtual void frameWanted() = 0;
  virtual void presented(uint64_t frame, const Presentation& presentation) = 0;
  /** The frame was never shown: it was replaced, or the window is hidden or gone. */
  virtual void discarded(uint64_t frame) = 0;
  /** The user wants the window closed. */
  virtual void closed() = 0;
};

struct VideoWindowOptions {
  const char* title = "vitrine-play";
  const char* appId = "org.vitrine.play";
  Size videoSize;                                                   ///< of the buffers
  std::optional<Size> shownSize;                                    ///< if another size, by wp_viewporter
  bool fullscreen = false;                                          ///< the largest size that fits, by wp_viewporter
  Transform transform = Transform::Normal;                          ///< already applied to the buffers' content
  bool covered = false;                                             ///< a Cover over the right half
  std::optional<std::pair<uint32_t, uint32_t>> colorRepresentation; ///< coefficients and range to send, if any
};

/** One toplevel window that shows one dma-buf after another. Borrows connection and observer. */
class VideoWindow {
public:
  /**
   * Creates the window and waits for its first configure. Error: Invalid if a global that the options need is absent;
   * the error names it.
   */
  [[nodiscard]] static Result<std::unique_ptr<VideoWindow>>
  create(WaylandConnection& connection, const VideoWindowOptions& options, VideoWindowObserver& observer);
  VideoWindow(const VideoWindow&) = delete;
  VideoWindow& operator=(const VideoWindow&) = delete;

  /** Shows a buffer as frame `frame`, and requests its feedback and the next frameWanted(). */
  void show(wl_buffer* buffer, uint64_t frame);

  /** Requests fullscreen or not, and waits for the configure. The next show() has the new size. Errors: as WaylandConnection::dispatch(). */
  [[nodiscard]] Result<> setFullscreen(bool wanted);
  [[nodiscard]] bool fullscreen() const { return fullscreen_; } ///< what the compositor said last
  /** Lays a Cover over the right half, from the next show() on, or takes it away at once. Error: as Cover::requireGlobals(). */
  [[nodiscard]] Result<> setCovered(bool wanted);

  [[nodiscard]] wl_surface* surface() { return surface_.get(); }
  /** Number of frames whose feedback has not arrived yet. */
  [[nodiscard]] size_t pendingFeedback() const { return feedback_.size(); }

private:
  struct Feedback {
    VideoWindow* window;
    uint64_t frame;
    WaylandPtr<struct wp_presentation_feedback> object;
    std::list<Feedback>::iterator self;
  };

  VideoWindow(WaylandConnection& connection, const VideoWindowOptions& options, VideoWindowObserver& observer);
  void createObjects();
  void describeTo(xdg_toplevel* toplevel) const;
  [[nodiscard]] Size naturalSize() const;
  void configured(uint32_t serial);
  void applySize();
  static const xdg_surface_listener surfaceListener;
  static const xdg_toplevel_listener toplevelListener;
  static const wl_callback_listener frameListener;
  static const wp_presentation_feedback_listener feedbackListener;

  WaylandConnection& connection_;
  VideoWindowOptions options_;
  VideoWindowObserver& observer_;
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<wp_viewport> viewport_;
  WaylandPtr<wp_color_representation_surface_v1> color_;
  WaylandPtr<xdg_surface> shellSurface_;
  WaylandPtr<xdg_toplevel> toplevel_;
  WaylandPtr<wl_callback> frameCallback_;
  std::unique_ptr<Cover> cover_;
  std::list<Feedback> feedback_;
  Size offeredSize_;     ///< by the latest configure; zero: the client chooses
  bool mustFit_ = false; ///< maximised or tiled: the size must be exactly the offered one
  bool fullscreen_ = false;
  bool configured_ = false;
};

} // namespace vitrine
