#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protected-path/base/clock.h"
#include "protected-path/base/format.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "tests/board/wayland/wayland_pointer.h"

namespace vitrine {

/** Time limit of a test client's waits. A sanitized client on a busy machine has waited more than ten seconds. */
inline constexpr Nanoseconds answerTimeout = 60'000'000'000;

/** The globals that our clients use. Null if the compositor lacks it. */
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

/** A fatal protocol error from the compositor. */
struct ProtocolError {
  std::string interface; ///< of the object in question
  uint32_t code = 0;     ///< a value of that interface's `error` enum
};

/**
 * A connection to the compositor that WAYLAND_DISPLAY names, with its globals. Heap-allocated, since libwayland keeps
 * its address. Thread: one.
 */
class WaylandConnection {
public:
  /**
   * Connects, and collects globals and formats. Every wait of this connection ends when `stopFd` (borrowed; negative:
   * none) becomes readable. Error: Invalid if a global that is not optional is absent; the error names it.
   */
  [[nodiscard]] static Result<std::unique_ptr<WaylandConnection>> open(int stopFd = -1);
  WaylandConnection(const WaylandConnection&) = delete;
  WaylandConnection& operator=(const WaylandConnection&) = delete;

  [[nodiscard]] WaylandGlobals& globals() { return globals_; }

  /**
   * Whether the compositor accepts dma-bufs of this format and modifier, by feedback (version 4) or modifier events
   * (3).
   */
  [[nodiscard]] bool takes(FormatModifier format) const;

  /** Coefficients and range as wp_color_representation's numbers, if the compositor offers that pair. */
  [[nodiscard]] std::optional<std::pair<uint32_t, uint32_t>> colorRepresentationFor(ColorEncoding encoding,
                                                                                    ColorRange range) const;
  /** The program at the other end, as the kernel names it (at most 15 bytes); empty where it is not known. */
  [[nodiscard]] std::string serverName() const;

  /** The clock of presentation feedback. */
  [[nodiscard]] clockid_t presentationClock() const { return clock_; }

  /**
   * Flushes, waits until there are events, `otherFd` (if not negative) is readable, or `timeout` has passed (negative:
   * no limit), and dispatches the events. Errors: the compositor's protocol error, or the end of the connection; EINTR
   * if the `stopFd` of open() is readable.
   */
  [[nodiscard]] Result<> dispatch(Nanoseconds timeout, int otherFd = -1);

  /** Waits until the compositor has answered everything sent so far. Errors: as dispatch(). */
  [[nodiscard]] Result<> roundtrip();
  /**
   * Answers the compositor until standard input is closed, by the program that started this client. Errors: as
   * dispatch().
   */
  [[nodiscard]] Result<> stayUntilInputEnds();
  /**
   * The first global of an interface that globals() does not have, at most version `newest`; null: none. Add a listener
   * at once, since its first events follow immediately.
   */
  template<typename T>
  [[nodiscard]] WaylandPtr<T> bindFirst(const wl_interface& interface, uint32_t newest) {
    const auto found = others_.find(interface.name);
    if (found == others_.end()) return nullptr;
    return WaylandPtr<T>(static_cast<T*>(
        wl_registry_bind(registry_.get(), found->second.name, &interface, std::min(found->second.version, newest))));
  }

  /** The protocol error with which dispatch() or roundtrip() failed, if it was one. */
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
  WaylandPtr<wl_display> display_; ///< declared first, so that it outlives all others
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
  std::map<std::string, Global> others_; ///< by interface: those that globals_ does not have
  clockid_t clock_ = CLOCK_MONOTONIC;
};

/**
 * A wl_buffer of `buffer`; with `claim`, claimed as protected by weston_restricted_buffer_v1. Waits for the
 * compositor's answer. The compositor duplicates the fds. Error: Invalid if the compositor sends `failed`.
 */
[[nodiscard]] Result<WaylandPtr<wl_buffer>> createWaylandBuffer(WaylandConnection& connection, const Dmabuf& buffer,
                                                                bool claim);

} // namespace vitrine
