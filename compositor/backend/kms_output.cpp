#include "compositor/backend/kms_output.h"

#include <xf86drmMode.h>

#include <format>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** Whether a plane serves this CRTC and no other: shared planes would need a plan over all outputs of the device. */
bool isOwnPlane(const Plane& plane, const Crtc& crtc, bool deviceHasOneOutput) {
  const uint32_t bit = 1U << crtc.index;
  return (plane.possibleCrtcs & bit) != 0 && (deviceHasOneOutput || plane.possibleCrtcs == bit);
}

} // namespace

const wlr_output_impl KmsOutput::impl = {
    .set_cursor = nullptr, // the cursor is a layer of the display list like any other
    .move_cursor = nullptr,
    .destroy = [](wlr_output* output) { delete from(output); },
    .test =
        [](wlr_output*, const wlr_output_state* state) {
          // Frames are tested by test(); of what wlroots may ask for, only these are ours to do.
          constexpr uint32_t supported = WLR_OUTPUT_STATE_BUFFER | WLR_OUTPUT_STATE_MODE | WLR_OUTPUT_STATE_ENABLED |
                                         WLR_OUTPUT_STATE_BACKEND_OPTIONAL;
          return (state->committed & ~supported) == 0;
        },
    .commit = [](wlr_output* output, const wlr_output_state* state) { return from(output)->commitState(*state); },
    .get_gamma_size = nullptr,
    .get_cursor_formats = nullptr,
    .get_cursor_sizes = nullptr,
    .get_primary_formats = [](wlr_output* output, uint32_t) -> const wlr_drm_format_set* {
      return &from(output)->primaryFormats_;
    },
};

KmsOutput::KmsOutput(KmsDevice& device, const Connector& connector, const Crtc& crtc, wlr_backend& backend,
                     wl_event_loop& loop)
    : device_(device), connector_(connector), crtc_(crtc), request_(device, counters_.atomic) {
  choosePlanes();
  wlr_output_init(&base_, &backend, &impl, &loop, nullptr);
  wlr_output_set_name(&base_, connector_.name.c_str());
  wlr_output_set_description(&base_, std::format("{} on {}", connector_.name, device_.driverName()).c_str());
  base_.phys_width = static_cast<int32_t>(connector_.physicalSizeMillimetres.width);
  base_.phys_height = static_cast<int32_t>(connector_.physicalSizeMillimetres.height);
  addModes();
  if (primary_ != nullptr) {
    for (const FormatModifier& format : primary_->formats)
      wlr_drm_format_set_add(&primaryFormats_, format.fourcc, format.modifier);
  }
}

KmsOutput::~KmsOutput() {
  if (onDestroyed) onDestroyed();
  if (base_.enabled) {
    if (auto off = disable(); !off) log("backend").warn("{}", off.error().text());
  }
  wlr_drm_format_set_finish(&primaryFormats_);
}

KmsOutput* KmsOutput::from(wlr_output* output) {
  return output != nullptr && output->impl == &impl ? reinterpret_cast<KmsOutput*>(output) : nullptr;
}

void KmsOutput::addModes() {
  wlrModes_.resize(connector_.modes.size()); // never again: wlroots keeps links into it
  for (size_t i = 0; i < connector_.modes.size(); ++i) {
    const Mode& mode = connector_.modes[i];
    wlr_output_mode& entry = wlrModes_[i];
    entry.width = static_cast<int32_t>(mode.size.width);
    entry.height = static_cast<int32_t>(mode.size.height);
    entry.refresh = static_cast<int32_t>(mode.refreshMilliHertz);
    entry.preferred = mode.preferred;
    wl_list_insert(base_.modes.prev, &entry.link);
  }
}

void KmsOutput::choosePlanes() {
  size_t outputs = 0;
  for (const Connector& connector : device_.connectors())
    outputs += connector.connected && !connector.writeback ? 1 : 0;
  for (const Plane& plane : device_.planes()) {
    const bool mine = plane.type == PlaneType::Primary ? (plane.possibleCrtcs & (1U << crtc_.index)) != 0
                                                       : isOwnPlane(plane, crtc_, outputs <= 1);
    if (mine) planes_.push_back(plane);
  }
  for (const Plane& plane : planes_) {
    if (plane.type == PlaneType::Primary && primary_ == nullptr) primary_ = &plane;
  }
}

OutputKind KmsOutput::kind() const {
  switch (connector_.type) {
  case DRM_MODE_CONNECTOR_LVDS:
  case DRM_MODE_CONNECTOR_eDP:
  case DRM_MODE_CONNECTOR_DSI:
  case DRM_MODE_CONNECTOR_DPI:
  case DRM_MODE_CONNECTOR_SPI:
    return OutputKind::Internal;
  case DRM_MODE_CONNECTOR_VIRTUAL:
    return OutputKind::Virtual;
  case DRM_MODE_CONNECTOR_WRITEBACK:
    return OutputKind::Writeback;
  default:
    return OutputKind::External;
  }
}

bool KmsOutput::commitState(const wlr_output_state& state) {
  Result<> done;
  const bool enable = (state.committed & WLR_OUTPUT_STATE_ENABLED) != 0 ? state.enabled : base_.enabled;
  if (!enable) {
    if (base_.enabled) done = disable();
  } else if ((state.committed & (WLR_OUTPUT_STATE_MODE | WLR_OUTPUT_STATE_ENABLED)) != 0) {
    const wlr_output_mode* wanted = (state.committed & WLR_OUTPUT_STATE_MODE) != 0 ? state.mode : base_.current_mode;
    const Mode* found = nullptr;
    for (const Mode& mode : connector_.modes) {
      if (wanted != nullptr && static_cast<int32_t>(mode.size.width) == wanted->width &&
          static_cast<int32_t>(mode.size.height) == wanted->height &&
          static_cast<int32_t>(mode.refreshMilliHertz) == wanted->refresh) {
        found = &mode;
        break;
      }
    }
    if (found == nullptr || modesetBuffer_.get() == nullptr) {
      log("backend").error("modeset {}: no {}", connector_.name, found == nullptr ? "such mode" : "first picture");
      return false;
    }
    done = modeset(*found, *modesetBuffer_.get());
  }
  // Everything else in a state is wlroots' bookkeeping: the frame itself went to the kernel through submit().
  if (!done) log("backend").warn("{}", done.error().text());
  return done.has_value();
}

Result<> KmsOutput::modeset(const Mode& mode, DmabufBuffer& buffer) {
  auto blob = PropertyBlob::create(device_, mode.raw.data(), mode.raw.size());
  if (!blob) return std::unexpected(blob.error());
  const auto& framebuffer = buffer.framebuffer(device_, true);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  KmsFrame frame;
  const Size size = mode.size;
  frame.planes.push_back({.plane = primary_,
                          .buffer = &buffer,
                          .framebufferId = framebuffer->id(),
                          .source = SourceRect::whole(size),
                          .destination = {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)}});
  request_.clear();
  describe(frame);
  request_.set(connector_, ConnectorProperty::CrtcId, crtc_.id);
  request_.set(crtc_, CrtcProperty::ModeId, blob->id());
  request_.set(crtc_, CrtcProperty::Active, 1);
  if (auto done = request_.commitBlocking(true); !done) return done;
  modeBlob_ = std::move(*blob);
  mode_ = &mode;
  flipPending_ = false;
  queued_.clear();
  keepBuffers(frame);
  onScreen_.swap(queued_);
  queued_.clear();
  log("backend").info("{}: {} {}x{}@{:.3f} Hz", connector_.name, device_.driverName(), size.width, size.height,
                      mode.refreshMilliHertz / 1000.0);
  return {};
}

Result<> KmsOutput::disable() {
  request_.clear();
  for (const Plane& plane : planes_)
    request_.disable(plane);
  request_.set(connector_, ConnectorProperty::CrtcId, 0);
  request_.set(crtc_, CrtcProperty::ModeId, 0);
  request_.set(crtc_, CrtcProperty::Active, 0);
  auto done = request_.commitBlocking(true);
  flipPending_ = false;
  onScreen_.clear();
  queued_.clear();
  return done;
}

void KmsOutput::describe(const PlaneContent& content) {
  const Plane& plane = *content.plane;
  using P = PlaneProperty;
  const auto whole = [](int32_t value) { return static_cast<uint64_t>(static_cast<int64_t>(value)); };
  request_.set(plane, P::FbId, content.framebufferId);
  request_.set(plane, P::CrtcId, crtc_.id);
  request_.set(plane, P::SrcX, content.source.x.raw());
  request_.set(plane, P::SrcY, content.source.y.raw());
  request_.set(plane, P::SrcW, content.source.width.raw());
  request_.set(plane, P::SrcH, content.source.height.raw());
  request_.set(plane, P::CrtcX, whole(content.destination.x));
  request_.set(plane, P::CrtcY, whole(content.destination.y));
  request_.set(plane, P::CrtcW, whole(content.destination.width));
  request_.set(plane, P::CrtcH, whole(content.destination.height));
  // The rest is optional in the kernel. The planner asked only for what the plane has; here it is set, and set back.
  if (plane.properties.has(P::Rotation)) {
    if (const auto rotation = plane.rotationFor(content.transform)) request_.set(plane, P::Rotation, *rotation);
  }
  if (plane.properties.has(P::Alpha)) request_.set(plane, P::Alpha, content.alpha);
  if (plane.properties.has(P::PixelBlendMode)) {
    const auto mode = plane.properties.enumValue(P::PixelBlendMode, content.blends ? "Pre-multiplied" : "None");
    if (mode) request_.set(plane, P::PixelBlendMode, *mode);
  }
  if (content.isYuv) {
    if (const auto encoding = plane.encodingValue(content.encoding)) request_.set(plane, P::ColorEncoding, *encoding);
    if (const auto range = plane.rangeValue(content.range)) request_.set(plane, P::ColorRange, *range);
  }
  if (content.inFence >= 0 && plane.properties.has(P::InFenceFd)) {
    request_.set(plane, P::InFenceFd, static_cast<uint64_t>(content.inFence));
  }
}

void KmsOutput::describe(const KmsFrame& frame) {
  for (const Plane& plane : planes_) {
    const auto used = std::ranges::find(frame.planes, plane.id, [](const PlaneContent& c) { return c.plane->id; });
    if (used == frame.planes.end()) {
      request_.disable(plane);
    } else {
      describe(*used);
    }
  }
}

Result<> KmsOutput::test(const KmsFrame& frame) {
  request_.clear();
  describe(frame);
  return request_.test(false);
}

Result<> KmsOutput::submit(const KmsFrame& frame) {
  request_.clear();
  describe(frame);
  // Part of every request so that a frame that changes no plane still brings its flip event.
  request_.set(crtc_, CrtcProperty::Active, 1);
  if (auto done = request_.commitFlip(false, crtc_.id); !done) return done;
  flipPending_ = true;
  keepBuffers(frame);
  return {};
}

void KmsOutput::keepBuffers(const KmsFrame& frame) {
  queued_.clear();
  for (const PlaneContent& content : frame.planes)
    queued_.emplace_back(content.buffer);
}

void KmsOutput::handleFlip(const FlipEvent& flip) {
  if (!flipPending_) return; // of a frame from before a modeset or a switch away
  flipPending_ = false;
  counters_.flips++;
  onScreen_.swap(queued_);
  queued_.clear(); // gives what was shown until now back to its clients
  if (onPresented) onPresented({pendingSequence_, flip});
}

void KmsOutput::suspend() {
  flipPending_ = false;
  onScreen_.clear();
  queued_.clear();
}

Result<> KmsOutput::resume(DmabufBuffer& buffer) {
  if (mode_ == nullptr) return {};
  return modeset(*mode_, buffer);
}

} // namespace vitrine
