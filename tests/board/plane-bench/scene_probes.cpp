#include <algorithm>
#include <cstring>
#include <format>
#include <memory>

#include <drm_fourcc.h>

#include "protected-path/dmabuf/mapping.h"
#include "tests/board/plane-bench/layer_set.h"
#include "tests/board/plane-bench/probe.h"

namespace vitrine::bench {
namespace {

constexpr uint32_t bytesPerPixel = 4;

/** CPU time of this process, user and system. */
Nanoseconds cpuTime() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return toNanoseconds(time);
}

/** A 32-bit buffer of the display that the CPU draws into. */
struct Canvas {
  Dmabuf buffer;
  Framebuffer framebuffer;
  Mapping mapping;

  static Result<Canvas> create(Stage& stage, Size size) {
    auto buffer = stage.device().createDumbBuffer(size, DRM_FORMAT_XRGB8888);
    if (!buffer) return std::unexpected(buffer.error());
    auto framebuffer = Framebuffer::create(stage.device(), *buffer);
    if (!framebuffer) return std::unexpected(framebuffer.error());
    auto mapping = Mapping::map(*buffer, 0, Mapping::Access::Write);
    if (!mapping) return std::unexpected(mapping.error());
    return Canvas{std::move(*buffer), std::move(*framebuffer), std::move(*mapping)};
  }
};

/** Copies a square layer's rows to where it stands in the target, as far as it is inside. */
void copyLayer(const std::vector<std::byte>& layer, Rect at, const Canvas& target) {
  const Size size = target.framebuffer.size();
  const size_t stride = target.buffer.plane(0).strideBytes;
  const size_t width =
      std::min(static_cast<uint32_t>(at.width), size.width - static_cast<uint32_t>(at.x)) * bytesPerPixel;
  for (uint32_t row = 0; row < std::min(static_cast<uint32_t>(at.height), size.height); ++row) {
    std::memcpy(target.mapping.bytes().data() + row * stride + static_cast<size_t>(at.x) * bytesPerPixel,
                layer.data() + size_t{row} * static_cast<size_t>(at.width) * bytesPerPixel, width);
  }
}

/** Frames of the scene, each timed by the CPU time from the end of the one before to its flip. */
Answer measureFrames(Stage& stage, unsigned count, const std::function<void(unsigned frame)>& draw) {
  Samples samples;
  for (unsigned frame = 0; frame <= count; ++frame) { // the first one switches planes on, and is not counted
    const Nanoseconds before = cpuTime();
    stage.request().clear();
    draw(frame);
    if (auto seen = stage.flip(); !seen) return std::unexpected(seen.error());
    if (frame > 0) samples.push_back(micros(cpuTime() - before));
  }
  return std::vector<Samples>{std::move(samples)};
}

Answer measureComposed(Stage& stage, const LayerSet& layers, unsigned count) {
  std::vector<Canvas> canvases;
  for (int i = 0; i < 2; ++i) {
    auto canvas = Canvas::create(stage, stage.size());
    if (!canvas) return std::unexpected(canvas.error());
    canvases.push_back(std::move(*canvas));
  }
  const std::vector<std::byte> layer(size_t{LayerSet::layerExtent} * LayerSet::layerExtent * bytesPerPixel,
                                     std::byte{128});
  return measureFrames(stage, count, [&](unsigned frame) {
    const Canvas& target = canvases[frame % 2];
    for (size_t i = 1; i < layers.count(); ++i)
      copyLayer(layer, layers.placement(i, frame).destination, target);
    stage.place({.plane = &stage.primary(), .framebuffer = &target.framebuffer, .destination = stage.whole()});
  });
}

Answer measureOffloaded(Stage& stage, const LayerSet& layers, unsigned count) {
  return measureFrames(stage, count, [&](unsigned frame) { layers.place(stage, layers.count(), frame); });
}

} // namespace

void addSceneProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes) {
  const auto conditions = [kind](const char* way, size_t layers) {
    return std::vector<std::pair<std::string, std::string>>{
        {"way", way}, {"layers", std::to_string(layers)}, {"buffers", bufferKindName(kind)}};
  };
  auto created = LayerSet::create(stage, kind);
  if (!created || created->count() < 2) {
    const std::string why = created ? "the output has no overlay that takes a layer" : created.error().text();
    probes.push_back({{{"scene-cost", conditions("offloaded", 0), {}, why}}, {}});
    return;
  }
  const auto layers = std::make_shared<const LayerSet>(std::move(*created));
  const size_t count = layers->count() - 1;
  probes.push_back({{{"scene-cost", conditions("offloaded", count), {}, {}}},
                    [&stage, layers](unsigned samples) { return measureOffloaded(stage, *layers, samples); }});
  if (kind == BufferKind::Protected) return; // composing them on the CPU is what nobody may do
  probes.push_back({{{"scene-cost", conditions("composed", count), {}, {}}},
                    [&stage, layers](unsigned samples) { return measureComposed(stage, *layers, samples); }});
}

} // namespace vitrine::bench
