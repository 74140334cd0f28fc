#include "protected-path/kms/modeset.h"

#include <algorithm>

#include "protected-path/kms/neutral_state.h"

namespace vitrine {

Modeset::Modeset(const KmsDevice& device) : device_(device), request_(device, counters_) {}

Result<> Modeset::turnOn(KmsPipe& pipe, const Mode& mode, KmsFrame& frame) {
  auto blob = PropertyBlob::create(device_, mode.raw.data(), mode.raw.size());
  if (!blob) return std::unexpected(blob.error());
  pipe.describeOn(request_, blob->id(), frame);
  parts_.push_back({&pipe, &mode, std::move(*blob), &frame});
  return {};
}

void Modeset::turnOff(KmsPipe& pipe) {
  pipe.describeOff(request_);
  parts_.push_back({&pipe, nullptr, {}, nullptr});
}

void Modeset::turnOffTheRest() {
  const auto isOurs = [this](uint32_t id, auto idOf) {
    return std::ranges::any_of(parts_, [&](const Part& part) { return idOf(*part.pipe) == id; });
  };
  for (const Connector& connector : device_.connectors()) {
    if (connector.writeback || isOurs(connector.id, [](const KmsPipe& pipe) { return pipe.connector().id; })) continue;
    describeNeutral(request_, connector);
    request_.set(connector, ConnectorProperty::CrtcId, 0);
  }
  for (const Crtc& crtc : device_.crtcs()) {
    if (isOurs(crtc.id, [](const KmsPipe& pipe) { return pipe.crtc().id; })) continue;
    describeNeutral(request_, crtc);
    request_.set(crtc, CrtcProperty::ModeId, 0);
    request_.set(crtc, CrtcProperty::Active, 0);
  }
  for (const Plane& plane : device_.planes()) {
    const bool ours = std::ranges::any_of(
        parts_, [&](const Part& part) { return std::ranges::contains(part.pipe->planes(), plane.id, &Plane::id); });
    if (!ours) request_.disable(plane);
  }
}

bool Modeset::changes(const KmsPipe& pipe) const {
  return std::ranges::contains(parts_, &pipe, &Part::pipe);
}

Result<> Modeset::commit() {
  const auto done = request_.commitBlocking(true);
  for (const Part& part : parts_) {
    part.pipe->counters_.atomic.commits++;
    part.pipe->counters_.atomic.failedCommits += done ? 0 : 1;
  }
  if (!done) return done;
  for (Part& part : parts_) {
    if (part.mode != nullptr) {
      part.pipe->wasTurnedOn(*part.mode, std::move(*part.blob), *part.frame);
    } else {
      part.pipe->wasTurnedOff();
    }
  }
  return {};
}

} // namespace vitrine
