#include "compositor/output/output.h"

#include <algorithm>
#include <format>

#include "protected-path/base/log.h"
#include "protected-path/kms/signalled_fence.h"
#include "protected-path/planes/layer_fit.h"

namespace vitrine {
namespace {

constexpr int retryMilliseconds = 100; ///< not at once: what failed because memory was short would fail again

/** The kernel is still at work for an earlier commit: the same one will do after it. Nothing speaks against what it showed. */
bool isBusy(const Error& error) {
  return error.kind == ErrorKind::System && (error.number == EBUSY || error.number == EINTR || error.number == EAGAIN);
}

/** A layer's box and source cut to the output: planes of most controllers cannot pass its edges. */
bool clipToOutput(const Layer& layer, const Rect& screen, Rect& destination, SourceRect& source) {
  destination = layer.destination;
  source = layer.source;
  if (screen.contains(layer.destination)) return true;
  if (layer.transform != Transform::Normal) return true; // left to the hardware's own clipping
  destination = intersect(layer.destination, screen);
  if (destination.empty()) return false;
  const double scaleX = source.width.toDouble() / layer.destination.width;
  const double scaleY = source.height.toDouble() / layer.destination.height;
  source.x = Fixed16_16::fromDouble(source.x.toDouble() + (destination.x - layer.destination.x) * scaleX);
  source.y = Fixed16_16::fromDouble(source.y.toDouble() + (destination.y - layer.destination.y) * scaleY);
  source.width = Fixed16_16::fromDouble(destination.width * scaleX);
  source.height = Fixed16_16::fromDouble(destination.height * scaleY);
  return true;
}

std::string applicationOf(wlr_surface* surface) {
  if (surface == nullptr) return {};
  wlr_surface* window = wlr_surface_get_root_surface(surface);
  const wlr_xwayland_surface* x11 = wlr_xwayland_surface_try_from_wlr_surface(window);
  if (x11 != nullptr) return x11->class_ != nullptr ? x11->class_ : "";
  const wlr_xdg_surface* xdg = wlr_xdg_surface_try_from_wlr_surface(window);
  const bool named = xdg != nullptr && xdg->role == WLR_XDG_SURFACE_ROLE_TOPLEVEL && xdg->toplevel != nullptr &&
                     xdg->toplevel->app_id != nullptr;
  return named ? xdg->toplevel->app_id : "";
}

} // namespace

Output::Output(KmsOutput& kms, const Machine& machine, OutputSettings settings)
    : kms_(kms), machine_(machine), settings_(settings),
      sceneOutput_(wlr_scene_output_create(&machine.scene, kms.base())),
      list_(kms.device(), machine.renderer, machine.colors),
      composition_(machine.renderer, machine.buffers, settings.background),
      upper_(machine.renderer, machine.buffers, settings.background, Composition::Place::Above),
      wakeUp_(*kms.base()->event_loop, *this, [](Output& self) { wlr_output_schedule_frame(self.kms_.base()); }),
      hdcpTimer_(*kms.base()->event_loop, *this, [](Output& self) { self.followHdcp(); }) {
  if (auto fence = signalledFence(kms.device())) {
    signalledFence_ = std::move(*fence);
  } else {
    log("output").info("{}; planes wait for implicit fences", fence.error().text());
  }
  test_ = [this](const FramePlan& plan) {
    return fillKmsFrame(plan, Use::Test, testFrame_).and_then([this] { return kms_.test(testFrame_); });
  };
  kms_.onPresented = [this](const Presented& presented) { onPresented(presented); };
  kms_.onPlanesChanged = [this] {
    if (!isSettled() || !kms_.base()->enabled) return;
    makePlanner();
    wlr_output_schedule_frame(kms_.base());
  };
  kms_.onConnectorChanged = [this] {
    followHdcp();
    wlr_output_schedule_frame(kms_.base());
  };
  frameListener_.connect(kms_.base()->events.frame, [this](void*) { onFrame(); });
}

Output::~Output() {
  kms_.onPresented = nullptr;
  kms_.onPlanesChanged = nullptr;
  kms_.onConnectorChanged = nullptr;
}

void Output::onFrame() {
  wlr_output& output = *kms_.base();
  if (!isSettled() || !output.enabled || kms_.flipPending()) return;
  if (!output.needs_frame) return;
  const Nanoseconds time = now();
  if (!showFrame(time)) {
    const auto refresh = static_cast<int>(captureInterval() / 1'000'000);
    wakeUp_.start(busy_ ? refresh : retryMilliseconds << std::min(failures_++, 5));
    return;
  }
  failures_ = 0;
  busy_ = false;
  timespec when = toTimespec(time);
  wlr_scene_output_send_frame_done(sceneOutput_, &when);
  machine_.preparation.frameShown();
  emitChanged();
}

bool Output::showFrame(Nanoseconds time) {
  if (!submitWithFallback(time)) return false;
  forgotten_ = false;
  const Nanoseconds interval = captureInterval();
  const auto vblanks = static_cast<uint32_t>(std::max<Nanoseconds>(time - lastFlip_.timestamp, 0) / interval) + 1;
  expectedSequence_ = lastFlip_.sequence + vblanks;
  counters_.framesRendered += !showsBlack_ && (composition_.rendered() || upper_.rendered()) ? 1 : 0;
  scheduleWakeUp(time);
  reportSurfaces();
  tellOutcomes();
  reportDemand();
  followHdcp();
  askForHdcp();
  return announceCommit();
}

bool Output::submitWithFallback(Nanoseconds time) {
  // Each failure takes something away that the next attempt does without: planes, protected memory, in the end both.
  for (int attempt = 0; attempt < 6; ++attempt) {
    if (std::exchange(epoch_, kms_.device().epoch()) != kms_.device().epoch()) planner_->forget();
    buildList(time);
    planner_->plan(list_.layers(), time, test_, plan_);
    if (auto composed = compose(time); !composed) {
      log("output").warn("{}: {}", kms_.connector().name, composed.error().text());
      if (!recoverFrom(composed.error(), time)) return false;
      continue;
    }
    const auto submitted = fillKmsFrame(plan_, Use::Commit, frame_).and_then([this] { return kms_.submit(frame_); });
    if (submitted) {
      for (const ComposedBuffer& buffer : plan_.composed())
        if (!showsBlack_) (buffer.bottom ? composition_ : upper_).wasShown();
      return true;
    }
    if (!fallBack(submitted.error())) return false;
  }
  return false;
}

/**
 * Brings the buffers of composed content up to date. Without a GPU, what it would have composed is black: planes go on,
 * and so do input, clients and the session.
 */
Result<> Output::compose(Nanoseconds time) {
  showsBlack_ = !machine_.gpu.isUsable(time);
  if (showsBlack_) {
    const DmabufBuffer& replaced = *composition_.current();
    return makeBlack(replaced.dmabuf().size(), replaced.dmabuf().fourcc());
  }
  constexpr Nanoseconds keepUnused = 10'000'000'000;
  if (std::ranges::contains(plan_.composed(), false, &ComposedBuffer::bottom)) upperLastUsed_ = time;
  if (upper_.isAllocated() && time - upperLastUsed_ > keepUnused) upper_.free();
  for (const ComposedBuffer& buffer : plan_.composed()) {
    if (auto ready = compositionFor(buffer); !ready) return std::unexpected(ready.error());
  }
  for (Composition* composition : {&composition_, &upper_}) {
    if (!composition->isAllocated()) continue;
    if (auto done = composition->render(list_.layers(), list_.sources(), plan_, time); !done) return done;
  }
  return {};
}

/** The composition that fills a buffer of a plan. The upper one gets its memory when a plan first asks for it. */
Result<Composition*> Output::compositionFor(const ComposedBuffer& buffer) {
  if (buffer.bottom) return &composition_;
  if (upper_.isAllocated()) return &upper_;
  if (auto allocated = upper_.allocate(kms_.pipe().mode()->size, DRM_FORMAT_ARGB8888); !allocated) {
    return std::unexpected(allocated.error());
  }
  return &upper_;
}

/** Why this output cannot compose in protected memory just now, or None. */
Refusal Output::protectedRefusal(Nanoseconds time) const {
  const Refusal bottom = composition_.protectedRefusal(time);
  return bottom != Refusal::None ? bottom : upper_.protectedRefusal(time);
}

/** After composition failed: whether another attempt may do better. */
bool Output::recoverFrom(const Error& error, Nanoseconds time) {
  if (!isDeviceLost(error)) return protectedRefusal(time) != Refusal::None;
  counters_.gpuResets++;
  // Either way the frame is shown: composed, or with black in its place.
  static_cast<void>(machine_.gpu.recover(time));
  return true;
}

/** After a real commit failed (R7): gives up what it used beyond the ordinary primary, false where that was all. */
bool Output::fallBack(const Error& error) {
  const bool usesPlanes = plan_.planesUsed() > 0;
  const bool usesProtected = plan_.composes() && inProtectedMemory();
  busy_ = isBusy(error);
  const bool lostDisplay = error.kind == ErrorKind::System && error.number == EACCES;
  const char* without = usesPlanes ? "; showing this frame without those planes" : "; without protected composition";
  log("output").warn("{}: {}{}", kms_.connector().name, error.text(),
                     lostDisplay || busy_ || !(usesPlanes || usesProtected) ? "" : without);
  if (lostDisplay || busy_) return false;
  if (usesPlanes) {
    planner_->commitFailed(list_.layers(), plan_, isTransient(error));
  } else if (usesProtected) {
    const Nanoseconds until = isTransient(error) ? now() + Composition::protectedRetry : Composition::forGood;
    for (Composition* composition : {&composition_, &upper_})
      composition->refuseProtected(Refusal::PlaneCommitFailed, until);
  }
  if (usesPlanes || usesProtected) return true;
  if (!isTransient(error) && !std::exchange(modesetDue_, true) && onModesetDue) onModesetDue();
  return false;
}

void Output::scheduleWakeUp(Nanoseconds time) {
  constexpr Nanoseconds millisecond = 1'000'000;
  const auto earlier = [](Nanoseconds a, Nanoseconds b) { return a == 0 || (b != 0 && b < a) ? b : a; };
  const Nanoseconds again = planner_->isProvisional() ? time + retryMilliseconds * millisecond : planner_->retryAt();
  const Nanoseconds at =
      earlier(earlier(composition_.wakeUpAt(), upper_.wakeUpAt()), earlier(machine_.gpu.nextAttempt(), again));
  wakeUp_.start(at == 0 ? 0 : static_cast<int>(std::max<Nanoseconds>(at - time, 0) / millisecond + 1));
}

/** A plane of a plan, which the planner has from there. */
const Plane* Output::planeOf(uint32_t id) const {
  return &*std::ranges::find(kms_.pipe().planes(), id, &Plane::id);
}

Result<> Output::addPlane(const Layer& layer, const LayerSource& source, const LayerOutcome& outcome, Use use,
                          KmsFrame& frame) const {
  PlaneContent content;
  content.plane = planeOf(outcome.planeId);
  content.zpos = outcome.zpos;
  const Rect screen{0, 0, kms_.base()->width, kms_.base()->height};
  if (content.plane->type == PlaneType::Cursor && !needsScaling(layer)) {
    // Cursor planes take their image whole, and cut it at the output's edges themselves.
    content.destination = layer.destination;
    content.source = layer.source;
  } else if (!clipToOutput(layer, screen, content.destination, content.source)) {
    return {};
  }
  const FormatInfo& format = source.dmabuf->dmabuf().format();
  const bool opaque = outcome.opaqueFormat;
  const auto& framebuffer = source.dmabuf->framebuffer(kms_.device(), opaque);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  if (use == Use::Commit) content.lock = source.dmabuf->lock();
  content.framebufferId = framebuffer->id();
  content.transform = layer.transform;
  content.alpha = layer.alpha;
  content.blends = format.hasAlpha && !opaque;
  content.isYuv = format.isYuv;
  content.encoding = layer.encoding;
  content.range = layer.range;
  content.inFence = signalledFence_.get();
  frame.planes.push_back(std::move(content));
  return {};
}

/** An error says that the plan cannot be shown just now, as one of the commit itself does. */
Result<> Output::fillKmsFrame(const FramePlan& plan, Use use, KmsFrame& frame) {
  frame.planes.clear();
  for (const ComposedBuffer& buffer : plan.composed()) {
    if (showsBlack_ && !buffer.bottom) continue;
    const auto composition = compositionFor(buffer);
    if (!composition) return std::unexpected(composition.error());
    DmabufBuffer& composed = showsBlack_ ? *black_ : *(*composition)->current();
    const auto& framebuffer = composed.framebuffer(kms_.device(), !buffer.blends);
    if (!framebuffer) return std::unexpected(framebuffer.error());
    frame.planes.push_back({.plane = planeOf(buffer.planeId),
                            .framebufferId = framebuffer->id(),
                            .lock = use == Use::Commit ? composed.lock() : ScanoutLock(),
                            .source = SourceRect::whole(composed.dmabuf().size()),
                            .destination = {0, 0, kms_.base()->width, kms_.base()->height},
                            .blends = buffer.blends,
                            .inFence = showsBlack_ ? -1 : (*composition)->currentFence(),
                            .zpos = buffer.zpos,
                            .content = showsBlack_ ? nullptr : *composition,
                            .damage = (*composition)->changes()});
  }
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    if (plan.layers[i].path != Path::Plane) continue;
    if (auto added = addPlane(list_.layers()[i], list_.sources()[i], plan.layers[i], use, frame); !added) return added;
  }
  return {};
}

bool Output::announceCommit() {
  wlr_output& output = *kms_.base();
  for (size_t i = 0; i < plan_.layers.size(); ++i) {
    const LayerSource& source = list_.sources()[i];
    if (source.surface == nullptr || source.sceneBuffer->primary_output != sceneOutput_) continue;
    if (plan_.layers[i].path == Path::Plane) {
      wlr_presentation_surface_scanned_out_on_output(source.surface, &output);
    } else {
      wlr_presentation_surface_textured_on_output(source.surface, &output);
    }
  }
  wlr_output_state state;
  wlr_output_state_init(&state);
  const bool committed = wlr_output_commit_state(&output, &state);
  wlr_output_state_finish(&state);
  kms_.setCommitSequence(output.commit_seq);
  return committed;
}

void Output::onPresented(const Presented& presented) {
  counters_.framesPresented++;
  const FlipEvent& flip = presented.flip;
  if (lastFlip_.sequence != 0 && flip.sequence > expectedSequence_) {
    counters_.framesMissed += flip.sequence - expectedSequence_;
  }
  lastFlip_ = flip;
  composition_.releaseRetired();
  upper_.releaseRetired();
  if (!showsBlack_) black_.reset();
  wlr_output& output = *kms_.base();
  timespec when = toTimespec(flip.timestamp);
  wlr_output_event_present event{};
  event.commit_seq = presented.commitSequence;
  event.presented = true;
  event.when = &when;
  event.seq = flip.sequence;
  event.refresh = static_cast<int>(captureInterval());
  event.flags = WLR_OUTPUT_PRESENT_VSYNC | WLR_OUTPUT_PRESENT_HW_CLOCK | WLR_OUTPUT_PRESENT_HW_COMPLETION |
                WLR_OUTPUT_PRESENT_ZERO_COPY; // wlroots masks it for surfaces that were composed
  wlr_output_send_present(&output, &event);
  wlr_output_send_frame(&output);
}

void Output::reportSurfaces() {
  for (size_t i = 0; i < plan_.layers.size(); ++i) {
    if (list_.layers()[i].protectedContent) reportSurface(list_.layers()[i], list_.sources()[i], plan_.layers[i]);
  }
}

void Output::tellOutcomes() {
  if (machine_.protectedContent == nullptr) return;
  for (size_t i = 0; i < plan_.layers.size(); ++i) {
    const LayerSource& source = list_.sources()[i];
    if (source.surface == nullptr) continue;
    machine_.protectedContent->onOutcome(*source.surface, *kms_.base(), source.evidence, plan_.layers[i]);
  }
}

OutputProtection Output::protection() const {
  OutputProtection known{
      .output = kms_.base(), .facts = facts(), .planes = {}, .composes = settings_.planes != PlaneUse::PlaneOnly};
  if (settings_.planes == PlaneUse::CompositeOnly) return known;
  for (const Plane& plane : kms_.pipe().planes())
    if (plane.type != PlaneType::Cursor) known.planes.push_back(&plane);
  return known;
}

void Output::reportDemand() {
  const auto isMandatory = [](const Layer& layer) {
    return layer.protectedContent && layer.showRefusal == Refusal::None && layer.composeRefusal != Refusal::None;
  };
  kms_.setMandatoryLayers(static_cast<unsigned>(std::ranges::count_if(list_.layers(), isMandatory)));
}

void Output::reportSurface(const Layer& layer, const LayerSource& source, const LayerOutcome& outcome) {
  const auto known = reportOf_.find(layer.id);
  SurfaceReport* report = known != reportOf_.end() ? &reports_[known->second] : nullptr;
  const bool same = report != nullptr && report->outcome.path == outcome.path &&
                    report->outcome.refusal == outcome.refusal && report->composeRefusal == layer.composeRefusal &&
                    report->evidence == source.evidence;
  if (same) {
    report->frames++;
    report->outcome = outcome;
    return;
  }
  // A new outcome is a new line of the report, and of the audit log.
  constexpr size_t maximumReports = 256;
  if (reports_.size() >= maximumReports) {
    reports_.clear();
    reportOf_.clear();
  }
  reports_.push_back({applicationOf(source.surface), source.evidence, outcome, layer.composeRefusal,
                      source.dmabuf->dmabuf().describe(), 1});
  reportOf_[layer.id] = reports_.size() - 1;
  audit().info("surface.path output={} app={} path={} refusal={} compose_refusal={} evidence={} plane={}{}",
               kms_.connector().name, reports_.back().application, pathName(outcome.path), refusalName(outcome.refusal),
               refusalName(layer.composeRefusal), evidenceName(source.evidence), outcome.planeId,
               outcome.underlay ? " underlay" : "");
}

} // namespace vitrine
