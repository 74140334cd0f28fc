#pragma once

#include <vector>

#include "protected-path/dmabuf/mapping.h"
#include "protected-path/render/pixman/pixman_image.h"
#include "protected-path/render/renderer.h"

namespace vitrine::pixman {

/**
 * Pixels of ordinary memory, or no pixels. Protected content has none, so it can only be drawn as the placeholder: the constructor for
 * it takes no memory.
 */
class PixmanTexture final : public Texture {
public:
  /** A dma-buf of ordinary memory. */
  PixmanTexture(const Dmabuf& buffer, pixman_format_code_t format, Mapping mapping)
      : Texture(buffer.size(), buffer.fourcc(), false, Refusal::None), format_(format), mapping_(std::move(mapping)),
        memory_{mapping_->bytes().data(), buffer.plane(0).strideBytes} {}
  /** A copy of a client's pixels. */
  PixmanTexture(Size size, uint32_t fourcc, pixman_format_code_t format, std::vector<uint32_t> pixels)
      : Texture(size, fourcc, false, Refusal::None), format_(format), pixels_(std::move(pixels)),
        memory_{reinterpret_cast<std::byte*>(pixels_.data()),
                static_cast<uint32_t>(pixels_.size() / size.height * sizeof(uint32_t))} {}
  /** A texture that draws as the placeholder. */
  PixmanTexture(Size size, uint32_t fourcc, Refusal refusal) : Texture(size, fourcc, true, refusal) {}

  [[nodiscard]] pixman_format_code_t format() const { return format_; }
  [[nodiscard]] const PixelMemory& memory() const { return memory_; }
  [[nodiscard]] bool isUpload() const { return !pixels_.empty(); }
  /** Begins the CPU's access to a dma-buf (Mapping::beginAccess); an upload needs none. Ends with endAccess(). */
  [[nodiscard]] Result<> beginAccess() const { return mapping_ ? mapping_->beginAccess() : Result<>(); }
  void endAccess() const {
    if (mapping_) mapping_->endAccess();
  }

private:
  pixman_format_code_t format_ = PIXMAN_a8r8g8b8;
  mutable std::optional<Mapping> mapping_;
  std::vector<uint32_t> pixels_;
  PixelMemory memory_;
};

/** A dma-buf of ordinary memory to draw into, mapped for as long as it lives. */
class PixmanTarget final : public RenderTarget {
public:
  PixmanTarget(const Dmabuf& buffer, pixman_format_code_t format, Mapping mapping)
      : RenderTarget(buffer.size(), false), format_(format), fourcc_(buffer.fourcc()), mapping_(std::move(mapping)),
        memory_{mapping_.bytes().data(), buffer.plane(0).strideBytes}, image_(imageOver(format, size_, memory_)) {}

  [[nodiscard]] pixman_format_code_t format() const { return format_; }
  [[nodiscard]] uint32_t fourcc() const { return fourcc_; }
  [[nodiscard]] const PixelMemory& memory() const { return memory_; }
  [[nodiscard]] pixman_image_t* image() const { return image_.get(); }
  [[nodiscard]] Mapping& mapping() const { return mapping_; }

private:
  pixman_format_code_t format_;
  uint32_t fourcc_;
  mutable Mapping mapping_;
  PixelMemory memory_;
  Image image_;
};

} // namespace vitrine::pixman
