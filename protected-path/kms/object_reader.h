#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <unordered_map>

#include "protected-path/base/result.h"
#include "protected-path/kms/drm_pointer.h"
#include "protected-path/kms/kms_object.h"

namespace vitrine {

/**
 * Reads KMS objects with their properties from a device. Only for KmsDevice: lives while it reads, and asks the kernel
 * for each property's description once, since planes share most of them.
 */
class ObjectReader {
public:
  /** `fd` is borrowed; client capabilities have been set. */
  explicit ObjectReader(int fd) : fd_(fd) {}

  /** Every plane, in the kernel's order, stacking not yet decided. A broken IN_FORMATS blob is logged and not used. */
  [[nodiscard]] Result<std::vector<Plane>> planes(bool hasModifiers);
  [[nodiscard]] Result<std::vector<Crtc>> crtcs(std::span<const uint32_t> ids);
  /** Reads each connector with its modes and EDID; those that `isProbed` names are probed before, which takes the hardware's time. */
  [[nodiscard]] Result<std::vector<Connector>> connectors(
      std::span<const uint32_t> ids, const std::function<bool(uint32_t)>& isProbed = [](uint32_t) { return true; });

private:
  struct NamedProperty {
    std::string_view name;
    const drmModePropertyRes* description;
    uint64_t value;
  };
  Result<std::vector<NamedProperty>> properties(uint32_t objectId, uint32_t objectType);
  Result<const drmModePropertyRes*> description(uint32_t propertyId);
  Result<Plane> plane(uint32_t id, bool hasModifiers);
  Result<Connector> connector(uint32_t id, bool probe);
  std::vector<std::byte> blob(uint64_t id) const;

  int fd_;
  std::unordered_map<uint32_t, DrmPointer<drmModePropertyRes>> descriptions_;
};

/**
 * Gives every plane its place in the stack: by (zpos, id) where every plane has zpos, else by the convention:
 * primaries, overlays, cursors, each by id.
 */
void decideStacking(std::vector<Plane>& planes);

} // namespace vitrine
