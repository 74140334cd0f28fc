#include "compositor/backend/kms_backend.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <format>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

std::string deviceNode(dev_t number) {
  for (const std::string& node : KmsDevice::listNodes()) {
    struct stat status{};
    if (::stat(node.c_str(), &status) == 0 && status.st_rdev == number) return node;
  }
  return std::format("DRM device {}:{}", major(number), minor(number));
}

const Crtc* freeCrtc(const KmsDevice& device, const Connector& connector, const std::vector<KmsOutput*>& outputs) {
  for (const Crtc& crtc : device.crtcs()) {
    const bool possible = (connector.possibleCrtcs & (1U << crtc.index)) != 0;
    const bool taken = std::ranges::any_of(outputs, [&](KmsOutput* output) { return output->crtc().id == crtc.id; });
    if (possible && !taken) return &crtc;
  }
  return nullptr;
}

} // namespace

const wlr_backend_impl KmsBackend::impl = {
    .start =
        [](wlr_backend* backend) {
          from(backend).started_ = true;
          from(backend).addOutputs();
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
    : session_(session), loop_(loop), sessionDevice_(sessionDevice), device_(std::move(device)) {
  wlr_backend_init(&base_, &impl);
  events_ = wl_event_loop_add_fd(
      &loop_, device_->fd(), WL_EVENT_READABLE,
      [](int, uint32_t, void* data) {
        static_cast<KmsBackend*>(data)->dispatch();
        return 0;
      },
      this);
  deviceChanged_.connect(sessionDevice_.events.change, [this](wlr_device_change_event* event) {
    if (event == nullptr || event->type == WLR_DEVICE_HOTPLUG) rescan();
  });
  log("backend").info("display: {} ({})", device_->node(), device_->driverName());
}

KmsBackend::~KmsBackend() {
  // Outputs first: they turn their CRTC off through the device.
  while (!outputs_.empty())
    wlr_output_destroy(outputs_.back()->base());
  wlr_backend_finish(&base_);
  deviceChanged_.disconnect();
  wl_event_source_remove(events_);
  device_.reset();
  wlr_session_close_file(&session_, &sessionDevice_);
}

void KmsBackend::addOutputs() {
  for (const Connector& connector : device_->connectors()) {
    const bool known =
        std::ranges::any_of(outputs_, [&](KmsOutput* output) { return output->connector().id == connector.id; });
    if (!connector.connected || connector.writeback || connector.modes.empty() || known) continue;
    const Crtc* crtc = freeCrtc(*device_, connector, outputs_);
    if (crtc == nullptr) {
      log("backend").warn("{}: connected, and no CRTC is free for it", connector.name);
      continue;
    }
    auto* output = new KmsOutput(*device_, connector, *crtc, base_, loop_);
    if (output->primaryPlane() == nullptr) {
      log("backend").warn("{}: CRTC {} has no primary plane", connector.name, crtc->id);
      wlr_output_destroy(output->base());
      continue;
    }
    outputs_.push_back(output);
    output->onDestroyed = [this, output] { std::erase(outputs_, output); };
    wl_signal_emit_mutable(&base_.events.new_output, output->base());
  }
}

void KmsBackend::rescan() {
  if (auto scanned = device_->rescanConnectors(); !scanned) {
    log("backend").warn("{}", scanned.error().text());
    return;
  }
  const auto outputs = outputs_; // destroying one changes the list
  for (KmsOutput* output : outputs) {
    const auto& connectors = device_->connectors();
    const auto now = std::ranges::find(connectors, output->connector().id, &Connector::id);
    if (now != connectors.end() && now->connected) continue;
    log("backend").info("{}: disconnected", output->connector().name);
    wlr_output_destroy(output->base());
  }
  if (started_) addOutputs();
}

void KmsBackend::dispatch() {
  const auto done = device_->dispatchEvents([this](const FlipEvent& flip) {
    for (KmsOutput* output : outputs_) {
      if (output->crtc().id == flip.crtcId || output->crtc().id == flip.userData) {
        output->handleFlip(flip);
        return;
      }
    }
  });
  if (!done) log("backend").warn("{}", done.error().text());
}

} // namespace vitrine
