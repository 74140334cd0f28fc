#pragma once

#include <functional>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

/**
 * The picture of an output for captures, from the GPU's drawing until it is handed over.
 *
 * wlroots copies it on the CPU as soon as it is committed. So it is committed only after the GPU has finished it: late
 * fences of a client delay captures, but never the compositor.
 */
class PublicView {
public:
  /** Draws into the target. Returns a sync file as Renderer::compose() does. */
  using Draw = std::function<Result<UniqueFd>(RenderTarget&)>;

  /** Borrows both, which must outlive it. */
  PublicView(wlr_output& output, Renderer& renderer) : output_(output), renderer_(renderer) {}
  PublicView(const PublicView&) = delete;
  PublicView& operator=(const PublicView&) = delete;
  ~PublicView() { drop(); }

  /**
   * Makes the GPU draw a picture into a buffer of the output's swapchain, for as many captures as the output has locks
   * (`attach_render_locks`). If the picture is not finished at once, a frame of the output is scheduled when it is.
   */
  [[nodiscard]] Result<> draw(const Draw& draw);
  /**
   * Whether there is a picture, and no capture was requested after its start. (A later capture needs a later picture.)
   */
  [[nodiscard]] bool servesAll() const;
  /** The finished picture; null if there is none, or if it is not finished. */
  [[nodiscard]] wlr_buffer* finished() const;
  /** Drops the picture, after it was handed over or when no capture needs it any more. */
  void drop();

private:
  [[nodiscard]] Result<> acquireBuffer();
  [[nodiscard]] Result<> drawAndWatch(const Draw& draw);
  [[nodiscard]] Result<> watch(int syncFile);

  wlr_output& output_;
  Renderer& renderer_;
  BufferLock buffer_;
  int readers_ = 0;
  uint64_t generation_ = 0;            ///< of the renderer, when the picture was begun
  wl_event_source* drawing_ = nullptr; ///< set while the GPU draws
};

} // namespace vitrine
