#include "tests/board/plane-bench/saved_display.h"

#include <format>

#include "protected-path/kms/drm_pointer.h"

namespace vitrine::bench {
namespace {

using P = PlaneProperty;

constexpr P planeProperties[] = {P::FbId,  P::CrtcId, P::SrcX,  P::SrcY, P::SrcW,  P::SrcH,           P::CrtcX,
                                 P::CrtcY, P::CrtcW,  P::CrtcH, P::Zpos, P::Alpha, P::PixelBlendMode, P::Rotation};

} // namespace

Result<SavedDisplay> SavedDisplay::save(const KmsDevice& device) {
  SavedDisplay saved(device);
  for (const Crtc& crtc : device.crtcs()) {
    const uint64_t id = crtc.properties[CrtcProperty::ModeId].value;
    if (id != 0) {
      const DrmPointer<drmModePropertyBlobRes> mode(drmModeGetPropertyBlob(device.fd(), static_cast<uint32_t>(id)));
      if (!mode) return systemError("DRM_IOCTL_MODE_GETPROPBLOB", std::format("blob {}", id));
      auto copy = PropertyBlob::create(device, mode->data, mode->length);
      if (!copy) return std::unexpected(copy.error());
      saved.modes_.push_back(std::move(*copy));
    }
    saved.modeIds_.push_back(id != 0 ? saved.modes_.back().id() : 0);
  }
  return saved;
}

Result<> SavedDisplay::restore() const {
  AtomicCounters counters;
  AtomicRequest request(device_, counters);
  for (const Plane& plane : device_.planes()) {
    for (const P name : planeProperties) {
      const KmsPropertyInfo& property = plane.properties[name];
      if (property.id != 0 && !property.immutable) request.set(plane, name, property.value);
    }
  }
  for (size_t i = 0; i < device_.crtcs().size(); ++i) {
    const Crtc& crtc = device_.crtcs()[i];
    request.set(crtc, CrtcProperty::ModeId, modeIds_[i]);
    request.set(crtc, CrtcProperty::Active, crtc.properties[CrtcProperty::Active].value);
  }
  for (const Connector& connector : device_.connectors()) {
    if (connector.writeback) continue;
    request.set(connector, ConnectorProperty::CrtcId, connector.properties[ConnectorProperty::CrtcId].value);
  }
  if (request.commitBlocking(true)) return {};
  return darkenAll(device_);
}

Result<> darkenAll(const KmsDevice& device) {
  AtomicCounters counters;
  AtomicRequest request(device, counters);
  for (const Plane& plane : device.planes())
    request.disable(plane);
  for (const Connector& connector : device.connectors())
    request.set(connector, ConnectorProperty::CrtcId, 0);
  for (const Crtc& crtc : device.crtcs()) {
    request.set(crtc, CrtcProperty::ModeId, 0);
    request.set(crtc, CrtcProperty::Active, 0);
  }
  return request.commitBlocking(true);
}

} // namespace vitrine::bench
