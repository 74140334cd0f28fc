#pragma once

#include <cstdint>
#include <memory>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

/** wlroots' view of a texture: a dma-buf held by lock, or pixels uploaded from shm. */
class TextureAdapter {
public:
  /** Of a dma-buf: sampled or drawn as placeholder, as the renderer decides. Null where the GPU cannot take an ordinary one. */
  [[nodiscard]] static wlr_texture* ofDmabuf(wlr_renderer& owner, Renderer& renderer, DmabufBuffer& buffer);
  /** Of a buffer whose bytes can be read (shm, single pixel). Null with a logged reason. */
  [[nodiscard]] static wlr_texture* ofPixels(wlr_renderer& owner, Renderer& renderer, wlr_buffer& buffer);
  [[nodiscard]] static TextureAdapter* from(wlr_texture* texture);

  /** The dma-buf behind it, or null. */
  [[nodiscard]] DmabufBuffer* dmabuf() const { return dmabuf_.get(); }
  /** To draw: never null, except for a protected or plane-only buffer, which has no texture to sample. */
  [[nodiscard]] const Texture* texture() const;
  /** Why there is nothing to sample, or None. */
  [[nodiscard]] Refusal composeRefusal() const { return composeRefusal_; }
  /** Changes whenever the content does; unique among all textures. */
  [[nodiscard]] uint64_t serial() const { return serial_; }
  /** What the last update changed, in buffer pixels; everything where `serial()` is not its predecessor + 1. */
  [[nodiscard]] const pixman_region32_t& lastDamage() const { return lastDamage_; }
  [[nodiscard]] uint64_t previousSerial() const { return previousSerial_; }

private:
  TextureAdapter(wlr_renderer& owner, Renderer& renderer, uint32_t width, uint32_t height);
  ~TextureAdapter();
  bool update(wlr_buffer& buffer, const pixman_region32_t& damage);
  bool read(const wlr_texture_read_pixels_options& options);
  static const wlr_texture_impl impl;

  wlr_texture base_{}; ///< first: from() casts
  Renderer& renderer_;
  BufferLock dmabuf_;
  std::unique_ptr<Texture> uploaded_;
  Refusal composeRefusal_ = Refusal::None;
  uint64_t serial_ = 0;
  uint64_t previousSerial_ = 0;
  pixman_region32_t lastDamage_;
};

} // namespace vitrine
