#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compositor/render/dmabuf_buffer.h"

namespace vitrine {

class TexturePool;

/** wlroots' view of a texture: a dma-buf held by lock, or pixels copied from shm. Made by a TexturePool, given back to it. */
class TextureAdapter {
public:
  explicit TextureAdapter(TexturePool& pool);
  TextureAdapter(const TextureAdapter&) = delete;
  ~TextureAdapter();
  [[nodiscard]] static TextureAdapter* from(wlr_texture* texture);

  /** The dma-buf behind it, or null. */
  [[nodiscard]] DmabufBuffer* dmabuf() const { return dmabuf_.get(); }
  /** To draw; null for a dma-buf that the GPU could not import, which has no texture to sample. Made again after a GPU reset. */
  [[nodiscard]] const Texture* texture();
  /** Why there is nothing to sample, or None. */
  [[nodiscard]] Refusal composeRefusal();
  /** Changes whenever the content does; unique among all textures. */
  [[nodiscard]] uint64_t serial() const { return serial_; }
  /** The bytes of a buffer in shared memory, rows without gaps; empty for a dma-buf. Borrowed until the next update. */
  struct Pixels {
    std::span<const std::byte> bytes;
    uint32_t fourcc = 0;
    uint32_t strideBytes = 0;
    Size size;
  };
  [[nodiscard]] Pixels pixels() const;
  /** What the last update changed, in buffer pixels, since the content had previousSerial(). */
  [[nodiscard]] const pixman_region32_t& lastDamage() const { return lastDamage_; }
  [[nodiscard]] uint64_t previousSerial() const { return previousSerial_; }

private:
  friend class TexturePool;
  void showDmabuf(DmabufBuffer& buffer);
  bool showPixels(wlr_buffer& buffer);
  void keepRows(std::span<const std::byte> from, uint32_t strideBytes, const Rect& box);
  /** Whether the GPU has what was kept. */
  [[nodiscard]] bool isCurrent() const;
  Result<> uploadKept();
  void clear();
  bool update(wlr_buffer& buffer, const pixman_region32_t& damage);
  bool read(const wlr_texture_read_pixels_options& options);
  static const wlr_texture_impl impl;

  wlr_texture base_{}; ///< first: from() casts
  TexturePool& pool_;
  BufferLock dmabuf_;
  std::unique_ptr<Texture> uploaded_;
  uint64_t uploadedGeneration_ = 0; ///< the renderer's
  /** The pixels that were uploaded, rows without gaps: clients get an shm buffer back at once, so after a GPU reset this is all that
   * is left of it. */
  std::vector<std::byte> kept_;
  uint32_t keptFourcc_ = 0;
  uint64_t serial_ = 0;
  uint64_t previousSerial_ = 0;
  pixman_region32_t lastDamage_;
};

/**
 * Makes a wlr_texture for each buffer that a client commits and keeps those that wlroots destroys for the next one: a video commits a
 * buffer for every frame, and that should cost no allocation.
 */
class TexturePool {
public:
  /** `owner` is the wlr_renderer that the textures belong to; both outlive this. */
  TexturePool(wlr_renderer& owner, Renderer& renderer) : owner_(owner), renderer_(renderer) {}

  /** A texture of a dma-buf, or of a buffer whose bytes can be read (shm, single pixel). Null with a logged reason. */
  [[nodiscard]] wlr_texture* textureOf(wlr_buffer& buffer);
  [[nodiscard]] Renderer& renderer() { return renderer_; }

private:
  friend class TextureAdapter;
  void giveBack(TextureAdapter* adapter);
  wlr_renderer& owner_;
  Renderer& renderer_;
  uint64_t lastSerial_ = 0;
  std::vector<std::unique_ptr<TextureAdapter>> spare_;
};

} // namespace vitrine
