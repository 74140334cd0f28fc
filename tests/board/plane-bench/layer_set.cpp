#include "tests/board/plane-bench/layer_set.h"

#include <format>

#include <drm_fourcc.h>

namespace vitrine::bench {
namespace {

/** The format of a plane's layer: RGB where it has it, else video; 0 where it has none of these. */
uint32_t formatFor(const Plane& plane) {
  for (const uint32_t fourcc : {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12}) {
    if (plane.hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR)) return fourcc;
  }
  return 0;
}

} // namespace

Result<LayerSet> LayerSet::create(Stage& stage, BufferKind kind) {
  LayerSet set;
  if (auto added = set.add(stage, stage.primary(), stage.size(), stage.whole(), kind); !added)
    return std::unexpected(added.error());
  stage.request().clear();
  set.place(stage, 1, 0);
  if (auto tested = stage.request().test(false); !tested) return std::unexpected(tested.error());
  constexpr auto extent = static_cast<int32_t>(layerExtent);
  const int32_t columns = std::max(1, stage.whole().width / extent);
  int32_t place = 0;
  for (const Plane* plane : stage.overlays()) {
    const Rect destination{place % columns * extent, 0, extent, extent};
    if (auto added = set.add(stage, *plane, {layerExtent, layerExtent}, destination, kind); !added) continue;
    stage.request().clear();
    set.place(stage, set.count(), 0);
    if (stage.request().test(false)) {
      ++place;
    } else {
      set.layers_.pop_back();
    }
  }
  stage.request().clear();
  return set;
}

Result<> LayerSet::add(Stage& stage, const Plane& plane, Size size, Rect destination, BufferKind kind) {
  const uint32_t fourcc = formatFor(plane);
  if (fourcc == 0) {
    return missing("choose a format", std::format("plane {}", plane.id),
                   "it has none of XRGB8888, ARGB8888, NV12 with linear layout");
  }
  auto first = stage.framebuffer(size, fourcc, kind);
  if (!first) return std::unexpected(first.error());
  auto second = stage.framebuffer(size, fourcc, kind);
  if (!second) return std::unexpected(second.error());
  layers_.push_back({&plane, {std::move(*first), std::move(*second)}, destination});
  return {};
}

Placement LayerSet::placement(size_t index, size_t frame) const {
  const Layer& layer = layers_[index];
  return {.plane = layer.plane, .framebuffer = &layer.framebuffers[frame % 2], .destination = layer.destination};
}

void LayerSet::place(Stage& stage, size_t count, size_t frame) const {
  for (size_t i = 0; i < std::min(count, layers_.size()); ++i)
    stage.place(placement(i, frame));
}

} // namespace vitrine::bench
