#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/refusal.h"

namespace vitrine {

/** How a layer reaches the panel. */
enum class Path : uint8_t { Composited, Plane, Placeholder };
[[nodiscard]] const char* pathName(Path path); ///< `composited`, `plane`, `placeholder`

/** One thing to show on an output, in output pixels. The list of layers is ordered from the lowest to the highest. */
struct Layer {
  uint64_t id = 0;  ///< stable from frame to frame for the same surface
  Rect destination; ///< where, in output pixels; may pass the output's edges: who commits it clips it and its source
  SourceRect source;
  Size bufferSize;
  uint32_t fourcc = 0; ///< 0 for a solid colour
  uint64_t modifier = 0;
  Transform transform = Transform::Normal;
  uint16_t alpha = 0xffff;                       ///< surface alpha, 0xffff opaque (KMS plane property `alpha`)
  bool opaque = false;                           ///< every pixel of `destination` is opaque
  ColorEncoding encoding = ColorEncoding::Bt709; ///< YCbCr formats only
  ColorRange range = ColorRange::Limited;
  ChromaLocation chroma = ChromaLocation::Left; ///< if composed: KMS has no property for it
  bool protectedContent = false;                ///< no_map: see design.md R1, R2
  /** Why it may not go on a plane, even if the hardware could show it (PlaneNotDmabuf, PlaneConfiguredOff …), or None. */
  Refusal planeRefusal = Refusal::None;
  /** Why it may not be composed (GpuNoProtectedMemory …), or None. Such a layer is *mandatory*: a plane or the
   * placeholder. */
  Refusal composeRefusal = Refusal::None;
  /** Why it may not be shown at all (OutputNotAllowed), or None. Always the placeholder. */
  Refusal showRefusal = Refusal::None;
  /** Estimated changes per second; layers that change often gain most from a plane. */
  double changesPerSecond = 0;
};

/** What becomes of one layer. */
struct LayerOutcome {
  Path path = Path::Composited;
  /** For Placeholder: why. For Composited: why not a plane. None for Plane. */
  Refusal refusal = Refusal::None;
  // The rest: Path::Plane only.
  uint32_t planeId = 0;
  uint32_t zpos = 0;         ///< for the plane's property `zpos`, where that can be written
  uint8_t position = 0;      ///< among the planes in use, 0 the lowest
  bool underlay = false;     ///< below all composed content, which has a hole there
  bool opaqueFormat = false; ///< its framebuffer takes the format's variant without alpha
};

/** One buffer of composed content, as large as the output. */
struct ComposedBuffer {
  uint32_t planeId = 0;
  uint32_t zpos = 0;    ///< as in LayerOutcome
  uint8_t position = 0; ///< as in LayerOutcome
  /** The range [first, end) of the display list whose layers without a plane are drawn into it. */
  size_t first = 0;
  size_t end = SIZE_MAX;
  /** It lies on the primary and has the background; otherwise it is transparent where nothing is drawn. */
  bool bottom = true;
  bool blends = false; ///< something lies below it that shows through
};

/** One frame's decision. */
struct FramePlan {
  static constexpr size_t maximumComposed = 2;

  std::vector<LayerOutcome> layers; ///< one per layer of the display list, same order
  std::array<ComposedBuffer, maximumComposed> composedBuffers;
  size_t composedCount = 1;

  /** The buffers of composed content, from the lowest. Empty where layers on planes are all that is to be seen. */
  [[nodiscard]] std::span<const ComposedBuffer> composed() const { return {composedBuffers.data(), composedCount}; }
  [[nodiscard]] bool composes() const { return composedCount > 0; }
  /** Planes that show a layer; those of composed content do not count. */
  [[nodiscard]] unsigned planesUsed() const;
};

} // namespace vitrine
