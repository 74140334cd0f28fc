// The state that the fake driver keeps, and the kernel's rules for changing it. Without them a test would pass with commits that
// every real driver refuses.
#include "tests/unit/fake_drm.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vitrine::test {

std::optional<uint64_t> FakeDrm::value(uint32_t object, std::string_view property) const {
  const auto found = objects_.find(object);
  if (found == objects_.end()) return std::nullopt;
  for (const auto& [id, value] : found->second.properties) {
    if (properties_.at(id).name == property) return value;
  }
  return std::nullopt;
}

void FakeDrm::setValue(uint32_t object, std::string_view property, uint64_t value) {
  for (auto& [id, current] : objects_.at(object).properties) {
    if (properties_.at(id).name == property) current = value;
  }
}

uint32_t FakeDrm::makeBlob(std::vector<std::byte> data) {
  ++ownBlobs_;
  return blob(std::move(data));
}

void FakeDrm::setConnected(uint32_t connector, bool connected) {
  if (connected) {
    disconnected_.erase(connector);
  } else {
    disconnected_.insert(connector);
  }
}

std::vector<uint32_t> FakeDrm::idsOfType(uint32_t type) const {
  std::vector<uint32_t> ids;
  for (const auto& [id, object] : objects_) {
    if (object.type == type) ids.push_back(id);
  }
  return ids;
}

bool FakeDrm::isModeset(const std::vector<Setting>& settings) const {
  return std::ranges::any_of(settings, [this](const Setting& setting) {
    const bool ofConnector = objects_.at(setting.object).type == DRM_MODE_OBJECT_CONNECTOR;
    const bool routes =
        setting.property == "ACTIVE" || setting.property == "MODE_ID" || (ofConnector && setting.property == "CRTC_ID");
    return routes && value(setting.object, setting.property) != setting.value;
  });
}

/** drm_atomic.c and drm_atomic_helper.c, as far as outputs of Vitrine could break them. */
int FakeDrm::checkRules(const std::vector<Setting>& settings, uint32_t flags) const {
  const auto after = [&](uint32_t object, std::string_view property) {
    for (const Setting& setting : settings) {
      if (setting.object == object && setting.property == property) return setting.value;
    }
    return value(object, property).value_or(0);
  };
  if (isModeset(settings) && (flags & DRM_MODE_ATOMIC_ALLOW_MODESET) == 0) return EINVAL;
  for (const uint32_t id : idsOfType(DRM_MODE_OBJECT_CRTC)) {
    const bool enabled = after(id, "MODE_ID") != 0;
    const auto connectors = idsOfType(DRM_MODE_OBJECT_CONNECTOR);
    const auto users = std::ranges::count_if(connectors, [&](uint32_t each) { return after(each, "CRTC_ID") == id; });
    if (users != (enabled ? 1 : 0)) return EINVAL; // "enabled/connectors mismatch", or clones
    if (after(id, "ACTIVE") != 0 && !enabled) return EINVAL;
    const bool named = std::ranges::contains(settings, id, &Setting::object);
    if (named && (flags & DRM_MODE_PAGE_FLIP_EVENT) != 0 && after(id, "ACTIVE") == 0) return EINVAL;
    if (!enabled) continue;
    const auto mode = blobs_.find(static_cast<uint32_t>(after(id, "MODE_ID")));
    if (mode == blobs_.end()) continue; // the CRTC's state keeps what its creator has destroyed
    drm_mode_modeinfo info{};
    std::memcpy(&info, mode->second.data(), std::min(sizeof info, mode->second.size()));
    if (refusedWidths.contains(info.hdisplay)) return EINVAL;
  }
  for (const uint32_t id : idsOfType(DRM_MODE_OBJECT_PLANE)) {
    const uint64_t from = value(id, "CRTC_ID").value_or(0);
    const uint64_t to = after(id, "CRTC_ID");
    if (from != 0 && to != 0 && from != to) return EINVAL; // "switching CRTC directly"
    if ((after(id, "FB_ID") != 0) != (to != 0)) return EINVAL;
  }
  return 0;
}

} // namespace vitrine::test
