#include <algorithm>
#include <format>
#include <map>
#include <memory>

#include <drm_fourcc.h>

#include "tests/board/plane-bench/layer_set.h"
#include "tests/board/plane-bench/probe.h"

namespace vitrine::bench {
namespace {

using Conditions = std::vector<std::pair<std::string, std::string>>;

constexpr uint32_t mapFormats[] = {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12, DRM_FORMAT_P010};

/** How the layers of one cell of the map are shown. */
struct Shape {
  uint32_t fourcc;
  Size size; ///< of the buffer
  double scale = 1;
  Transform transform = Transform::Normal;
};

const char* rotationName(Transform transform) {
  constexpr const char* names[] = {"0", "90", "180", "270"};
  return names[static_cast<size_t>(transform) % 4];
}

Rect destinationOf(const Shape& shape, size_t index, Rect output) {
  Size size = shape.size;
  if (swapsAxes(shape.transform)) std::swap(size.width, size.height);
  const auto width = static_cast<int32_t>(size.width * shape.scale);
  const auto height = static_cast<int32_t>(size.height * shape.scale);
  // Beside each other as far as there is room, so that what is counted is planes and not overlaps.
  const int32_t columns = std::max(1, output.width / std::max(1, width));
  return {static_cast<int32_t>(index) % columns * width, 0, width, height};
}

/** The planes that TEST_ONLY accepts together in one shape, the primary among them. */
struct Accepted {
  size_t planes = 0;
  bool commitFailed = false;
};

Result<Accepted> countPlanes(Stage& stage, const Shape& shape, BufferKind kind) {
  const auto framebuffer = stage.framebuffer(shape.size, shape.fourcc, kind);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  std::vector<Placement> accepted;
  const auto request = [&] {
    stage.request().clear();
    stage.placeBackground(0);
    for (const Placement& placement : accepted)
      stage.place(placement);
  };
  for (const Plane* plane : stage.overlays()) {
    if (!plane->hasFormat(shape.fourcc, DRM_FORMAT_MOD_LINEAR) || !plane->rotationFor(shape.transform)) continue;
    accepted.push_back({.plane = plane,
                        .framebuffer = &*framebuffer,
                        .destination = destinationOf(shape, accepted.size(), stage.whole()),
                        .transform = shape.transform});
    request();
    if (!stage.request().test(false)) accepted.pop_back();
  }
  request();
  Accepted result{1 + accepted.size(), false};
  if (accepted.empty()) return result;
  result.commitFailed = !stage.request().commitBlocking(false);
  if (auto cleared = stage.clear(); !cleared) return std::unexpected(cleared.error());
  return result;
}

Conditions conditionsOf(const Shape& shape, BufferKind kind) {
  return {{"format", fourccName(shape.fourcc)},
          {"modifier", "LINEAR"},
          {"size", std::format("{}x{}", shape.size.width, shape.size.height)},
          {"scale", shape.scale == 1   ? "1"
                    : shape.scale == 2 ? "2"
                                       : "1/2"},
          {"rotation", rotationName(shape.transform)},
          {"buffers", bufferKindName(kind)}};
}

std::vector<Shape> shapesOf(Stage& stage) {
  const Size half{stage.size().width / 2 & ~15U, stage.size().height / 2 & ~15U};
  std::vector<Shape> shapes;
  for (const uint32_t fourcc : mapFormats) {
    const bool taken = std::ranges::any_of(
        stage.overlays(), [&](const Plane* plane) { return plane->hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR); });
    if (!taken) continue;
    for (const Size size : {Size{64, 64}, Size{256, 256}, half, stage.size()}) {
      for (const double scale : {1.0, 2.0, 0.5})
        shapes.push_back({fourcc, size, scale, Transform::Normal});
      for (const Transform transform : {Transform::R90, Transform::R180})
        shapes.push_back({fourcc, size, 1, transform});
    }
  }
  return shapes;
}

/** The whole map is one probe, since it also counts the commits that fail after their test has passed. */
void addMapProbe(Stage& stage, BufferKind kind, std::vector<Probe>& probes) {
  const std::vector<Shape> shapes = shapesOf(stage);
  Probe probe;
  probe.once = true;
  for (const Shape& shape : shapes)
    probe.series.push_back({"planes-at-once", conditionsOf(shape, kind), {}, {}});
  probe.series.push_back({"test-commit-disagree", {{"buffers", bufferKindName(kind)}}, {}, {}});
  if (shapes.empty()) {
    for (Series& series : probe.series)
      series.unavailable = "no overlay of the output takes a linear RGB or video format";
    probes.push_back(std::move(probe));
    return;
  }
  probe.measure = [&stage, shapes, kind](unsigned) -> Answer {
    std::vector<Samples> samples;
    double disagreements = 0;
    std::optional<Error> failure; // of a cell that a small heap has no memory for: it stays empty
    for (const Shape& shape : shapes) {
      const auto accepted = countPlanes(stage, shape, kind);
      if (!accepted) failure = accepted.error();
      samples.push_back(accepted ? Samples{static_cast<double>(accepted->planes)} : Samples());
      disagreements += accepted && accepted->commitFailed ? 1 : 0;
    }
    if (failure && std::ranges::all_of(samples, &Samples::empty)) return std::unexpected(*failure);
    samples.push_back({disagreements});
    return samples;
  };
  probes.push_back(std::move(probe));
}

/** Whether the plane takes a square of `source` pixels shown as one of `shown`. */
bool takesScale(Stage& stage, const Plane& plane, const Framebuffer& framebuffer, double source, double shown) {
  stage.request().clear();
  stage.placeBackground(0);
  const auto extent = static_cast<int32_t>(shown);
  const SourceRect part{{}, {}, Fixed16_16::fromDouble(source), Fixed16_16::fromDouble(source)};
  stage.place({.plane = &plane, .framebuffer = &framebuffer, .destination = {0, 0, extent, extent}, .source = part});
  return stage.request().test(false).has_value();
}

/** The largest factor from 1 to 64 that is accepted, to 1 %; enlarging or reducing. */
double scaleLimit(Stage& stage, const Plane& plane, const Framebuffer& framebuffer, bool up) {
  const double extent = framebuffer.size().width;
  const auto accepts = [&](double factor) {
    return up ? takesScale(stage, plane, framebuffer, extent / factor, extent)
              : takesScale(stage, plane, framebuffer, extent, extent / factor);
  };
  double good = 1;
  double bad = 64;
  if (!accepts(good)) return 0;
  if (accepts(bad)) return bad;
  while (bad / good > 1.01) {
    const double middle = (good + bad) / 2;
    (accepts(middle) ? good : bad) = middle;
  }
  return good;
}

void addScaleProbes(Stage& stage, std::vector<Probe>& probes) {
  const uint32_t extent = std::min({stage.size().width, stage.size().height, 640U}) & ~1U;
  for (const uint32_t fourcc : {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12}) {
    for (const bool up : {true, false}) {
      Series series{"scale-limit", {{"format", fourccName(fourcc)}, {"direction", up ? "up" : "down"}}, {}, {}};
      const bool taken = std::ranges::any_of(
          stage.overlays(), [&](const Plane* plane) { return plane->hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR); });
      if (!taken) series.unavailable = "no overlay of the output takes the format";
      probes.push_back({.series = {series},
                        .measure = [&stage, fourcc, up, extent](unsigned) -> Answer {
                          const auto framebuffer = stage.framebuffer({extent, extent}, fourcc, BufferKind::Ordinary);
                          if (!framebuffer) return std::unexpected(framebuffer.error());
                          double best = 0;
                          for (const Plane* plane : stage.overlays()) {
                            if (plane->hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR))
                              best = std::max(best, scaleLimit(stage, *plane, *framebuffer, up));
                          }
                          return std::vector<Samples>{{best}};
                        },
                        .once = true});
    }
  }
}

/** Full-screen planes with two buffers each, as many as TEST_ONLY accepts. */
struct FullScreen {
  std::vector<const Plane*> planes;
  std::vector<Framebuffer> framebuffers; ///< two, for all planes alike

  void place(Stage& stage, size_t count, unsigned frame) const {
    stage.request().clear();
    for (const Plane* plane : stage.overlays())
      stage.request().disable(*plane);
    for (size_t i = 0; i < count; ++i)
      stage.place({.plane = planes[i], .framebuffer = &framebuffers[frame % 2], .destination = stage.whole()});
  }
  [[nodiscard]] static double megabytesPerSecond(Stage& stage, size_t count) {
    const double bytes = 4.0 * stage.size().width * stage.size().height * static_cast<double>(count);
    return bytes * 1e9 / static_cast<double>(stage.period()) / 1e6;
  }
};

Result<FullScreen> fullScreen(Stage& stage) {
  FullScreen all{{&stage.primary()}, {}};
  for (int i = 0; i < 2; ++i) {
    auto framebuffer = stage.framebuffer(stage.size(), DRM_FORMAT_XRGB8888, BufferKind::Ordinary);
    if (!framebuffer) return std::unexpected(framebuffer.error());
    all.framebuffers.push_back(std::move(*framebuffer));
  }
  for (const Plane* plane : stage.overlays()) {
    if (!plane->hasFormat(DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR)) continue;
    all.planes.push_back(plane);
    all.place(stage, all.planes.size(), 0);
    if (!stage.request().test(false)) all.planes.pop_back();
  }
  return all;
}

/** Whether `count` planes flip in a row, one flip per vblank. */
Result<bool> isHeld(Stage& stage, const FullScreen& all, size_t count, unsigned flips) {
  std::optional<uint32_t> sequence;
  for (unsigned frame = 0; frame <= flips; ++frame) {
    all.place(stage, count, frame);
    const auto seen = stage.flip();
    if (!seen) return std::unexpected(seen.error());
    if (sequence && frame > 1 && seen->flip.sequence - *sequence > 1) return false; // the first one switches planes on
    sequence = seen->flip.sequence;
  }
  return true;
}

void addBandwidthProbes(Stage& stage, std::vector<Probe>& probes) {
  probes.push_back({.series = {{"bandwidth-tested", {}, {}, {}}},
                    .measure = [&stage](unsigned) -> Answer {
                      const auto all = fullScreen(stage);
                      if (!all) return std::unexpected(all.error());
                      return std::vector<Samples>{{FullScreen::megabytesPerSecond(stage, all->planes.size())}};
                    },
                    .once = true});
  probes.push_back({{{"bandwidth-held", {}, {}, {}}}, [&stage](unsigned count) -> Answer {
                      const auto all = fullScreen(stage);
                      if (!all) return std::unexpected(all.error());
                      for (size_t planes = all->planes.size(); planes > 0; --planes) {
                        const auto held = isHeld(stage, *all, planes, count);
                        if (!held) return std::unexpected(held.error());
                        if (*held) return std::vector<Samples>{{FullScreen::megabytesPerSecond(stage, planes)}};
                      }
                      return std::vector<Samples>{{0}};
                    }});
}

} // namespace

void addCapabilityProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes) {
  addMapProbe(stage, kind, probes);
  if (kind == BufferKind::Protected) return; // how far planes scale and read does not depend on whose memory it is
  addScaleProbes(stage, probes);
  addBandwidthProbes(stage, probes);
}

} // namespace vitrine::bench
