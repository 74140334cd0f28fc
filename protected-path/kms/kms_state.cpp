#include "protected-path/kms/kms_state.h"

#include <array>
#include <format>

#include "protected-path/kms/drm_pointer.h"
#include "protected-path/kms/object_reader.h"

namespace vitrine {
namespace {

using P = PlaneProperty;
using R = CrtcProperty;
using C = ConnectorProperty;

// What a program may change. What the kernel alone decides (link status, HDCP) and what lasts for one commit (fences) is left out.
constexpr std::array planeProperties = {
    P::FbId,  P::CrtcId, P::SrcX, P::SrcY,  P::SrcW,           P::SrcH,     P::CrtcX,         P::CrtcY,
    P::CrtcW, P::CrtcH,  P::Zpos, P::Alpha, P::PixelBlendMode, P::Rotation, P::ColorEncoding, P::ColorRange};
constexpr std::array crtcProperties = {R::Active, R::VrrEnabled};
constexpr std::array crtcBlobs = {R::ModeId, R::DegammaLut, R::Ctm, R::GammaLut};
constexpr std::array connectorProperties = {C::CrtcId, C::Colorspace, C::MaxBpc, C::BroadcastRgb};
constexpr std::array connectorBlobs = {C::HdrOutputMetadata};

/** Copies the blobs that an object's properties name, and has the properties name the copies. */
Result<> copyBlobs(const KmsDevice& device, auto& properties, const auto& names, std::vector<PropertyBlob>& copies) {
  for (const auto name : names) {
    KmsPropertyInfo& property = properties[name];
    if (property.id == 0 || property.value == 0) continue;
    const DrmPointer<drmModePropertyBlobRes> data(
        drmModeGetPropertyBlob(device.fd(), static_cast<uint32_t>(property.value)));
    if (!data) return systemError("DRM_IOCTL_MODE_GETPROPBLOB", std::format("blob {}", property.value));
    auto copy = PropertyBlob::create(device, data->data, data->length);
    if (!copy) return std::unexpected(copy.error());
    property.value = copy->id();
    copies.push_back(std::move(*copy));
  }
  return {};
}

void setAll(AtomicRequest& request, const auto& object, const auto& names) {
  for (const auto name : names) {
    const KmsPropertyInfo& property = object.properties[name];
    if (property.id != 0 && !property.immutable) request.set(object, name, property.value);
  }
}

template<typename Object>
std::vector<uint32_t> idsOf(const std::vector<Object>& objects) {
  std::vector<uint32_t> ids;
  for (const Object& object : objects)
    ids.push_back(object.id);
  return ids;
}

} // namespace

Result<KmsState> KmsState::save(const KmsDevice& device) {
  KmsState state(device);
  ObjectReader reader(device.fd());
  auto planes = reader.planes(false);
  if (!planes) return std::unexpected(planes.error());
  auto crtcs = reader.crtcs(idsOf(device.crtcs()));
  if (!crtcs) return std::unexpected(crtcs.error());
  auto connectors = reader.connectors(idsOf(device.connectors()));
  if (!connectors) return std::unexpected(connectors.error());
  state.planes_ = std::move(*planes);
  state.crtcs_ = std::move(*crtcs);
  state.connectors_ = std::move(*connectors);
  for (Crtc& crtc : state.crtcs_) {
    if (auto copied = copyBlobs(device, crtc.properties, crtcBlobs, state.blobs_); !copied) {
      return std::unexpected(copied.error());
    }
  }
  for (Connector& connector : state.connectors_) {
    if (auto copied = copyBlobs(device, connector.properties, connectorBlobs, state.blobs_); !copied) {
      return std::unexpected(copied.error());
    }
  }
  return state;
}

Result<> KmsState::restore() const {
  AtomicCounters counters;
  AtomicRequest request(device_, counters);
  for (const Plane& plane : planes_)
    setAll(request, plane, planeProperties);
  for (const Crtc& crtc : crtcs_) {
    setAll(request, crtc, crtcProperties);
    setAll(request, crtc, crtcBlobs);
  }
  for (const Connector& connector : connectors_) {
    if (connector.writeback) continue;
    setAll(request, connector, connectorProperties);
    setAll(request, connector, connectorBlobs);
  }
  if (request.commitBlocking(true)) return {};
  for (const Plane& plane : planes_)
    request.disable(plane);
  for (const Crtc& crtc : crtcs_) {
    request.set(crtc, R::Active, 0);
    request.set(crtc, R::ModeId, 0);
  }
  for (const Connector& connector : connectors_) {
    if (!connector.writeback) request.set(connector, C::CrtcId, 0);
  }
  return request.commitBlocking(true);
}

} // namespace vitrine
