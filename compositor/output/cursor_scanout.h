#pragma once

#include <vector>

#include "compositor/render/texture_adapter.h"

namespace vitrine {

/**
 * Copies of clients' cursors in scanout memory of one output. Toolkits draw cursors in shared memory, which no plane can
 * show; without a copy each would be composed, and would cover a protected video below it.
 */
class CursorScanout {
public:
  explicit CursorScanout(const KmsDevice& display);
  CursorScanout(const CursorScanout&) = delete;
  ~CursorScanout();

  /**
   * A buffer with the pixels of `content` scaled to `shown` output pixels in its top-left corner, transparent elsewhere.
   * Square, as cursor planes want it. Borrowed until the next call. Null where the image is too large for a cursor plane
   * or in another format than 32-bit RGB, and where all copies are on the screen.
   */
  [[nodiscard]] DmabufBuffer* copyOf(const TextureAdapter& content, Size shown);

private:
  static constexpr size_t maximumCopies = 3; ///< on the screen, on its way, and being drawn
  struct Copy {
    DmabufBuffer* buffer = nullptr; ///< owned: dropped in the destructor
    uint64_t serial = 0;            ///< of the content
    Size shown;
  };
  [[nodiscard]] Copy* unused(uint32_t side);

  const KmsDevice& display_;
  uint32_t largestSide_ = 0;
  std::vector<Copy> copies_;
};

/** The side of a square buffer for an image of this size that cursor planes take, or 0 where it is larger than `largest`. */
[[nodiscard]] uint32_t cursorSide(Size image, uint32_t largest);
/** The largest side of a device's cursors (DRM_CAP_CURSOR_WIDTH and _HEIGHT). */
[[nodiscard]] uint32_t largestCursorSide(const KmsDevice& display);

} // namespace vitrine
