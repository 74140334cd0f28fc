#pragma once

#include <memory>

#include "compositor/render/texture_adapter.h"

namespace vitrine {

/** Our renderer as a wlr_renderer, which wlroots uses for shm buffers and client buffers. */
class RendererAdapter {
public:
  /**
   * The wlr_renderer owns itself, as wlroots requires: wlr_renderer_destroy() destroys it. `renderer` must outlive it.
   */
  [[nodiscard]] static wlr_renderer* create(Renderer& renderer);

private:
  explicit RendererAdapter(Renderer& renderer);
  ~RendererAdapter();
  static RendererAdapter& from(wlr_renderer* renderer) { return *reinterpret_cast<RendererAdapter*>(renderer); }
  static const wlr_renderer_impl impl;

  wlr_renderer base_{}; ///< must be first: from() casts
  TexturePool textures_;
  Renderer& renderer_;
  wlr_drm_format_set shmFormats_{};
  wlr_drm_format_set dmabufFormats_{};
  wlr_drm_format_set targetFormats_{};
};

} // namespace vitrine
