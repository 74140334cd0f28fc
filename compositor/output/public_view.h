#pragma once

#include <functional>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

/**
 * The picture of an output for readers: while the GPU draws it, and until they are handed it.
 *
 * wlroots copies it for them on the CPU the moment that it is committed. So it is committed when the GPU has finished it: a client
 * whose fences take their time delays captures, and never the compositor.
 */
class PublicView {
public:
  /** Draws into the target; the sync file as Renderer::compose() gives it. */
  using Draw = std::function<Result<UniqueFd>(RenderTarget&)>;

  /** Borrows both, for as long as it lives. */
  PublicView(wlr_output& output, Renderer& renderer) : output_(output), renderer_(renderer) {}
  PublicView(const PublicView&) = delete;
  PublicView& operator=(const PublicView&) = delete;
  ~PublicView() { drop(); }

  /**
   * Has the GPU draw a picture into a buffer of the output's swapchain, for as many captures as there are locks on the output
   * (`attach_render_locks`). Where it is not finished at once, a frame of the output is scheduled when it is.
   */
  [[nodiscard]] Result<> draw(const Draw& draw);
  /** Whether there is a picture, and no capture has come since it was begun, which may want what came later. */
  [[nodiscard]] bool servesAll() const;
  /** The finished picture; null where there is none, or not yet. */
  [[nodiscard]] wlr_buffer* finished() const;
  /** It has been handed over, or nobody wants it any more. */
  void drop();

private:
  [[nodiscard]] Result<> acquireBuffer();
  [[nodiscard]] Result<> drawAndWatch(const Draw& draw);
  [[nodiscard]] Result<> watch(int syncFile);

  wlr_output& output_;
  Renderer& renderer_;
  BufferLock buffer_;
  int readers_ = 0;
  uint64_t generation_ = 0;            ///< the renderer's, when it was begun
  wl_event_source* drawing_ = nullptr; ///< until the GPU is done
};

} // namespace vitrine
