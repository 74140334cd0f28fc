#include "compositor/backend/kms_output.h"

#include <xf86drmMode.h>

#include <algorithm>
#include <format>

#include "protected-path/base/log.h"
#include "protected-path/kms/modeset.h"

namespace vitrine {

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
    .get_gamma_size = [](wlr_output* output) -> size_t { return from(output)->pipe().gammaSize(); },
    .get_cursor_formats = nullptr,
    .get_cursor_sizes = nullptr,
    .get_primary_formats = [](wlr_output* output, uint32_t) -> const wlr_drm_format_set* {
      return &from(output)->primaryFormats_;
    },
};

KmsOutput::KmsOutput(KmsDevice& device, const Connector& connector, const Crtc& crtc, std::vector<Plane> planes,
                     wlr_backend& backend, wl_event_loop& loop)
    : device_(device), pipe_(device, connector, crtc, std::move(planes)) {
  wlr_output_init(&base_, &backend, &impl, &loop, nullptr);
  wlr_output_set_name(&base_, connector.name.c_str());
  wlr_output_set_description(&base_, std::format("{} on {}", connector.name, device_.driverName()).c_str());
  base_.phys_width = static_cast<int32_t>(connector.physicalSizeMillimetres.width);
  base_.phys_height = static_cast<int32_t>(connector.physicalSizeMillimetres.height);
  addModes();
  for (const FormatModifier& format : pipe_.primary().formats)
    wlr_drm_format_set_add(&primaryFormats_, format.fourcc, format.modifier);
}

KmsOutput::~KmsOutput() {
  if (auto gone = std::exchange(onGone, nullptr)) gone(); // the closure outlives its owner
  if (onDestroyed) onDestroyed();
  if (pipe_.mode()) {
    Modeset modeset(device_);
    modeset.turnOff(pipe_);
    if (auto off = modeset.commit(); !off) log("backend").warn("turn off {}: {}", connector().name, off.error().text());
  }
  wlr_drm_format_set_finish(&primaryFormats_);
}

KmsOutput* KmsOutput::from(wlr_output* output) {
  return output != nullptr && output->impl == &impl ? reinterpret_cast<KmsOutput*>(output) : nullptr;
}

void KmsOutput::addModes() {
  wlrModes_.resize(connector().modes.size()); // never again: wlroots keeps links into it
  for (size_t i = 0; i < wlrModes_.size(); ++i) {
    const Mode& mode = connector().modes[i];
    wlr_output_mode& entry = wlrModes_[i];
    entry.width = static_cast<int32_t>(mode.size.width);
    entry.height = static_cast<int32_t>(mode.size.height);
    entry.refresh = static_cast<int32_t>(mode.refreshMilliHertz);
    entry.preferred = mode.preferred;
    wl_list_insert(base_.modes.prev, &entry.link);
  }
}

wlr_output_mode* KmsOutput::wlrMode(const Mode& mode) {
  const auto found = std::ranges::find(connector().modes, mode.raw, &Mode::raw);
  return found != connector().modes.end() ? &wlrModes_[static_cast<size_t>(found - connector().modes.begin())]
                                          : nullptr;
}

void KmsOutput::setConnector(const Connector& connector) {
  pipe_.setConnector(connector);
  if (onConnectorChanged) onConnectorChanged();
}

void KmsOutput::setPlanes(std::vector<Plane> planes) {
  pipe_.setPlanes(std::move(planes));
  if (onPlanesChanged) onPlanesChanged();
}

OutputKind KmsOutput::kind() const {
  switch (connector().type) {
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
  // The mode and the frame went to the kernel before: what is left is wlroots' bookkeeping. It must not say more than there is.
  const bool enable = (state.committed & WLR_OUTPUT_STATE_ENABLED) != 0 ? state.enabled : base_.enabled;
  if (enable == pipe_.mode().has_value()) return true;
  log("backend").error("{}: wlroots takes it for {}, the kernel does not", connector().name, enable ? "on" : "off");
  return false;
}

void KmsOutput::setMandatoryLayers(unsigned count) {
  if (std::exchange(mandatoryLayers_, count) != count && onDemandChanged) onDemandChanged();
}

bool KmsOutput::handleFlip(const FlipEvent& flip) {
  if (!pipe_.handleFlip(flip)) return false;
  if (onPresented) onPresented({pendingSequence_, flip});
  return true;
}

} // namespace vitrine
