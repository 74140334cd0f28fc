#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "protected-path/render/renderer.h"

namespace vitrine::test {

/** A CPU picture, four bytes a pixel: blue, green, red, alpha (ARGB8888 in memory). */
struct Picture {
  using Pixel = std::array<uint8_t, 4>;
  int width = 0;
  int height = 0;
  std::vector<Pixel> pixels;

  Picture(int w, int h, Pixel fill = {})
      : width(w), height(h), pixels(static_cast<size_t>(w) * static_cast<size_t>(h), fill) {}
  [[nodiscard]] Pixel& at(int x, int y) {
    return pixels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
  [[nodiscard]] const Pixel& at(int x, int y) const {
    return pixels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(pixels)); }
  [[nodiscard]] uint32_t strideBytes() const { return static_cast<uint32_t>(width) * 4; }
  [[nodiscard]] Size size() const { return {static_cast<uint32_t>(width), static_cast<uint32_t>(height)}; }
  bool operator==(const Picture&) const = default;
};

/** Noise over gradients, premultiplied. Equal seeds give equal pictures. */
[[nodiscard]] Picture testPicture(int width, int height, unsigned seed, bool opaque);
/** The largest difference of any channel. */
[[nodiscard]] int largestDifference(const Picture& a, const Picture& b);
/** Peak signal-to-noise ratio of red, green and blue, in dB. */
[[nodiscard]] double psnr(const Picture& a, const Picture& b);
/** Expects that every pixel of `box` is the placeholder's. */
void expectPlaceholder(const Picture& picture, const Rect& box);
/** Rotated counter-clockwise by 90 degrees; mirrored left to right. Array moves, as a reference for the renderer. */
[[nodiscard]] Picture quarterTurn(const Picture& picture);
[[nodiscard]] Picture mirrored(const Picture& picture);
[[nodiscard]] Picture turned(const Picture& picture, Transform transform);

/** Alignment of strides and rows. */
struct Padding {
  uint64_t strideBytes = 64;
  uint64_t rows = 4;     // software rasterizers need it for targets
  uint64_t gapBytes = 0; ///< unused, before each plane
};

/** An ordinary dma-buf of the kernel's system heap with all planes, one after the other. */
class TestBuffer {
public:
  /** Empty if there is no /dev/dma_heap/system. */
  [[nodiscard]] static std::optional<TestBuffer> create(Size size, uint32_t fourcc, const Padding& padding = {});
  [[nodiscard]] static TestBuffer from(const Picture& picture, uint32_t fourcc);

  [[nodiscard]] Dmabuf& dmabuf() { return *buffer_; }
  /** One row of a plane, mapped. */
  [[nodiscard]] std::span<uint8_t> row(unsigned plane, uint32_t y);
  /** All planes and the gaps between them. */
  [[nodiscard]] std::span<uint8_t> bytes() { return {bytes_.get(), bytes_.get_deleter().length}; }
  [[nodiscard]] Picture picture();
  void fill(const Picture& picture);

private:
  struct Unmap {
    size_t length;
    void operator()(uint8_t* address) const;
  };
  std::optional<Dmabuf> buffer_;
  std::unique_ptr<uint8_t, Unmap> bytes_;
};

/** The planes of `from` with a modifier, followed by more memory planes, the last of which is `last`. */
[[nodiscard]] Dmabuf withModifier(TestBuffer& from, uint64_t modifier, unsigned planes, TestBuffer& last);

/**
 * A renderer with the validation layer, shared by all tests of an executable. A message of the layer fails the test.
 * The test is skipped if the machine has no dma-buf heap.
 */
class RendererTest : public testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;
  static Renderer& renderer();
  static std::unique_ptr<Renderer> newRenderer(bool validation, std::optional<YccImport> yccImport = {});

  /** Imports a buffer. On error, fails the test with the error's text. */
  static std::unique_ptr<Texture> texture(TestBuffer& buffer);
  static std::unique_ptr<RenderTarget> target(TestBuffer& buffer);
  static void compose(RenderTarget& target, std::span<const DrawCommand> commands, std::span<const Rect> damage);
  /** The picture of `commands` drawn over `background`, read from the target's memory. */
  static Picture draw(const Picture& background, std::span<const DrawCommand> commands);
  /** The same with another renderer, which owns the textures. */
  static Picture draw(Renderer& by, const Picture& background, std::span<const DrawCommand> commands);
  static DrawCommand textureCommand(const Texture& texture, const Rect& destination);

private:
  uint64_t messagesBefore_ = 0;
};

} // namespace vitrine::test
