#include <algorithm>
#include <cmath>
#include <format>
#include <memory>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <poll.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "tests/board/plane-bench/probe.h"
#include "tests/board/plane-bench/sw_sync.h"

namespace vitrine::bench {
namespace {

/** Flips in a row, each committed when the event of the one before was read. */
Answer measureRow(Stage& stage, unsigned count) {
  stage.request().clear();
  stage.placeBackground(0);
  auto last = stage.flip();
  if (!last) return std::unexpected(last.error());
  const SeenFlip first = *last;
  Samples jitter;
  for (unsigned i = 1; i <= count; ++i) {
    stage.request().clear();
    stage.placeBackground(i);
    const auto next = stage.flip();
    if (!next) return std::unexpected(next.error());
    const Nanoseconds distance = next->flip.timestamp - last->flip.timestamp;
    if (next->flip.sequence - last->flip.sequence == 1) jitter.push_back(std::abs(micros(distance - stage.period())));
    last = next;
  }
  const double vblanks = last->flip.sequence - first.flip.sequence;
  const double seconds = static_cast<double>(last->flip.timestamp - first.flip.timestamp) / 1e9;
  if (vblanks < count || seconds <= 0) return invalid("count vblanks", stage.device().node(), "flips share a vblank");
  return std::vector<Samples>{std::move(jitter), {1000 * (vblanks - count) / vblanks}, {count / seconds}};
}

/** Flips that do not wait for the vblank. Nothing but the primary's framebuffer may change in such a commit. */
Answer measureAsync(Stage& stage, unsigned count) {
  using Request = std::unique_ptr<drmModeAtomicReq, decltype(&drmModeAtomicFree)>;
  const uint32_t property = stage.primary().properties[PlaneProperty::FbId].id;
  constexpr uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT | DRM_MODE_PAGE_FLIP_ASYNC;
  const Nanoseconds before = now();
  for (unsigned i = 0; i < count; ++i) {
    const Request request(drmModeAtomicAlloc(), drmModeAtomicFree);
    drmModeAtomicAddProperty(request.get(), stage.primary().id, property, stage.background(i + 1).id());
    const int failed = drmModeAtomicCommit(stage.device().fd(), request.get(), flags, nullptr);
    if (failed != 0) return systemError("DRM_IOCTL_MODE_ATOMIC", "DRM_MODE_PAGE_FLIP_ASYNC", -failed);
    if (auto seen = stage.awaitFlip(); !seen) return std::unexpected(seen.error());
  }
  return std::vector<Samples>{{count / (static_cast<double>(now() - before) / 1e9)}};
}

/** Whether a commit `left` before a vblank still makes it, by its flip's sequence number. */
Result<bool> makesIt(Stage& stage, Nanoseconds left, unsigned& frame) {
  constexpr uint32_t ahead = 2; // enough time to get back to sleep after the flip before
  stage.request().clear();
  stage.placeBackground(frame++);
  const auto start = stage.flip();
  if (!start) return std::unexpected(start.error());
  stage.request().clear();
  stage.placeBackground(frame++);
  sleepUntil(start->flip.timestamp + ahead * stage.period() - left);
  const auto seen = stage.flip();
  if (!seen) return std::unexpected(seen.error());
  return seen->flip.sequence - start->flip.sequence <= ahead;
}

Answer measureDeadline(Stage& stage, unsigned count) {
  constexpr int tries = 3;
  const int steps = count < 50 ? 4 : 8; // to 1/16 or 1/256 of a period
  Nanoseconds late = 0;                 // too late: it cannot be in the past
  Nanoseconds early = stage.period();
  unsigned frame = 0;
  for (int step = 0; step < steps; ++step) {
    const Nanoseconds middle = (late + early) / 2;
    int made = 0;
    for (int i = 0; i < tries; ++i) {
      const auto answer = makesIt(stage, middle, frame);
      if (!answer) return std::unexpected(answer.error());
      made += *answer ? 1 : 0;
    }
    (2 * made > tries ? early : late) = middle;
  }
  return std::vector<Samples>{{micros(early)}};
}

Answer measureFirstFrame(Stage& stage) {
  if (auto dark = stage.darken(); !dark) return std::unexpected(dark.error());
  const Nanoseconds before = now();
  if (auto lit = stage.light(); !lit) return std::unexpected(lit.error());
  stage.request().clear();
  stage.placeBackground(1);
  const auto seen = stage.flip();
  if (!seen) return std::unexpected(seen.error());
  return std::vector<Samples>{{micros(seen->seen - before) / 1000}};
}

Answer measureOutFence(Stage& stage, unsigned count) {
  Samples samples;
  for (unsigned i = 0; i < count; ++i) {
    int32_t fence = -1; // the kernel writes a 32-bit file descriptor
    stage.request().clear();
    stage.placeBackground(i);
    stage.request().set(stage.crtc(), CrtcProperty::OutFencePtr, reinterpret_cast<uint64_t>(&fence));
    if (auto done = stage.request().commitFlip(false, 0); !done) return std::unexpected(done.error());
    const UniqueFd owner(fence);
    pollfd ready{fence, POLLIN, 0};
    const int polled = poll(&ready, 1, 5000);
    const Nanoseconds woken = now();
    if (polled != 1) return systemError("poll", "OUT_FENCE", polled < 0 ? errno : ETIMEDOUT);
    const auto seen = stage.awaitFlip();
    if (!seen) return std::unexpected(seen.error());
    samples.push_back(micros(woken - seen->flip.timestamp));
  }
  return std::vector<Samples>{std::move(samples)};
}

Answer measureInFence(Stage& stage, const SwSync& timeline, unsigned count) {
  Samples samples;
  for (unsigned i = 0; i < count; ++i) {
    const auto fence = timeline.createFence();
    if (!fence) return std::unexpected(fence.error());
    stage.request().clear();
    stage.placeBackground(i);
    stage.request().set(stage.primary(), PlaneProperty::InFenceFd, static_cast<uint64_t>(fence->get()));
    if (auto done = stage.request().commitFlip(false, 0); !done) return std::unexpected(done.error());
    sleepUntil(now() + stage.period() + stage.period() / 4); // a vblank passes while the fence is open
    const Nanoseconds before = now();
    if (auto signalled = timeline.signal(); !signalled) return std::unexpected(signalled.error());
    const auto seen = stage.awaitFlip();
    if (!seen) return std::unexpected(seen.error());
    samples.push_back(micros(seen->seen - before));
  }
  return std::vector<Samples>{std::move(samples)};
}

void addInFenceProbe(Stage& stage, std::vector<Probe>& probes) {
  Series series{"in-fence", {}, {}, {}};
  auto timeline = SwSync::open();
  if (!stage.primary().properties.has(PlaneProperty::InFenceFd)) {
    series.unavailable = "the primary has no IN_FENCE_FD";
  } else if (!timeline) {
    series.unavailable = timeline.error().text();
  }
  if (!series.unavailable.empty()) {
    probes.push_back({{series}, {}});
    return;
  }
  const auto shared = std::make_shared<const SwSync>(std::move(*timeline)); // std::function copies what it holds
  probes.push_back({{series}, [&stage, shared](unsigned count) { return measureInFence(stage, *shared, count); }});
}

} // namespace

// Flips are timed with the backgrounds, which are ordinary memory: what differs by memory is in addRequestProbes().
void addTimingProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes) {
  if (kind == BufferKind::Protected) return;
  probes.push_back(
      {{{"flip-jitter", {}, {}, {}}, {"missed-vblanks", {}, {}, {}}, {"flip-rate", {{"mode", "sync"}}, {}, {}}},
       [&stage](unsigned count) { return measureRow(stage, count); }});
  probes.push_back(
      {{{"commit-deadline", {}, {}, {}}}, [&stage](unsigned count) { return measureDeadline(stage, count); }});
  probes.push_back({{{"first-frame", {}, {}, {}}}, [&stage](unsigned) { return measureFirstFrame(stage); }});
  Series async{"flip-rate", {{"mode", "async"}}, {}, {}};
  uint64_t has = 0;
  if (drmGetCap(stage.device().fd(), DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP, &has) != 0 || has == 0)
    async.unavailable = "driver and kernel have no DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP";
  probes.push_back({{async}, [&stage](unsigned count) { return measureAsync(stage, count); }});
  Series outFence{"out-fence", {}, {}, {}};
  if (!stage.crtc().properties.has(CrtcProperty::OutFencePtr)) outFence.unavailable = "the CRTC has no OUT_FENCE_PTR";
  probes.push_back({{outFence}, [&stage](unsigned count) { return measureOutFence(stage, count); }});
  addInFenceProbe(stage, probes);
}

} // namespace vitrine::bench
