#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protected-path/base/clock.h"
#include "protected-path/base/format.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "tests/board/wayland/wayland_pointer.h"

namespace vitrine {

/** How long a test's client waits for an answer: sanitized on a busy machine, one has taken more than ten seconds. */
inline constexpr Nanoseconds answerTimeout = 60'000'000'000;

/** The globals that a client of ours uses. Null where the compositor lacks it. */
struct WaylandGlobals {
  WaylandPtr<wl_compositor> compositor;
  WaylandPtr<xdg_wm_base> shell;
  WaylandPtr<zwp_linux_dmabuf_v1> dmabuf;
  WaylandPtr<wp_presentation> presentation;
  WaylandPtr<wl_subcompositor> subcompositor;                         ///< optional
  WaylandPtr<wp_viewporter> viewporter;                               ///< optional
  WaylandPtr<wp_single_pixel_buffer_manager_v1> singlePixelBuffers;   ///< optional
  WaylandPtr<wp_color_representation_manager_v1> colorRepresentation; ///< optional
  WaylandPtr<weston_restricted_buffer_v1> restrictedBuffer;           ///< optional
  WaylandPtr<vitrine_protected_content_v1> protectedContent;          ///< optional
  WaylandPtr<wp_linux_drm_syncobj_manager_v1> explicitSync;           ///< optional
  WaylandPtr<zwlr_screencopy_manager_v1> screencopy;                  ///< optional
  WaylandPtr<wl_shm> shm;                                             ///< optional
  WaylandPtr<wl_output> output;                                       ///< the first
};

/** A fatal protocol error, as the compositor sent it. */
struct ProtocolError {
  std::string interface; ///< of the object that it is about
  uint32_t code = 0;     ///< a value of that interface's `error` enum
};

/**
 * A connection to the compositor that WAYLAND_DISPLAY names, with its globals. Heap-allocated, since libwayland keeps
 * its address. Thread: one.
 */
class WaylandConnection {
public:
  /**
   * Connects and collects globals and formats. Invalid where a global that is not optional is absent: it is named. No
   * wait of this connection outlasts `stopFd` (if not negative, borrowed) becoming readable.
   */
  [[nodiscard]] static Result<std::unique_ptr<WaylandConnection>> open(int stopFd = -1);
  WaylandConnection(const WaylandConnection&) = delete;
  WaylandConnection& operator=(const WaylandConnection&) = delete;

  [[nodiscard]] WaylandGlobals& globals() { return globals_; }

  /** Whether dma-bufs of this format and modifier are taken: by feedback (version 4) or by modifier events (3). */
  [[nodiscard]] bool takes(FormatModifier format) const;

  /** Coefficients and range in wp_color_representation's numbers, where the compositor offers that pair. */
  [[nodiscard]] std::optional<std::pair<uint32_t, uint32_t>> colorRepresentationFor(ColorEncoding encoding,
                                                                                    ColorRange range) const;
  /** The clock of presentation feedback. */
  [[nodiscard]] clockid_t presentationClock() const { return clock_; }

  /**
   * Flushes, then waits until there are events, `otherFd` (if not negative) is readable or `timeout` has passed
   * (negative: for ever), and dispatches what came. Errors: the compositor's protocol error, or its going away; EINTR
   * where the `stopFd` of open() is readable.
   */
  [[nodiscard]] Result<> dispatch(Nanoseconds timeout, int otherFd = -1);

  /** Waits until the compositor has answered everything so far. Errors: dispatch()'s. */
  [[nodiscard]] Result<> roundtrip();
  /** Answers the compositor until standard input ends: whoever started this client closes it. Errors: dispatch()'s. */
  [[nodiscard]] Result<> stayUntilInputEnds();
  /** The first seat, version 5 at most, for a caller who listens to it at once, since it speaks at once; null: none. */
  [[nodiscard]] WaylandPtr<wl_seat> bindSeat();

  /** What dispatch() or roundtrip() failed of, if that was a protocol error. */
  [[nodiscard]] const std::optional<ProtocolError>& protocolError() const { return protocolError_; }

private:
  explicit WaylandConnection(int stopFd) : stopFd_(stopFd) {}
  [[nodiscard]] Result<> collect();
  [[nodiscard]] Result<> checkGlobals() const;
  [[nodiscard]] std::unexpected<Error> failure(const char* operation);
  void bindGlobal(uint32_t name, const std::string& interface, uint32_t version);
  void readFormatTable(UniqueFd fd, uint32_t sizeBytes);
  void addTranche(const wl_array& indices);
  static const wl_registry_listener registryListener;
  static const xdg_wm_base_listener shellListener;
  static const zwp_linux_dmabuf_v1_listener dmabufListener;
  static const zwp_linux_dmabuf_feedback_v1_listener feedbackListener;
  static const wp_presentation_listener presentationListener;
  static const wp_color_representation_manager_v1_listener colorListener;

  int stopFd_;
  WaylandPtr<wl_display> display_; ///< first, so that it outlives all others
  WaylandPtr<wl_registry> registry_;
  WaylandGlobals globals_;
  WaylandPtr<zwp_linux_dmabuf_feedback_v1> feedback_;
  std::vector<FormatModifier> formatTable_;
  std::vector<FormatModifier> formats_;
  std::vector<std::pair<uint32_t, uint32_t>> colorRepresentations_;
  std::optional<ProtocolError> protocolError_;
  struct Global {
    uint32_t name;
    uint32_t version;
  };
  std::optional<Global> seat_;
  clockid_t clock_ = CLOCK_MONOTONIC;
};

/**
 * A wl_buffer of `buffer`, with the claim of weston_restricted_buffer_v1 where `claim`; waits for the compositor's
 * answer. Invalid where the compositor says `failed`. The compositor duplicates the fds.
 */
[[nodiscard]] Result<WaylandPtr<wl_buffer>> createWaylandBuffer(WaylandConnection& connection, const Dmabuf& buffer,
                                                                bool claim);

} // namespace vitrine
