#pragma once

#include <memory>

#include "compositor/capture/capture_buffers.h"
#include "compositor/capture/capture_source.h"
#include "compositor/capture/public_view.h"
#include "compositor/output/draw_list.h"
#include "compositor/render/gpu_recovery.h"
#include "compositor/wlr/timer.h"

namespace vitrine {

/** What a client has been shown of a source, so that the next capture can tell what has changed. */
struct CaptureMemory {
  DrawList list;
  Color background;
  bool known = false; ///< the client has a picture
};

/** A lock on a client's wl_buffer of any kind, as a target of captures. */
class CaptureTarget {
public:
  /** Null if the resource is no buffer that pixels can be written to. */
  [[nodiscard]] static std::unique_ptr<CaptureTarget> of(wl_resource* buffer);
  CaptureTarget(const CaptureTarget&) = delete;
  CaptureTarget& operator=(const CaptureTarget&) = delete;
  ~CaptureTarget() { wlr_buffer_unlock(buffer_); }

  [[nodiscard]] Size size() const;
  [[nodiscard]] uint32_t fourcc() const { return fourcc_; }
  /** Of shared memory; 0 for a dma-buf. */
  [[nodiscard]] uint32_t strideBytes() const { return strideBytes_; }
  /** Null: shared memory. */
  [[nodiscard]] DmabufBuffer* dmabuf() const { return DmabufBuffer::from(buffer_); }
  /** Copies a finished picture to shared memory. */
  [[nodiscard]] Result<> write(const Readback& picture);

private:
  explicit CaptureTarget(wlr_buffer* buffer) : buffer_(buffer) {}
  wlr_buffer* buffer_;
  uint32_t fourcc_ = 0;
  uint32_t strideBytes_ = 0;
};

/**
 * One capture: waits until a picture is due, has the GPU draw the public view off screen, and writes it into a client's buffer.
 *
 * It costs no frame of an output, and nothing at all while it waits for a change.
 */
class Capture {
public:
  /** What all captures share; all of it outlives them. */
  struct Machine {
    wl_event_loop& loop;
    Renderer& renderer;
    GpuRecovery& gpu;
    CaptureBuffers& buffers;
  };
  struct Order {
    Rect box; ///< what is captured, in pixels of the source; the target has its size
    bool withCursor = false;
    bool waitsForChange = false;           ///< unless the memory knows no picture
    std::shared_ptr<CaptureMemory> memory; ///< null: nobody asks what has changed
  };
  struct Taken {
    Nanoseconds time;         ///< when the picture was drawn
    std::vector<Rect> damage; ///< what has changed, inside the box and relative to it; without memory: empty
  };
  /** Called once. May destroy the capture. */
  using Done = std::function<void(const Result<Taken>&)>;

  /** Nothing happens until start(). `target` stays the caller's. */
  Capture(const Machine& machine, CaptureSource* source, Order order, CaptureTarget& target, Done done);
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture();

  /** Begins. `done` may be called before it returns. */
  void start() { step(); }

private:
  void step();
  [[nodiscard]] bool isDue();
  [[nodiscard]] bool mustWaitForClient();
  [[nodiscard]] bool hasChanged(const CaptureSource::Picture& picture);
  [[nodiscard]] Result<bool> draw(const CaptureSource::Picture& picture);
  void finish();
  void fail(const Error& why);
  void end(const Result<Taken>& how);
  [[nodiscard]] Result<> check() const;
  void stopWatching();

  Machine machine_;
  CaptureSourceRef source_;
  Order order_;
  CaptureTarget& target_;
  Done done_;
  PublicView view_;
  OwnedBuffer own_;         ///< what is drawn into for shared memory
  DrawList list_;           ///< where there is no memory
  uint64_t epoch_ = 0;      ///< the source's, when the picture was drawn
  uint64_t generation_ = 0; ///< the renderer's, then
  Taken taken_{};
  Timer timer_;
  UniqueFd fence_; ///< of a client that still uses its buffer
  wl_event_source* fenceSource_ = nullptr;
};

} // namespace vitrine
