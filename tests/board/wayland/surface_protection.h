#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/** What became of a surface on an output, or what can be had there. */
struct ProtectionAnswer {
  std::string output;
  std::string path;    ///< `plane`, `composited` or `placeholder`
  std::string refusal; ///< stable name; empty: none
  std::string reason;  ///< in words; empty: none
  bool operator==(const ProtectionAnswer&) const = default;
};

/** The client's side of vitrine_protected_content_v1 for one surface. Borrows the connection, which must have the global. */
class SurfaceProtection {
public:
  /** Demands buffers that refuse to be mapped (evidence `unmappable`), from the surface's next commit on. */
  SurfaceProtection(WaylandConnection& connection, wl_surface* surface);
  SurfaceProtection(const SurfaceProtection&) = delete;
  SurfaceProtection& operator=(const SurfaceProtection&) = delete;

  /** Waits for what can be had and from which heaps, best first. Commits the surface. Errors: the connection's. */
  [[nodiscard]] Result<> ask();
  [[nodiscard]] const std::vector<ProtectionAnswer>& attainable() const { return attainable_; }
  [[nodiscard]] const std::vector<std::string>& heaps() const { return heaps_; }

  /** Called for each new outcome. */
  std::function<void(const ProtectionAnswer&)> onOutcome;

private:
  static const vitrine_protected_surface_v1_listener surfaceListener;
  static const vitrine_heap_feedback_v1_listener feedbackListener;
  WaylandConnection& connection_;
  wl_surface* surface_;
  WaylandPtr<vitrine_protected_surface_v1> object_;
  WaylandPtr<vitrine_heap_feedback_v1> feedback_;
  std::vector<ProtectionAnswer> batch_; ///< of attainable events, until its `done`
  std::vector<ProtectionAnswer> attainable_;
  std::vector<std::string> described_; ///< heaps, until their `done`
  std::vector<std::string> heaps_;
};

} // namespace vitrine
