#pragma once

#include <array>

#include "tests/board/plane-bench/stage.h"

namespace vitrine::bench {

/**
 * The primary and as many overlays as TEST_ONLY accepts on top of it, each with two buffers to flip between. Overlays are
 * 256x256 pixels, beside one another as far as the output is wide.
 */
class LayerSet {
public:
  static constexpr uint32_t layerExtent = 256;

  /** Asks the driver for each overlay in stacking order, leaves out those that it refuses, and commits nothing. */
  [[nodiscard]] static Result<LayerSet> create(Stage& stage, BufferKind kind);

  /** How many planes it has, the primary among them. */
  [[nodiscard]] size_t count() const { return layers_.size(); }
  /** Layer `index` (0 is the primary) with one of its two buffers. */
  [[nodiscard]] Placement placement(size_t index, size_t frame) const;
  /** Adds the first `count` layers to the stage's request, all with their buffer of `frame`. */
  void place(Stage& stage, size_t count, size_t frame) const;

private:
  struct Layer {
    const Plane* plane;
    std::array<Framebuffer, 2> framebuffers;
    Rect destination;
  };
  Result<> add(Stage& stage, const Plane& plane, Size size, Rect destination, BufferKind kind);
  std::vector<Layer> layers_;
};

} // namespace vitrine::bench
