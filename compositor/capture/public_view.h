#pragma once

#include <functional>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

/**
 * One picture for a capture, from the GPU's drawing until it can be handed over.
 *
 * The CPU does not wait for the GPU. So a slow GPU delays captures, but never the compositor.
 */
class PublicView {
public:
  /** Draws into the target. Returns a sync file as Renderer::compose() does. */
  using Draw = std::function<Result<UniqueFd>(RenderTarget&)>;
  /** Who gets the picture. */
  enum class Reader : uint8_t {
    Gpu, ///< it lies in a dma-buf of the client
    Cpu, ///< finished() has a copy of its pixels for the CPU: DmabufBuffer::readback()
  };

  /** Borrows both, which must outlive it. */
  PublicView(wl_event_loop& loop, Renderer& renderer) : loop_(loop), renderer_(renderer) {}
  PublicView(const PublicView&) = delete;
  PublicView& operator=(const PublicView&) = delete;
  ~PublicView() { drop(); }

  /**
   * Makes the GPU draw into `buffer`, in place of the picture before. If it is not finished at once, `onFinished` is called when it is.
   * Errors: as Renderer::compose(), importTarget() and startReading(); System if the event loop takes no more.
   */
  [[nodiscard]] Result<> draw(DmabufBuffer& buffer, Reader reader, const Draw& draw, std::function<void()> onFinished);
  /** The finished picture; null if nothing was drawn, or the GPU still draws. */
  [[nodiscard]] DmabufBuffer* finished() const { return drawing_ == nullptr ? buffer_.get() : nullptr; }
  /** Whether the GPU draws. */
  [[nodiscard]] bool isDrawing() const { return drawing_ != nullptr; }
  /** Gives the picture up; onFinished is not called any more. */
  void drop();

private:
  [[nodiscard]] Result<> drawAndWatch(Reader reader, const Draw& draw);
  [[nodiscard]] Result<> watch(int syncFile);

  wl_event_loop& loop_;
  Renderer& renderer_;
  BufferLock buffer_;
  std::function<void()> onFinished_;
  wl_event_source* drawing_ = nullptr; ///< set while the GPU draws
};

} // namespace vitrine
