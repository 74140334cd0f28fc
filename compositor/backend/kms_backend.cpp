#include "compositor/backend/kms_backend.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <format>

#include "protected-path/base/log.h"
#include "protected-path/kms/pipe_allocation.h"

namespace vitrine {
namespace {

std::string deviceNode(dev_t number) {
  for (const std::string& node : KmsDevice::listNodes()) {
    struct stat status{};
    if (::stat(node.c_str(), &status) == 0 && status.st_rdev == number) return node;
  }
  return std::format("DRM device {}:{}", major(number), minor(number));
}

uint32_t crtcCount(const KmsDevice& device) {
  return static_cast<uint32_t>(device.crtcs().size());
}

/** The index of the CRTC that the kernel has this connector on. */
std::optional<uint32_t> currentCrtc(const KmsDevice& device, const Connector& connector) {
  const auto found =
      std::ranges::find(device.crtcs(), connector.properties[ConnectorProperty::CrtcId].value, &Crtc::id);
  return found != device.crtcs().end() ? std::optional(found->index) : std::nullopt;
}

} // namespace

const wlr_backend_impl KmsBackend::impl = {
    .start =
        [](wlr_backend* backend) {
          from(backend).started_ = true;
          from(backend).addOutputs();
          if (from(backend).onOutputsChanged) from(backend).onOutputsChanged();
          return true;
        },
    .destroy = [](wlr_backend* backend) { delete &from(backend); },
    .get_drm_fd = [](wlr_backend* backend) { return from(backend).device_->fd(); },
    .get_buffer_caps = [](wlr_backend*) -> uint32_t { return WLR_BUFFER_CAP_DMABUF; },
    .test = nullptr,
    .commit = nullptr,
};

Result<KmsBackend*> KmsBackend::create(wlr_session& session, wl_event_loop& loop) {
  wlr_device* candidates[8] = {};
  const ssize_t found = wlr_session_find_gpus(&session, std::size(candidates), candidates);
  std::string tried;
  KmsBackend* backend = nullptr;
  for (ssize_t i = 0; i < found; ++i) {
    wlr_device& candidate = *candidates[i];
    if (backend != nullptr) {
      wlr_session_close_file(&session, &candidate);
      continue;
    }
    auto fd = duplicateFd(candidate.fd); // the session keeps its own, to revoke and to close
    auto device = fd ? KmsDevice::open(std::move(*fd), deviceNode(candidate.dev))
                     : Result<std::unique_ptr<KmsDevice>>(std::unexpected(fd.error()));
    if (device) {
      backend = new KmsBackend(session, loop, candidate, std::move(*device));
    } else {
      tried += (tried.empty() ? "" : "; ") + device.error().text();
      wlr_session_close_file(&session, &candidate);
    }
  }
  if (backend != nullptr) return backend;
  return missing("open display", "seat " + std::string(session.seat),
                 tried.empty() ? "the session has no KMS device" : tried,
                 "check that /dev/dri/card* exists and belongs to this seat (loginctl seat-status)");
}

KmsBackend::KmsBackend(wlr_session& session, wl_event_loop& loop, wlr_device& sessionDevice,
                       std::unique_ptr<KmsDevice> device)
    : session_(session), loop_(loop), sessionDevice_(sessionDevice), device_(std::move(device)),
      primaries_(allocateFixedPlanes(device_->planes(), PlaneType::Primary, crtcCount(*device_))),
      cursors_(allocateFixedPlanes(device_->planes(), PlaneType::Cursor, crtcCount(*device_))),
      overlayOwners_(device_->planes().size()) {
  wlr_backend_init(&base_, &impl);
  events_ = wl_event_loop_add_fd(
      &loop_, device_->fd(), WL_EVENT_READABLE,
      [](int, uint32_t, void* data) {
        static_cast<KmsBackend*>(data)->dispatch();
        return 0;
      },
      this);
  deviceChanged_.connect(sessionDevice_.events.change, [this](wlr_device_change_event* event) {
    // While switched away the kernel would not probe, and nothing could be lit: the way back reads all connectors.
    if (!session_.active || (event != nullptr && event->type != WLR_DEVICE_HOTPLUG)) return;
    const uint32_t connector = event != nullptr ? event->hotplug.connector_id : 0;
    const bool ofProperty = event != nullptr && event->hotplug.prop_id != 0; // HDCP, link status
    if (ofProperty && connector != 0) return followProperties(connector);
    rescan(connector != 0 ? KmsDevice::Probe::One : KmsDevice::Probe::All, connector);
  });
  deviceRemoved_.connect(sessionDevice_.events.remove, [this](void*) { loseDevice(); });
  sessionGone_.connect(session_.events.destroy, [this](void*) {
    sessionIsGone_ = true; // and closes its devices
    deviceChanged_.disconnect();
    deviceRemoved_.disconnect();
  });
  log("backend").info("display: {} ({})", device_->node(), device_->driverName());
}

KmsBackend::~KmsBackend() {
  // Outputs first: they turn their CRTC off through the device.
  while (!outputs_.empty())
    wlr_output_destroy(outputs_.back()->base());
  wlr_backend_finish(&base_);
  deviceChanged_.disconnect();
  deviceRemoved_.disconnect();
  sessionGone_.disconnect();
  if (events_ != nullptr) wl_event_source_remove(events_);
  if (shareLater_ != nullptr) wl_event_source_remove(shareLater_);
  device_.reset();
  if (!sessionIsGone_) wlr_session_close_file(&session_, &sessionDevice_);
}

uint32_t KmsBackend::usableCrtcs() const {
  uint32_t usable = 0;
  for (const Crtc& crtc : device_->crtcs())
    usable |= primaries_[crtc.index] != nullptr ? 1U << crtc.index : 0;
  return usable;
}

std::vector<Plane> KmsBackend::planesOf(const Crtc& crtc) const {
  std::vector<Plane> planes = {*primaries_[crtc.index]};
  for (size_t i = 0; i < overlayOwners_.size(); ++i) {
    if (overlayOwners_[i] == crtc.index) planes.push_back(device_->planes()[i]);
  }
  if (cursors_[crtc.index] != nullptr) planes.push_back(*cursors_[crtc.index]);
  return planes;
}

void KmsBackend::addOutputs() {
  std::vector<const Connector*> added;
  std::vector<ConnectorWish> wishes;
  for (KmsOutput* output : outputs_) // those that are on stay where they are
    wishes.push_back({1U << output->crtc().index, output->crtc().index});
  for (const Connector& connector : device_->connectors()) {
    const bool known =
        std::ranges::any_of(outputs_, [&](KmsOutput* output) { return output->connector().id == connector.id; });
    if (!connector.isUsable() || known) continue;
    added.push_back(&connector);
    wishes.push_back({connector.possibleCrtcs, currentCrtc(*device_, connector)});
  }
  if (added.empty()) return;
  const auto crtcs = allocateCrtcs(wishes, usableCrtcs());
  std::vector<KmsOutput*> made;
  const size_t known = outputs_.size();
  for (size_t i = 0; i < added.size(); ++i) {
    const auto index = crtcs[known + i];
    if (!index) {
      log("backend").warn("{}: connected, but no CRTC with a primary plane is free for it", added[i]->name);
      continue;
    }
    const Crtc& crtc = device_->crtcs()[*index];
    auto* output = new KmsOutput(*device_, *added[i], crtc, {*primaries_[*index]}, base_, loop_);
    outputs_.push_back(output);
    made.push_back(output);
    output->onDestroyed = [this, output] { std::erase(outputs_, output); };
    output->onDemandChanged = [this] { sharePlanesLater(); };
  }
  sharePlanes();
  for (KmsOutput* output : made)
    wl_signal_emit_mutable(&base_.events.new_output, output->base());
}

/** Not within the frame that found out what it needs. */
void KmsBackend::sharePlanesLater() {
  if (shareLater_ != nullptr || outputs_.size() < 2) return;
  shareLater_ = wl_event_loop_add_idle(
      &loop_,
      [](void* data) {
        auto* self = static_cast<KmsBackend*>(data);
        self->shareLater_ = nullptr;
        self->sharePlanes();
      },
      this);
}

/** Divides the overlays among the outputs. One that another output may still show follows after that output's next flip. */
void KmsBackend::sharePlanes() {
  std::vector<OverlayDemand> demands;
  for (KmsOutput* output : outputs_)
    demands.push_back({output->crtc().index, output->mandatoryLayers(), output->mandatoryLayers()});
  const auto wanted = allocateOverlays(device_->planes(), demands, overlayOwners_);
  awaitsRelease_ = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (overlayOwners_[i] != wanted[i]) overlayOwners_[i].reset();
  }
  const auto apply = [this] {
    for (KmsOutput* output : outputs_) {
      auto planes = planesOf(output->crtc());
      if (!std::ranges::equal(planes, output->pipe().planes(), {}, &Plane::id, &Plane::id))
        output->setPlanes(std::move(planes));
    }
  };
  apply(); // first what is given up
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Plane& plane = device_->planes()[i];
    const bool shown =
        std::ranges::any_of(outputs_, [&](KmsOutput* output) { return output->pipe().isReleasing(plane); });
    if (!shown) overlayOwners_[i] = wanted[i];
    awaitsRelease_ = awaitsRelease_ || shown;
  }
  apply();
}

void KmsBackend::rescan(KmsDevice::Probe probe, uint32_t connector) {
  if (auto scanned = device_->rescanConnectors(probe, connector); !scanned)
    log("backend").warn("{}", scanned.error().text());
  const auto outputs = outputs_; // destroying one changes the list
  for (KmsOutput* output : outputs) {
    const auto& connectors = device_->connectors();
    const auto now = std::ranges::find(connectors, output->connector().id, &Connector::id);
    const bool connected = now != connectors.end() && now->isUsable();
    if (connected && now->isSameMonitor(output->connector())) {
      output->setConnector(*now);
      continue;
    }
    log("backend").info("{}: {}", output->connector().name, connected ? "another monitor" : "disconnected");
    wlr_output_destroy(output->base());
  }
  sharePlanes();
  if (started_) addOutputs();
  if (onOutputsChanged) onOutputsChanged();
}

/** A property of a connector has another value. Its output decides what follows. */
void KmsBackend::followProperties(uint32_t connectorId) {
  if (auto read = device_->rereadProperties(connectorId); !read) {
    log("backend").warn("{}", read.error().text());
    return rescan(KmsDevice::Probe::None);
  }
  const Connector& now = *std::ranges::find(device_->connectors(), connectorId, &Connector::id);
  const auto output = std::ranges::find(outputs_, connectorId, [](KmsOutput* each) { return each->connector().id; });
  if (output == outputs_.end()) return;
  (*output)->setConnector(now);
  const bool needsModeset = now.properties[ConnectorProperty::LinkStatus].value == DRM_MODE_LINK_STATUS_BAD;
  if (needsModeset && onOutputsChanged) onOutputsChanged();
}

/** The device is gone for good (unplugged, driver unbound): so are its outputs. The session goes on without them. */
void KmsBackend::loseDevice() {
  if (events_ == nullptr) return;
  log("backend").error("{}: the display device is gone; nothing can be shown until vitrine is started again",
                       device_->node());
  wl_event_source_remove(std::exchange(events_, nullptr)); // its fd stays readable
  deviceChanged_.disconnect();
  started_ = false;
  while (!outputs_.empty())
    wlr_output_destroy(outputs_.back()->base());
}

void KmsBackend::dispatch() {
  const auto done = device_->dispatchEvents([this](const FlipEvent& flip) {
    // The output whose flip it is may remove outputs: the search has ended then.
    static_cast<void>(std::ranges::any_of(outputs_, [&](KmsOutput* output) { return output->handleFlip(flip); }));
    if (awaitsRelease_) sharePlanes();
  });
  if (done) return;
  log("backend").warn("{}", done.error().text());
  if (done.error().number == ENODEV) loseDevice();
}

} // namespace vitrine
