#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compositor/output/display_list_builder.h"

namespace vitrine {

/** One layer as the GPU draws it. Equal items look equal. */
struct DrawItem {
  uint64_t id = 0;
  uint64_t serial = 0;
  DrawCommand command;            ///< its texture pointer takes no part in a comparison
  DmabufBuffer* dmabuf = nullptr; ///< what the command samples, if that is a dma-buf; valid until the list is drawn
  bool hides = false;             ///< nothing of what lies under it is to be seen
  bool seen = false;              ///< takes part in the draw in hand
};

/**
 * What the GPU draws into one picture, and what differs from the picture before it.
 *
 * A list is made with begin(), add() and finish(), then drawn. It keeps its memory from one picture to the next.
 */
class DrawList {
public:
  /** What may be drawn of a layer. */
  enum class Show : uint8_t {
    Content, ///< unless the layer's refusal says otherwise
    Placeholder,
    Hole, ///< transparent: a plane below shows the layer
  };
  /** Is called with each box that differs, in pixels of the picture. */
  using Damaged = std::function<void(const Rect&)>;

  void begin();
  /** Adds a layer above those before it. `source` must live until finish(). */
  void add(const Layer& layer, const LayerSource& source, Show show);
  /** Compares the new items with those of the last picture, and takes them over. */
  void finish(const Damaged& damaged);
  /**
   * The public view (R5), in place of begin(), add() and finish(): ordinary layers however they are shown, protected ones as the
   * placeholder, the pointer only if `withCursor`.
   */
  void makePublic(std::span<const Layer> layers, std::span<const LayerSource> sources, bool withCursor,
                  const Damaged& damaged);
  /** Forgets the last picture. */
  void clear() { items_.clear(); }

  [[nodiscard]] bool empty() const { return next_.empty(); } ///< nothing has been added since begin()
  /** Whether the GPU must be in protected mode to draw it. */
  [[nodiscard]] bool hasProtected() const;
  /**
   * Draws inside `damage` (target pixels) what no opaque item above it hides there. The target's pixel 0,0 is the picture's pixel `x`,`y`. Returns a sync file, or an error, as
   * Renderer::compose().
   */
  [[nodiscard]] Result<UniqueFd> draw(Renderer& renderer, RenderTarget& target, const Color& background,
                                      std::span<const Rect> damage, int32_t x = 0, int32_t y = 0);

private:
  static bool sameLook(const DrawItem& a, const DrawItem& b);
  bool findSeen(std::span<const Rect> damage, int32_t x, int32_t y);

  std::vector<DrawItem> items_; ///< of the last picture
  std::vector<DrawItem> next_;
  std::vector<const LayerSource*> nextSources_;
  std::vector<DrawCommand> commands_;
};

} // namespace vitrine
