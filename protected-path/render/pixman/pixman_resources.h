#pragma once

#include <vector>

#include "protected-path/dmabuf/mapping.h"
#include "protected-path/render/pixman/pixman_image.h"
#include "protected-path/render/pixman/ycc_texels.h"
#include "protected-path/render/renderer.h"

namespace vitrine::pixman {

/**
 * Pixels of ordinary memory, or no pixels. Protected content has none, so it can only be drawn as the placeholder: the constructor for
 * it takes no memory.
 */
class PixmanTexture final : public Texture {
public:
  /** A dma-buf of ordinary memory: a mapping of each plane. */
  PixmanTexture(const Dmabuf& buffer, std::vector<Mapping> mappings);
  /** A copy of a client's pixels, in an RGB format. */
  PixmanTexture(Size size, uint32_t fourcc, std::vector<uint32_t> pixels);
  /** A texture that draws as the placeholder. */
  PixmanTexture(Size size, uint32_t fourcc, Refusal refusal) : Texture(size, fourcc, true, refusal) {}

  /** Of RGB texels; YCbCr texels have none. */
  [[nodiscard]] std::optional<pixman_format_code_t> format() const { return pixmanFormat(fourcc_); }
  [[nodiscard]] const std::vector<PixelMemory>& planes() const { return planes_; }
  [[nodiscard]] bool isUpload() const { return !pixels_.empty(); }
  /** Begins the CPU's access to a dma-buf (Mapping::beginAccess); an upload needs none. Ends with endAccess(). */
  [[nodiscard]] Result<> beginAccess() const;
  void endAccess() const;

private:
  mutable std::vector<Mapping> mappings_;
  std::vector<uint32_t> pixels_;
  std::vector<PixelMemory> planes_;
};

/** A dma-buf of ordinary memory to draw into, mapped for as long as it lives. */
class PixmanTarget final : public RenderTarget {
public:
  PixmanTarget(const Dmabuf& buffer, Mapping mapping)
      : RenderTarget(buffer.size(), false), format_(*pixmanFormat(buffer.fourcc())), mapping_(std::move(mapping)),
        memory_{mapping_.bytes().data(), buffer.plane(0).strideBytes}, image_(imageOver(format_, size_, memory_)) {}

  [[nodiscard]] pixman_format_code_t format() const { return format_; }
  [[nodiscard]] const PixelMemory& memory() const { return memory_; }
  [[nodiscard]] pixman_image_t* image() const { return image_.get(); }
  [[nodiscard]] Mapping& mapping() const { return mapping_; }

private:
  pixman_format_code_t format_;
  mutable Mapping mapping_;
  PixelMemory memory_;
  Image image_;
};

} // namespace vitrine::pixman
