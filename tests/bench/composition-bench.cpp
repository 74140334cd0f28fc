#include <benchmark/benchmark.h>

#include <drm_fourcc.h>

#include <cstdlib>
#include <iostream>

#include "compositor/render/dmabuf_buffer.h"
#include "protected-path/heap/heap_allocator.h"

// The cost of composition, part by part. Absolute times depend on the machine. Ratios within one run (cold import to
// cached, one surface to many, little damage to much) and counts (pixels, bytes, submits) can be compared between
// machines.

namespace vitrine {
namespace {

constexpr Size fullHd{1920, 1080};
constexpr int64_t bytesPerPixel = 4; ///< of the targets

[[noreturn]] void fail(const Error& error) {
  std::cerr << "composition-bench: " << error.text() << '\n';
  std::exit(1);
}

Renderer& renderer() {
  static const std::unique_ptr<Renderer> made = [] {
    auto created = Renderer::create({});
    if (!created) fail(created.error());
    return std::move(*created);
  }();
  return *made;
}

Dmabuf allocate(Size size, uint32_t fourcc, bool isProtected) {
  static const HeapTable table;
  const BufferRequest request{.size = size,
                              .fourcc = fourcc,
                              .protectedContent = isProtected,
                              .rowMultiple = renderer().device().targetRowMultiple};
  auto made = allocateBuffer(request, listHeaps(table), table);
  if (!made) fail(made.error());
  return std::move(made->buffer);
}

/** Whether this machine can run the protected variant. If not, the table says so. */
bool possible(benchmark::State& state, bool isProtected) {
  const HeapTable table;
  const bool heap = !chooseHeap({.size = fullHd, .fourcc = DRM_FORMAT_XRGB8888}, listHeaps(table)).candidates.empty();
  if (!isProtected || (renderer().device().gpu.protectedMemory && heap)) return true;
  state.SkipWithMessage("no protected memory here");
  return false;
}

void importCold(benchmark::State& state, uint32_t fourcc, Size size, bool isProtected) {
  if (!possible(state, isProtected)) return;
  const Dmabuf buffer = allocate(size, fourcc, isProtected);
  const uint64_t imports = renderer().counters().imports;
  for (auto _ : state) {
    auto texture = renderer().import(buffer);
    if (!texture) fail(texture.error());
    benchmark::DoNotOptimize(texture);
  }
  state.counters["driver_imports"] = benchmark::Counter(static_cast<double>(renderer().counters().imports - imports),
                                                        benchmark::Counter::kAvgIterations);
}

/** As in the compositor: a buffer is imported when it is first shown, and cached for every later frame. */
void importCached(benchmark::State& state, uint32_t fourcc, Size size, bool isProtected) {
  if (!possible(state, isProtected)) return;
  DmabufBuffer* buffer = DmabufBuffer::create(allocate(size, fourcc, isProtected));
  if (const auto& first = buffer->texture(renderer()); !first) fail(first.error());
  const uint64_t imports = renderer().counters().imports;
  for (auto _ : state) {
    auto* texture = &buffer->texture(renderer());
    benchmark::DoNotOptimize(texture);
  }
  state.counters["driver_imports"] = benchmark::Counter(static_cast<double>(renderer().counters().imports - imports),
                                                        benchmark::Counter::kAvgIterations);
  wlr_buffer_drop(buffer->base());
}

/** A target, and the content to draw into it. */
struct Scene {
  explicit Scene(bool isProtected)
      : targetMemory(allocate(fullHd, DRM_FORMAT_XRGB8888, isProtected)),
        contentMemory(allocate({64, 64}, DRM_FORMAT_XRGB8888, isProtected)) {
    auto drawn = renderer().importTarget(targetMemory);
    auto sampled = renderer().import(contentMemory);
    if (!drawn || !sampled) fail(drawn ? sampled.error() : drawn.error());
    target = std::move(*drawn);
    content = std::move(*sampled);
  }
  [[nodiscard]] DrawCommand surface(const Rect& destination) const {
    return {.kind = DrawCommand::Kind::Texture,
            .destination = destination,
            .texture = content.get(),
            .source = SourceRect::whole(content->size())};
  }
  Dmabuf targetMemory;
  Dmabuf contentMemory;
  std::unique_ptr<RenderTarget> target;
  std::unique_ptr<Texture> content;
};

/** Measures frames of `commands` in `damage`: with `waits`, until the GPU is done; otherwise the CPU's part only. */
void composeFrames(benchmark::State& state, Scene& scene, std::span<const DrawCommand> commands,
                   std::span<const Rect> damage, bool waits) {
  // One frame before measuring, since drivers compile shaders and fault pages in on first use.
  if (auto warm = renderer().compose(*scene.target, commands, damage, {}); !warm) fail(warm.error());
  renderer().waitIdle();
  const RendererCounters before = renderer().counters();
  for (auto _ : state) {
    auto fence = renderer().compose(*scene.target, commands, damage, {});
    if (!fence) fail(fence.error());
    if (waits) {
      renderer().waitIdle();
      continue;
    }
    state.PauseTiming();
    renderer().waitIdle();
    state.ResumeTiming();
  }
  const RendererCounters& after = renderer().counters();
  using benchmark::Counter;
  const auto perFrame = [&](uint64_t count) { return Counter(static_cast<double>(count), Counter::kAvgIterations); };
  state.counters["bytes_written"] =
      perFrame((after.pixelsDrawn - before.pixelsDrawn) * static_cast<uint64_t>(bytesPerPixel));
  state.counters["submits"] = perFrame(after.submits - before.submits);
  state.counters["allocations"] = perFrame(after.allocations - before.allocations);
}

/** N small surfaces side by side: nearly all of the cost is recording and submitting. */
void recordAndSubmit(benchmark::State& state, bool isProtected) {
  if (!possible(state, isProtected)) return;
  Scene scene(isProtected);
  std::vector<DrawCommand> commands;
  std::vector<Rect> damage;
  for (int i = 0; i < state.range(0); ++i) {
    damage.push_back({i % 60 * 16, i / 60 * 16, 8, 8});
    commands.push_back(scene.surface(damage.back()));
  }
  composeFrames(state, scene, commands, damage, false);
}

/** One surface over the whole output, of which a given percentage has changed. */
void drawDamage(benchmark::State& state, bool isProtected) {
  if (!possible(state, isProtected)) return;
  Scene scene(isProtected);
  const Rect whole{0, 0, static_cast<int32_t>(fullHd.width), static_cast<int32_t>(fullHd.height)};
  const Rect damage{0, 0, whole.width, static_cast<int32_t>(whole.height * state.range(0) / 100)};
  const DrawCommand command = scene.surface(whole);
  composeFrames(state, scene, {&command, 1}, {&damage, 1}, true);
}

/** A video over the whole output, from 1280 x 720 or not scaled. */
void drawVideo(benchmark::State& state, Size size, bool isProtected) {
  if (!possible(state, isProtected)) return;
  Scene scene(isProtected);
  const Dmabuf memory = allocate(size, DRM_FORMAT_NV12, isProtected);
  auto video = renderer().import(memory);
  if (!video) fail(video.error());
  const Rect whole{0, 0, static_cast<int32_t>(fullHd.width), static_cast<int32_t>(fullHd.height)};
  DrawCommand command = scene.surface(whole);
  command.texture = video->get();
  command.source = SourceRect::whole(size);
  composeFrames(state, scene, {&command, 1}, {&whole, 1}, true);
}

BENCHMARK_CAPTURE(importCold, NV12_1280x720, DRM_FORMAT_NV12, Size{1280, 720}, false);
BENCHMARK_CAPTURE(importCold, XRGB8888_1920x1080, DRM_FORMAT_XRGB8888, fullHd, false);
BENCHMARK_CAPTURE(importCold, NV12_1280x720_protected, DRM_FORMAT_NV12, Size{1280, 720}, true);
BENCHMARK_CAPTURE(importCached, NV12_1280x720, DRM_FORMAT_NV12, Size{1280, 720}, false);
BENCHMARK_CAPTURE(importCached, NV12_1280x720_protected, DRM_FORMAT_NV12, Size{1280, 720}, true);
BENCHMARK_CAPTURE(recordAndSubmit, ordinary, false)->RangeMultiplier(4)->Range(1, 256);
BENCHMARK_CAPTURE(recordAndSubmit, protected, true)->RangeMultiplier(4)->Range(1, 256);
BENCHMARK_CAPTURE(drawDamage, ordinary_percent, false)->Arg(1)->Arg(10)->Arg(50)->Arg(100);
BENCHMARK_CAPTURE(drawDamage, protected_percent, true)->Arg(1)->Arg(10)->Arg(50)->Arg(100);
BENCHMARK_CAPTURE(drawVideo, as_it_is, fullHd, false);
BENCHMARK_CAPTURE(drawVideo, scaled, Size{1280, 720}, false);
BENCHMARK_CAPTURE(drawVideo, as_it_is_protected, fullHd, true);
BENCHMARK_CAPTURE(drawVideo, scaled_protected, Size{1280, 720}, true);

} // namespace
} // namespace vitrine

BENCHMARK_MAIN();
