#pragma once

#include <memory>

#include "compositor/render/texture_adapter.h"

namespace vitrine {

/** Our Vulkan renderer as a wlr_renderer: what wlroots' shm, screencopy and client buffers go through. */
class RendererAdapter {
public:
  /** The wlr_renderer owns itself as wlroots wants it; it is destroyed with wlr_renderer_destroy(). `renderer` outlives it. */
  [[nodiscard]] static wlr_renderer* create(Renderer& renderer);

private:
  explicit RendererAdapter(Renderer& renderer);
  ~RendererAdapter();
  static RendererAdapter& from(wlr_renderer* renderer) { return *reinterpret_cast<RendererAdapter*>(renderer); }
  static const wlr_renderer_impl impl;

  wlr_renderer base_{}; ///< first: from() casts
  TexturePool textures_;
  Renderer& renderer_;
  wlr_drm_format_set shmFormats_{};
  wlr_drm_format_set dmabufFormats_{};
  wlr_drm_format_set targetFormats_{};
};

} // namespace vitrine
