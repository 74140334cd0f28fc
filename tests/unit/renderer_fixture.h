#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "protected-path/render/vulkan/renderer.h"

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

/** Noise over gradients, premultiplied; the same for the same seed. */
[[nodiscard]] Picture testPicture(int width, int height, unsigned seed, bool opaque);
/** Largest difference of any channel. */
[[nodiscard]] int largestDifference(const Picture& a, const Picture& b);
/** Peak signal-to-noise ratio over red, green and blue, in dB. */
[[nodiscard]] double psnr(const Picture& a, const Picture& b);
/** Every pixel of `box` is the placeholder's. */
void expectPlaceholder(const Picture& picture, const Rect& box);
/** Turned counter-clockwise by a quarter; mirrored left to right. Array moves only, to check the renderer's matrices
 * by. */
[[nodiscard]] Picture quarterTurn(const Picture& picture);
[[nodiscard]] Picture mirrored(const Picture& picture);
[[nodiscard]] Picture turned(const Picture& picture, Transform transform);

/** What strides and the rows that each plane has room for are multiples of. */
struct Padding {
  uint64_t strideBytes = 64;
  uint64_t rows = 4;     // what software rasterizers ask of targets
  uint64_t gapBytes = 0; ///< unused, before each plane
};

/** An ordinary dma-buf of the kernel's system heap with all planes in it, one after another. */
class TestBuffer {
public:
  /** Empty where there is no /dev/dma_heap/system. */
  [[nodiscard]] static std::optional<TestBuffer> create(Size size, uint32_t fourcc, const Padding& padding = {});
  [[nodiscard]] static TestBuffer from(const Picture& picture, uint32_t fourcc);

  [[nodiscard]] Dmabuf& dmabuf() { return *buffer_; }
  /** One row of a plane, mapped. */
  [[nodiscard]] std::span<uint8_t> row(unsigned plane, uint32_t y);
  /** All planes and what lies between them. */
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

/** The planes of `from`, with a modifier and more memory planes behind them; the last of them in `last`. */
[[nodiscard]] Dmabuf withModifier(TestBuffer& from, uint64_t modifier, unsigned planes, TestBuffer& last);

/**
 * A renderer with the validation layer on, one for all tests of an executable. A test in which the layer speaks fails.
 * Skips where there is no dma-buf heap to test with.
 */
class RendererTest : public testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;
  static Renderer& renderer();
  static std::unique_ptr<Renderer> newRenderer(bool validation, std::optional<YccImport> yccImport = {});

  /** Imports, and ends the test with the error's words where that fails. */
  static std::unique_ptr<Texture> texture(TestBuffer& buffer);
  static std::unique_ptr<RenderTarget> target(TestBuffer& buffer);
  static void compose(RenderTarget& target, std::span<const DrawCommand> commands, std::span<const Rect> damage);
  /** All of `background` drawn over by `commands`, read from the target's own memory. */
  static Picture draw(const Picture& background, std::span<const DrawCommand> commands);
  /** The same by another renderer, whose textures they are. */
  static Picture draw(Renderer& by, const Picture& background, std::span<const DrawCommand> commands);
  static DrawCommand textureCommand(const Texture& texture, const Rect& destination);

private:
  uint64_t messagesBefore_ = 0;
};

} // namespace vitrine::test
