#pragma once

#include <optional>
#include <vector>

#include "protected-path/heap/heap_allocator.h"
#include "protected-path/kms/atomic_request.h"
#include "protected-path/kms/framebuffer.h"
#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/** What a plane shows in a request. */
struct Placement {
  const Plane* plane = nullptr;
  const Framebuffer* framebuffer = nullptr;
  Rect destination;
  std::optional<SourceRect> source; ///< the whole framebuffer where it is not given
  Transform transform = Transform::Normal;
};

/** A flip with when this process saw it. */
struct SeenFlip {
  FlipEvent flip;
  Nanoseconds seen = 0; ///< after the event was read
};

/** Memory of the buffers that a measurement is made with. */
enum class BufferKind { Ordinary, Protected };
[[nodiscard]] const char* bufferKindName(BufferKind kind); ///< `ordinary`, `protected`

/**
 * The output that is measured: lit in one mode, with the primary whole and every other plane of the device off. All
 * measurements start from there and leave it so.
 *
 * Thread: one. The device must outlive it, and be DRM master.
 */
class Stage {
public:
  /** Lights nothing yet. `crtc`, `connector` and `mode` belong to the device. Missing where the CRTC has no primary plane. */
  [[nodiscard]] static Result<std::unique_ptr<Stage>> create(KmsDevice& device, const Connector& connector,
                                                             const Crtc& crtc, const Mode& mode);

  [[nodiscard]] KmsDevice& device() { return device_; }
  [[nodiscard]] const Crtc& crtc() const { return crtc_; }
  [[nodiscard]] Size size() const { return mode_.size; }
  [[nodiscard]] Rect whole() const;
  [[nodiscard]] Nanoseconds period() const; ///< of the mode's refresh
  [[nodiscard]] const Plane& primary() const { return *primary_; }
  [[nodiscard]] const std::vector<const Plane*>& overlays() const { return overlays_; } ///< lowest first
  [[nodiscard]] const Plane* cursor() const { return cursor_; }                         ///< null where there is none
  [[nodiscard]] const Framebuffer& background(size_t index) const { return backgrounds_[index % 2]; }
  [[nodiscard]] AtomicRequest& request() { return request_; }
  /** The heap that protected buffers come from; empty where the machine has none. */
  [[nodiscard]] const std::string& protectedHeap() const { return protectedHeap_; }

  /** Switches every plane and CRTC of the device off, in a commit without an event. */
  [[nodiscard]] Result<> darken();
  /** Sets the mode with the primary on; all other planes are off. */
  [[nodiscard]] Result<> light();
  /** Back to the primary alone, from any state that a measurement left; waits for it. Reads away events of earlier commits. */
  [[nodiscard]] Result<> clear();

  /** Adds a placement to request(). */
  void place(const Placement& placement);
  /** Adds the primary with one of two backgrounds to request(). */
  void placeBackground(size_t index);
  /** Waits for the next flip event; an error after five seconds without one. */
  [[nodiscard]] Result<SeenFlip> awaitFlip();
  /** Commits request() and waits for its flip. */
  [[nodiscard]] Result<SeenFlip> flip();

  /** A buffer of a heap, with linear layout. */
  [[nodiscard]] Result<Dmabuf> allocate(Size size, uint32_t fourcc, BufferKind kind) const;
  /** A framebuffer with linear layout, of memory that the display takes: the first heap that suits, or its dumb buffer. */
  [[nodiscard]] Result<Framebuffer> framebuffer(Size size, uint32_t fourcc, BufferKind kind) const;

private:
  Stage(KmsDevice& device, const Connector& connector, const Crtc& crtc, const Mode& mode);
  Result<> choosePlanes();

  KmsDevice& device_;
  const Connector& connector_;
  const Crtc& crtc_;
  const Mode& mode_;
  const Plane* primary_ = nullptr;
  std::vector<const Plane*> overlays_;
  const Plane* cursor_ = nullptr;
  AtomicCounters counters_;
  AtomicRequest request_;
  std::vector<Framebuffer> backgrounds_;
  std::optional<PropertyBlob> modeBlob_;
  HeapTable heapTable_;
  std::vector<Heap> heaps_;
  std::string protectedHeap_;
};

} // namespace vitrine::bench
