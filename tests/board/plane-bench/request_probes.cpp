#include <algorithm>
#include <format>
#include <memory>

#include <drm_fourcc.h>

#include "tests/board/plane-bench/layer_set.h"
#include "tests/board/plane-bench/probe.h"

namespace vitrine::bench {
namespace {

using Layers = std::shared_ptr<const LayerSet>; ///< shared by the probes that flip them

/** Conditions of a series, the kind of buffer last. */
std::vector<std::pair<std::string, std::string>>
with(BufferKind kind, std::vector<std::pair<std::string, std::string>> conditions = {}) {
  conditions.emplace_back("buffers", bufferKindName(kind));
  return conditions;
}

/** Puts a layout that the driver refuses into the request: a layer at 1/64 of its size, or else outside of its buffer. */
Result<> placeRefused(Stage& stage, const LayerSet& layers, size_t count) {
  stage.request().clear();
  layers.place(stage, count, 0);
  Placement wrong = layers.placement(count - 1, 0);
  wrong.destination.width = std::max(1, wrong.destination.width / 64);
  wrong.destination.height = std::max(1, wrong.destination.height / 64);
  stage.place(wrong);
  if (!stage.request().test(false)) return {};
  wrong = layers.placement(count - 1, 0);
  wrong.source = SourceRect::whole({2 * wrong.framebuffer->size().width, wrong.framebuffer->size().height});
  stage.place(wrong);
  if (!stage.request().test(false)) return {};
  return invalid("TEST_ONLY", std::format("{} planes", count), "the driver accepts a source outside of the buffer");
}

Answer measureTests(Stage& stage, const LayerSet& layers, size_t planes, bool accepted, unsigned count) {
  if (accepted) {
    stage.request().clear();
    layers.place(stage, planes, 0);
  } else if (auto placed = placeRefused(stage, layers, planes); !placed) {
    return std::unexpected(placed.error());
  }
  Samples samples;
  for (unsigned i = 0; i < count; ++i) {
    const Nanoseconds before = now();
    const auto tested = stage.request().test(false);
    samples.push_back(micros(now() - before));
    if (tested.has_value() != accepted)
      return invalid("TEST_ONLY", std::format("{} planes", planes), "the driver changed its answer");
  }
  return std::vector<Samples>{std::move(samples)};
}

/** Non-blocking commits at moments spread evenly over the period: the golden ratio's multiples never gather. */
Answer measureCommits(Stage& stage, const LayerSet& layers, size_t planes, unsigned count) {
  Samples call;
  Samples flip;
  for (unsigned i = 0; i <= count; ++i) { // the first one switches planes on, and is not counted
    stage.request().clear();
    layers.place(stage, planes, i);
    const double phase = i * 0.6180339887498949;
    sleepUntil(now() + static_cast<Nanoseconds>((phase - static_cast<double>(static_cast<unsigned>(phase))) *
                                                static_cast<double>(stage.period())));
    const Nanoseconds before = now();
    if (auto done = stage.request().commitFlip(false, 0); !done) return std::unexpected(done.error());
    const Nanoseconds after = now();
    const auto seen = stage.awaitFlip();
    if (!seen) return std::unexpected(seen.error());
    if (i == 0) continue;
    call.push_back(micros(after - before));
    flip.push_back(micros(seen->seen - before));
  }
  return std::vector{std::move(call), std::move(flip)};
}

Answer measureBlocking(Stage& stage, const LayerSet& layers, unsigned count) {
  Samples samples;
  for (unsigned i = 0; i <= count; ++i) { // the first one only finds the vblank
    stage.request().clear();
    layers.place(stage, 1, i);
    const Nanoseconds before = now();
    if (auto done = stage.request().commitBlocking(false); !done) return std::unexpected(done.error());
    if (i > 0) samples.push_back(micros(now() - before));
  }
  return std::vector<Samples>{std::move(samples)};
}

Answer measureCursor(Stage& stage, const Framebuffer& image, unsigned count) {
  stage.request().clear();
  const Size size = image.size();
  const Rect at{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  stage.place({.plane = stage.cursor(), .framebuffer = &image, .destination = at});
  if (auto shown = stage.flip(); !shown) return std::unexpected(shown.error());
  Samples samples;
  for (unsigned i = 1; i <= count; ++i) {
    stage.request().clear();
    stage.request().set(*stage.cursor(), PlaneProperty::CrtcX, i * 5 % 256);
    stage.request().set(*stage.cursor(), PlaneProperty::CrtcY, i * 3 % 256);
    const Nanoseconds before = now();
    if (auto done = stage.request().commitFlip(false, 0); !done) return std::unexpected(done.error());
    samples.push_back(micros(now() - before));
    if (auto seen = stage.awaitFlip(); !seen) return std::unexpected(seen.error());
  }
  return std::vector<Samples>{std::move(samples)};
}

Answer measureMoves(Stage& stage, const LayerSet& layers, unsigned count) {
  const std::array overlays = {layers.placement(1, 0).plane, layers.placement(2, 0).plane};
  Placement layer = layers.placement(1, 0);
  Samples samples;
  for (unsigned i = 0; i <= count; ++i) {
    stage.request().clear();
    layer.plane = overlays[i % 2];
    stage.request().disable(*overlays[(i + 1) % 2]);
    stage.place(layer);
    const Nanoseconds before = now();
    if (auto tested = stage.request().test(false); !tested) return std::unexpected(tested.error());
    if (auto done = stage.request().commitFlip(false, 0); !done) return std::unexpected(done.error());
    if (i > 0) samples.push_back(micros(now() - before));
    if (auto seen = stage.awaitFlip(); !seen) return std::unexpected(seen.error());
  }
  return std::vector<Samples>{std::move(samples)};
}

/** One plane, two, and all of them. */
std::vector<size_t> planeCounts(const LayerSet& layers) {
  std::vector<size_t> counts = {1, 2, layers.count()};
  std::erase_if(counts, [&](size_t count) { return count > layers.count(); });
  counts.erase(std::ranges::unique(counts).begin(), counts.end());
  return counts;
}

void addUnavailable(std::vector<Probe>& probes, const char* metric, BufferKind kind, const std::string& why) {
  probes.push_back({{{metric, with(kind), {}, why}}, {}});
}

void addCursorProbe(Stage& stage, std::vector<Probe>& probes) {
  Series series{"cursor-move", {}, {}, {}};
  if (stage.cursor() == nullptr) {
    series.unavailable = "the output has no cursor plane";
    probes.push_back({{series}, {}});
    return;
  }
  probes.push_back({{series}, [&stage](unsigned count) -> Answer {
                      const auto image = stage.framebuffer({64, 64}, DRM_FORMAT_ARGB8888, BufferKind::Ordinary);
                      if (!image) return std::unexpected(image.error());
                      return measureCursor(stage, *image, count);
                    }});
}

} // namespace

void addRequestProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes) {
  auto created = LayerSet::create(stage, kind);
  if (!created) {
    for (const char* metric : {"test-only", "commit-blocking", "commit-nonblocking", "commit-to-flip", "plane-move"})
      addUnavailable(probes, metric, kind, created.error().text());
    return;
  }
  const Layers layers = std::make_shared<const LayerSet>(std::move(*created));
  for (size_t planes = 1; planes <= layers->count(); ++planes) {
    for (const bool accepted : {true, false}) {
      probes.push_back(
          {{{"test-only",
             with(kind, {{"planes", std::to_string(planes)}, {"outcome", accepted ? "accepted" : "refused"}}),
             {},
             {}}},
           [&stage, layers, planes, accepted](unsigned count) {
             return measureTests(stage, *layers, planes, accepted, count);
           }});
    }
  }
  for (const size_t planes : planeCounts(*layers)) {
    const auto conditions = with(kind, {{"planes", std::to_string(planes)}});
    probes.push_back(
        {{{"commit-nonblocking", conditions, {}, {}}, {"commit-to-flip", conditions, {}, {}}},
         [&stage, layers, planes](unsigned count) { return measureCommits(stage, *layers, planes, count); }});
  }
  probes.push_back({{{"commit-blocking", with(kind), {}, {}}},
                    [&stage, layers](unsigned count) { return measureBlocking(stage, *layers, count); }});
  if (kind == BufferKind::Ordinary) addCursorProbe(stage, probes);
  if (layers->count() < 3) {
    addUnavailable(probes, "plane-move", kind,
                   std::format("the output has {} overlays that take a layer, and it needs 2", layers->count() - 1));
  } else {
    probes.push_back({{{"plane-move", with(kind), {}, {}}},
                      [&stage, layers](unsigned count) { return measureMoves(stage, *layers, count); }});
  }
}

} // namespace vitrine::bench
