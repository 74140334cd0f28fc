#pragma once

#include <memory>
#include <vector>

#include "compositor/output/display_list_builder.h"

namespace vitrine {

/**
 * The composed part of an output: which layers the GPU draws, into which buffers, and how little of it.
 *
 * It compares what is to be drawn with what was drawn last; where nothing differs nothing is rendered and the same buffer is
 * shown again. Each buffer remembers what has changed since it was drawn.
 */
class Composition {
public:
  Composition(Renderer& renderer, const KmsDevice& device, Color background);
  Composition(const Composition&) = delete;
  ~Composition();

  /** Makes the buffers for an output of this size. `fourcc` ARGB8888 where underlays are wanted. */
  [[nodiscard]] Result<> allocate(Size size, uint32_t fourcc);

  /**
   * Brings a buffer up to date with the layers that the plan leaves to composition, or does nothing. On success current() is what
   * to show. Layers under the primary become holes.
   */
  [[nodiscard]] Result<> render(std::span<const Layer> layers, std::span<const LayerSource> sources,
                                const FramePlan& plan);

  /** The buffer drawn last; after allocate() a black one. */
  [[nodiscard]] DmabufBuffer* current() const { return buffers_[current_].buffer; }
  /** Its fence as a sync file while the GPU may still be at work, else -1. Borrowed until the next render(). */
  [[nodiscard]] int currentFence() const { return fence_.get(); }
  /** Whether the last render() drew anything. */
  [[nodiscard]] bool rendered() const { return rendered_; }

  /** Draws everything for readers into `target`: ordinary layers wherever they are shown, protected ones as the placeholder. */
  [[nodiscard]] Result<> renderPublic(RenderTarget& target, std::span<const Layer> layers,
                                      std::span<const LayerSource> sources);

private:
  /** What decides how a layer looks; equal items look equal. */
  struct Item {
    uint64_t id;
    uint64_t serial;
    DrawCommand command;            ///< its texture pointer takes no part in the comparison
    DmabufBuffer* dmabuf = nullptr; ///< what the command samples, where that is a dma-buf; valid during its render only
  };
  struct Buffer {
    DmabufBuffer* buffer = nullptr; ///< owned: dropped when this goes
    std::vector<Rect> damage;       ///< disjoint, since it was drawn
  };
  static bool sameLook(const Item& a, const Item& b);
  Item itemFor(const Layer& layer, const LayerSource& source, Path path, bool underlay) const;
  void addChange(const Item& item, const LayerSource* source, uint64_t oldSerial);
  void addDamage(Rect box);
  void compareItems(std::span<const LayerSource> sources);
  Result<UniqueFd> draw(RenderTarget& target, std::span<const Item> items, std::span<const Rect> damage);
  size_t pickBuffer() const;
  void dropBuffers();

  Renderer& renderer_;
  const KmsDevice& device_;
  Color background_;
  Size size_;
  std::vector<Buffer> buffers_;
  size_t current_ = 0;
  UniqueFd fence_;
  bool rendered_ = false;
  std::vector<Item> items_;     ///< of the last render
  std::vector<Item> nextItems_; ///< of this one
  std::vector<size_t> nextSources_;
  std::vector<Rect> damage_;
  std::vector<DrawCommand> commands_;
  std::vector<UniqueFd> waits_;
};

} // namespace vitrine
