#include "tests/board/plane-bench/stage.h"

#include <algorithm>
#include <format>

#include <drm_fourcc.h>
#include <poll.h>

#include "tests/board/plane-bench/saved_display.h"

namespace vitrine::bench {
namespace {

constexpr int flipTimeoutMs = 5000; ///< 300 frames: the display is stuck

BufferRequest requestFor(Size size, uint32_t fourcc, BufferKind kind) {
  return {size, fourcc, DRM_FORMAT_MOD_LINEAR, kind == BufferKind::Protected};
}

uint64_t signedValue(int32_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

} // namespace

const char* bufferKindName(BufferKind kind) {
  return kind == BufferKind::Ordinary ? "ordinary" : "protected";
}

Stage::Stage(KmsDevice& device, const Connector& connector, const Crtc& crtc, const Mode& mode)
    : device_(device), connector_(connector), crtc_(crtc), mode_(mode), request_(device, counters_),
      heaps_(listHeaps(heapTable_)) {}

Result<std::unique_ptr<Stage>> Stage::create(KmsDevice& device, const Connector& connector, const Crtc& crtc,
                                             const Mode& mode) {
  std::unique_ptr<Stage> stage(new Stage(device, connector, crtc, mode));
  if (auto chosen = stage->choosePlanes(); !chosen) return std::unexpected(chosen.error());
  const BufferRequest request = requestFor({64, 64}, DRM_FORMAT_XRGB8888, BufferKind::Protected);
  if (const auto buffer = allocateBuffer(request, stage->heaps_, stage->heapTable_))
    stage->protectedHeap_ = buffer->heapName;
  return stage;
}

Result<> Stage::choosePlanes() {
  const uint32_t bit = 1U << crtc_.index;
  for (const Plane& plane : device_.planes()) {
    if ((plane.possibleCrtcs & bit) == 0) continue;
    if (plane.type == PlaneType::Overlay) overlays_.push_back(&plane);
    if (plane.type == PlaneType::Cursor && cursor_ == nullptr) cursor_ = &plane;
    // A primary of this CRTC alone before one that another output may need.
    if (plane.type == PlaneType::Primary && (primary_ == nullptr || plane.possibleCrtcs == bit)) primary_ = &plane;
  }
  if (primary_ == nullptr) return missing("choose planes", std::format("CRTC {}", crtc_.id), "it has no primary plane");
  std::ranges::sort(overlays_, {}, [](const Plane* plane) { return plane->stacking; });
  return {};
}

Rect Stage::whole() const {
  return {0, 0, static_cast<int32_t>(mode_.size.width), static_cast<int32_t>(mode_.size.height)};
}

Nanoseconds Stage::period() const {
  return mode_.refreshMilliHertz == 0 ? 16'666'667 : 1'000'000'000'000 / mode_.refreshMilliHertz;
}

Result<> Stage::darken() {
  return darkenAll(device_);
}

Result<> Stage::light() {
  while (backgrounds_.size() < 2) {
    const auto buffer = device_.createDumbBuffer(mode_.size, DRM_FORMAT_XRGB8888);
    if (!buffer) return std::unexpected(buffer.error());
    auto framebuffer = Framebuffer::create(device_, *buffer);
    if (!framebuffer) return std::unexpected(framebuffer.error());
    backgrounds_.push_back(std::move(*framebuffer));
  }
  if (!modeBlob_) {
    auto blob = PropertyBlob::create(device_, mode_.raw.data(), mode_.raw.size());
    if (!blob) return std::unexpected(blob.error());
    modeBlob_ = std::move(*blob);
  }
  request_.clear();
  request_.set(connector_, ConnectorProperty::CrtcId, crtc_.id);
  request_.set(crtc_, CrtcProperty::ModeId, modeBlob_->id());
  request_.set(crtc_, CrtcProperty::Active, 1);
  placeBackground(0);
  return request_.commitBlocking(true);
}

Result<> Stage::clear() {
  request_.clear();
  for (const Plane& plane : device_.planes()) {
    if ((plane.possibleCrtcs & (1U << crtc_.index)) != 0 && plane.id != primary_->id) request_.disable(plane);
  }
  placeBackground(0);
  if (auto done = request_.commitBlocking(false); !done) return done;
  request_.clear();
  return device_.dispatchEvents([](const FlipEvent&) {});
}

void Stage::place(const Placement& placement) {
  using P = PlaneProperty;
  const Plane& plane = *placement.plane;
  const SourceRect source = placement.source.value_or(SourceRect::whole(placement.framebuffer->size()));
  request_.set(plane, P::FbId, placement.framebuffer->id());
  request_.set(plane, P::CrtcId, crtc_.id);
  request_.set(plane, P::SrcX, source.x.raw());
  request_.set(plane, P::SrcY, source.y.raw());
  request_.set(plane, P::SrcW, source.width.raw());
  request_.set(plane, P::SrcH, source.height.raw());
  request_.set(plane, P::CrtcX, signedValue(placement.destination.x));
  request_.set(plane, P::CrtcY, signedValue(placement.destination.y));
  request_.set(plane, P::CrtcW, signedValue(placement.destination.width));
  request_.set(plane, P::CrtcH, signedValue(placement.destination.height));
  const auto rotation = plane.rotationFor(placement.transform);
  if (plane.properties.has(P::Rotation) && rotation) request_.set(plane, P::Rotation, *rotation);
}

void Stage::placeBackground(size_t index) {
  place({.plane = primary_, .framebuffer = &background(index), .destination = whole()});
}

Result<SeenFlip> Stage::awaitFlip() {
  std::optional<SeenFlip> seen;
  while (!seen) {
    pollfd ready{device_.fd(), POLLIN, 0};
    const int count = poll(&ready, 1, flipTimeoutMs);
    if (count < 0 && errno != EINTR) return systemError("poll", device_.node());
    if (count == 0) return systemError("wait for flip", std::format("CRTC {}", crtc_.id), ETIMEDOUT);
    const auto read = device_.dispatchEvents([&](const FlipEvent& flip) {
      if (flip.crtcId == crtc_.id) seen = SeenFlip{flip, now()};
    });
    if (!read) return std::unexpected(read.error());
  }
  return *seen;
}

Result<SeenFlip> Stage::flip() {
  if (auto committed = request_.commitFlip(false, 0); !committed) return std::unexpected(committed.error());
  return awaitFlip();
}

Result<Dmabuf> Stage::allocate(Size size, uint32_t fourcc, BufferKind kind) const {
  auto buffer = allocateBuffer(requestFor(size, fourcc, kind), heaps_, heapTable_);
  if (!buffer) return std::unexpected(buffer.error());
  return std::move(buffer->buffer);
}

Result<Framebuffer> Stage::framebuffer(Size size, uint32_t fourcc, BufferKind kind) const {
  const BufferRequest request = requestFor(size, fourcc, kind);
  const HeapChoice choice = chooseHeap(request, heaps_);
  Result<Framebuffer> framebuffer = refused(choice.refusal, "choose a heap", fourccName(fourcc), choice.explanation);
  // A display without an IOMMU takes buffers of some heaps only: the first heap whose buffer it takes is the right one.
  for (const HeapVerdict& candidate : choice.candidates) {
    const auto buffer = allocateBuffer(request, std::span(&candidate.heap, 1), heapTable_);
    if (buffer) {
      framebuffer = Framebuffer::create(device_, buffer->buffer);
    } else {
      framebuffer = std::unexpected(buffer.error());
    }
    if (framebuffer) return framebuffer;
  }
  if (kind == BufferKind::Ordinary) {
    if (const auto dumb = device_.createDumbBuffer(size, fourcc)) return Framebuffer::create(device_, *dumb);
  }
  return framebuffer;
}

} // namespace vitrine::bench
