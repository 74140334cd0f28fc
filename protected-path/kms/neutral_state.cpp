#include "protected-path/kms/neutral_state.h"

namespace vitrine {

void describeNeutral(AtomicRequest& request, const Connector& connector) {
  using C = ConnectorProperty;
  const auto setDefault = [&](C property, const char* entry) {
    if (const auto value = connector.properties.enumValue(property, entry)) request.set(connector, property, *value);
  };
  if (connector.properties.has(C::HdrOutputMetadata)) request.set(connector, C::HdrOutputMetadata, 0);
  if (connector.properties.has(C::MaxBpc)) {
    request.set(connector, C::MaxBpc, connector.properties[C::MaxBpc].rangeMaximum);
  }
  setDefault(C::Colorspace, "Default");
  setDefault(C::BroadcastRgb, "Automatic");
  setDefault(C::ContentProtection, "Undesired");
}

void describeNeutral(AtomicRequest& request, const Crtc& crtc) {
  using C = CrtcProperty;
  for (const C property : {C::DegammaLut, C::Ctm, C::GammaLut, C::VrrEnabled}) {
    if (crtc.properties.has(property)) request.set(crtc, property, 0);
  }
}

} // namespace vitrine
