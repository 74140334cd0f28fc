// An output's part in modesets: what it wants, its first picture, and what follows once the pipe has changed; and its display list.
// Frames are in output.cpp.
#include "compositor/output/output.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {

void Output::configure(const OutputSettings& settings) {
  if (settings == settings_) return;
  settings_ = settings;
  composition_.setBackground(settings.background);
  settledFor_.reset();
}

std::optional<LayerOutcome> Output::outcomeOf(const wlr_surface& surface) const {
  const auto sources = list_.sources();
  for (size_t i = 0; i < std::min(sources.size(), plan_.layers.size()); ++i)
    if (sources[i].surface == &surface) return plan_.layers[i];
  return std::nullopt;
}

std::vector<uint32_t> Output::planesInUse() const {
  std::vector<std::pair<uint8_t, uint32_t>> used; // position, plane
  for (const ComposedBuffer& buffer : plan_.composed())
    used.emplace_back(buffer.position, buffer.planeId);
  for (const LayerOutcome& layer : plan_.layers)
    if (layer.path == Path::Plane) used.emplace_back(layer.position, layer.planeId);
  std::ranges::sort(used);
  std::vector<uint32_t> planes;
  for (const auto& [position, plane] : used)
    planes.push_back(plane);
  return planes;
}

bool Output::needsModeset() const {
  const auto& mode = kms_.pipe().mode();
  return !mode || modesetDue_ || configuredMode_ != settings_.mode ||
         configuredRefresh_ != settings_.refreshMilliHertz ||
         kms_.connector().properties[ConnectorProperty::LinkStatus].value == DRM_MODE_LINK_STATUS_BAD;
}

bool Output::wants(const Mode& mode) const {
  const auto distance = std::abs(static_cast<int64_t>(mode.refreshMilliHertz) - settings_.refreshMilliHertz);
  return settings_.mode.width == 0 ||
         (mode.size == settings_.mode && (settings_.refreshMilliHertz == 0 || distance < 500));
}

std::vector<const Mode*> Output::modesToTry() const {
  std::vector<const Mode*> modes;
  for (const Mode& mode : kms_.connector().modes)
    modes.push_back(&mode);
  const auto isAskedFor = [this](const Mode* mode) { return settings_.mode.width != 0 && wants(*mode); };
  const auto rest = std::ranges::stable_partition(modes, isAskedFor);
  if (settings_.mode.width != 0 && rest.begin() == modes.begin()) {
    log("output").warn("{}: no mode {}x{}; taking the preferred one", kms_.connector().name, settings_.mode.width,
                       settings_.mode.height);
  }
  std::ranges::stable_partition(rest, [](const Mode* mode) { return mode->preferred; });
  return modes;
}

Result<KmsFrame> Output::firstPicture(const Mode& mode) {
  DmabufBuffer* buffer = composition_.current();
  // A modeset ends HDCP: the first picture of an external output has nothing protected in it.
  const bool hides = kms_.kind() != OutputKind::Internal && buffer != nullptr && buffer->dmabuf().noMap();
  if (buffer == nullptr || forgotten_ || buffer->dmabuf().size() != mode.size || hides) {
    if (auto made = makeBlack(mode.size, DRM_FORMAT_XRGB8888); !made) return std::unexpected(made.error());
    buffer = black_.get();
  }
  const auto& framebuffer = buffer->framebuffer(kms_.device(), true);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  KmsFrame frame;
  frame.planes.push_back(
      {.plane = &kms_.pipe().primary(),
       .framebufferId = framebuffer->id(),
       .lock = buffer->lock(),
       .source = SourceRect::whole(mode.size),
       .destination = {0, 0, static_cast<int32_t>(mode.size.width), static_cast<int32_t>(mode.size.height)}});
  return frame;
}

void Output::makePlanner() {
  planner_.emplace(PlannerOutput{.size = kms_.pipe().mode()->size,
                                 .primaryId = kms_.pipe().primary().id,
                                 .composedFourcc = composition_.current()->dmabuf().fourcc(),
                                 .composedModifier = composition_.current()->dmabuf().modifier(),
                                 .upperFourcc = DRM_FORMAT_ARGB8888,
                                 .upperModifier = composition_.current()->dmabuf().modifier()},
                   kms_.pipe().planes());
}

void Output::forgetVerdicts() {
  if (planner_) planner_->forget();
  composition_.forgetRefusal();
  upper_.forgetRefusal();
}

Result<> Output::tellWlroots() {
  const auto& mode = kms_.pipe().mode();
  wlr_output_state state;
  wlr_output_state_init(&state);
  wlr_output_state_set_enabled(&state, mode.has_value());
  if (mode) {
    wlr_output_state_set_mode(&state, kms_.wlrMode(*mode));
    wlr_output_state_set_scale(&state, settings_.scale);
    const Transform transform = settings_.transform.value_or(kms_.connector().panelTransform());
    wlr_output_state_set_transform(&state, static_cast<wl_output_transform>(transform));
  }
  const bool committed = wlr_output_commit_state(kms_.base(), &state);
  wlr_output_state_finish(&state);
  if (!committed) return invalid("settle", kms_.connector().name, "wlroots refused the mode; see the log above");
  return {};
}

Result<> Output::settle() {
  if (isSettled()) return {};
  const auto& mode = kms_.pipe().mode();
  if (mode) {
    // Alpha in the composed buffer makes underlays possible.
    const uint32_t fourcc =
        kms_.pipe().primary().hasFormat(DRM_FORMAT_ARGB8888) ? DRM_FORMAT_ARGB8888 : DRM_FORMAT_XRGB8888;
    const DmabufBuffer* current = composition_.current();
    if (current == nullptr || current->dmabuf().size() != mode->size) {
      if (auto allocated = composition_.allocate(mode->size, fourcc); !allocated) return allocated;
      upper_.free();
    }
    composition_.forgetRefusal();
    upper_.forgetRefusal();
  }
  if (auto told = tellWlroots(); !told) return told;
  modesetDue_ = false;
  configuredMode_ = settings_.mode;
  configuredRefresh_ = settings_.refreshMilliHertz;
  settledFor_ = kms_.pipe().modesetSerial();
  if (!mode) {
    emitChanged();
    return {};
  }
  log("output").info("{}: {}x{}@{:.3f} Hz", kms_.connector().name, mode->size.width, mode->size.height,
                     mode->refreshMilliHertz / 1000.0);
  makePlanner();
  hdcp_.linkRestarted(now());
  lastFlip_ = {.timestamp = now()};
  kms_.base()->frame_pending = false; // a modeset has no flip event
  wlr_output_schedule_frame(kms_.base());
  emitChanged();
  return {};
}

/** Makes `black_`, transparent where the format has alpha, so that holes for underlays are everywhere. The kernel clears it. */
Result<> Output::makeBlack(Size size, uint32_t fourcc) {
  if (black_ && black_->dmabuf().size() == size && black_->dmabuf().fourcc() == fourcc) return {};
  auto buffer = kms_.device().createDumbBuffer(size, fourcc);
  if (!buffer) return std::unexpected(buffer.error());
  black_.reset(DmabufBuffer::create(std::move(*buffer)));
  return {};
}

void Output::forgetPicture() {
  forgotten_ = true;
  forgetCaptures();
}

void Output::abandonFrame() {
  if (!kms_.flipPending()) return;
  wlr_output_event_present event{};
  event.commit_seq = kms_.base()->commit_seq;
  event.presented = false;
  wlr_output_send_present(kms_.base(), &event);
}

/** The lowest content type with which something on the output may be shown; Off: nothing needs HDCP. */
Hdcp Output::leastHdcp() const {
  Hdcp least = Hdcp::Off;
  for (const LayerSource& source : list_.sources()) {
    if (source.wantedHdcp != Hdcp::Off && (least == Hdcp::Off || source.wantedHdcp < least)) least = source.wantedHdcp;
  }
  return least;
}

/** Decides about the link's HDCP. The next frame acts on it: it shows what the link allows, and then asks the kernel. */
void Output::followHdcp() {
  if (kms_.kind() != OutputKind::External) return;
  const Connector& connector = kms_.connector();
  const Hdcp best = connector.properties.has(ConnectorProperty::HdcpContentType) ? Hdcp::Type1 : Hdcp::Type0;
  const ContentProtection property = connector.contentProtection();
  const Nanoseconds time = now();
  const bool changed = hdcp_.update({.least = leastHdcp(),
                                     .supported = property != ContentProtection::Unsupported ? best : Hdcp::Off,
                                     .property = property,
                                     .now = time});
  constexpr Nanoseconds millisecond = 1'000'000;
  const auto deadline = hdcp_.deadline();
  const Nanoseconds left = deadline ? std::max<Nanoseconds>(*deadline - time, 0) / millisecond + 1 : 0;
  hdcpTimer_.start(static_cast<int>(left));
  if (!changed) return;
  audit().info("output.hdcp output={} state={} request={} link={}", connector.name, hdcpStateName(hdcp_.state()),
               hdcpName(hdcp_.request()), hdcpName(hdcp_.link()));
  if (machine_.protectedContent != nullptr) machine_.protectedContent->update();
  wlr_output_schedule_frame(kms_.base());
}

/** After a frame: what is shown by then needs no more than the link has. */
void Output::askForHdcp() {
  const auto asked = kms_.pipe().askContentProtection(hdcp_.request());
  if (asked) return;
  log("output").warn("{}: HDCP: {}", kms_.connector().name, asked.error().text());
  hdcp_.requestFailed(now());
  followHdcp();
}

void Output::suspend() {
  abandonFrame();
  kms_.pipe().forget();
  composition_.suspend();
  upper_.free();
  if (planner_) planner_->forget();
  emitChanged();
}

Size Output::captureSize() const {
  const wlr_output& base = *kms_.base();
  if (!isSettled() || !base.enabled) return {};
  return {static_cast<uint32_t>(base.width), static_cast<uint32_t>(base.height)};
}

Nanoseconds Output::captureInterval() const {
  const int32_t milliHertz = kms_.base()->refresh;
  return milliHertz > 0 ? 1'000'000'000'000 / milliHertz : 16'666'667;
}

void Output::buildList(Nanoseconds time) {
  const wlr_output& base = *kms_.base();
  list_.build({.root = &machine_.scene.tree,
               .view = {sceneOutput_->x,
                        sceneOutput_->y,
                        base.scale,
                        static_cast<Transform>(base.transform),
                        {static_cast<uint32_t>(base.width), static_cast<uint32_t>(base.height)}},
               .cursor = &machine_.cursor.node,
               .facts = facts(),
               .planeUse = settings_.planes,
               .protectedRefusal = protectedRefusal(time),
               .planner = &*planner_,
               .time = time,
               .contentTypes = machine_.contentTypes});
}

CaptureSource::Picture Output::picture() {
  buildList(now());
  return {list_.layers(), list_.sources(), settings_.background};
}

} // namespace vitrine
