#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "protected-path/base/geometry.h"
#include "protected-path/planes/layer_fit.h"

namespace vitrine {

/** What a layer asks for in a candidate set. */
enum class Wish : uint8_t {
  None, ///< composed, or the placeholder
  AnyPlane,
  CursorPlane, ///< a cursor plane or none: static, but moves without composing
};

/** Layers, planes and how they fit; the layers from the lowest to the highest, the planes too. */
struct AssignmentProblem {
  std::span<const Plane* const> planes;
  size_t primary = 0;         ///< its index in `planes`
  std::vector<Rect> visible;  ///< per layer: what is to be seen of its box; empty where nothing is
  std::vector<LayerFit> fits; ///< layer × plane, a row per layer

  [[nodiscard]] size_t layerCount() const { return visible.size(); }
  [[nodiscard]] const LayerFit& fit(size_t layer, size_t plane) const { return fits[layer * planes.size() + plane]; }
  [[nodiscard]] Place place(size_t plane) const {
    if (plane == primary) return Place::Primary;
    return plane > primary ? Place::Above : Place::Below;
  }
};

/**
 * Finds planes for a set of layers such that the picture is right; knows nothing of what is worth it, nor of TEST_ONLY.
 * Depth first from the lowest layer, cursor planes before overlays before underlays, with a bound on placements per
 * call and per frame. Keeps its memory from call to call.
 */
class PlaneAssigner {
public:
  static constexpr int8_t noPlane = -1;
  static constexpr size_t noLayer = SIZE_MAX;
  static constexpr unsigned maximumSteps = 128;       ///< per solve()
  static constexpr unsigned maximumFrameSteps = 4096; ///< from one beginFrame() to the next
  static constexpr size_t maximumPlanes = 64;

  void beginFrame() { frameSteps_ = 0; }

  /**
   * Fills `planeOf` (per layer, noPlane where not wished) or leaves it alone and returns false.
   * `base` is the layer that the primary scans out itself, or noLayer where the primary shows composed content.
   * `bannedLayer` may not take the planes of the bit set `bannedPlanes`.
   */
  [[nodiscard]] bool solve(const AssignmentProblem& problem, std::span<const Wish> wishes, size_t base,
                           std::vector<int8_t>& planeOf, size_t bannedLayer = noLayer, uint64_t bannedPlanes = 0);

  /** Whether composed content that is to be seen lies above the layer. */
  [[nodiscard]] static bool isCovered(const AssignmentProblem& problem, std::span<const Wish> wishes, size_t layer);

private:
  bool placeFrom(size_t layer);
  bool tryPlane(size_t layer, size_t plane);
  bool stacksRight(size_t layer, size_t plane) const;

  const AssignmentProblem* problem_ = nullptr; ///< these three only during solve()
  std::span<const Wish> wishes_;
  size_t base_ = noLayer;
  size_t bannedLayer_ = noLayer;
  uint64_t bannedPlanes_ = 0;
  unsigned steps_ = 0;
  unsigned frameSteps_ = 0;
  uint64_t used_ = 0; ///< bit per plane
  std::vector<int8_t> planeOf_;
  std::vector<uint8_t> covered_;
};

} // namespace vitrine
