#include "protected-path/heap/gbm_device.h"

#include <fcntl.h>
#include <gbm.h>

#include <algorithm>
#include <cerrno>
#include <format>

namespace vitrine {
namespace {

struct DestroyBuffer {
  void operator()(gbm_bo* buffer) const { gbm_bo_destroy(buffer); }
};
using GbmBuffer = std::unique_ptr<gbm_bo, DestroyBuffer>;

Result<Dmabuf> exportBuffer(gbm_bo& buffer, const BufferRequest& request) {
  DmabufAttributes attributes{request.size, request.fourcc, gbm_bo_get_modifier(&buffer), 0, {}};
  attributes.planeCount = static_cast<unsigned>(gbm_bo_get_plane_count(&buffer));
  for (unsigned plane = 0; plane < attributes.planeCount && plane < attributes.planes.size(); ++plane) {
    const int index = static_cast<int>(plane);
    attributes.planes[plane] = {UniqueFd(gbm_bo_get_fd_for_plane(&buffer, index)), gbm_bo_get_offset(&buffer, index),
                                gbm_bo_get_stride_for_plane(&buffer, index)};
  }
  return Dmabuf::create(std::move(attributes));
}

} // namespace

void GbmDevice::Close::operator()(gbm_device* device) const {
  gbm_device_destroy(device);
}

Result<GbmDevice> GbmDevice::open(const std::string& node) {
  UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return systemError("open", node);
  gbm_device* device = gbm_create_device(fd.get());
  if (device == nullptr) return missing("gbm_create_device", node, "no GBM backend serves this device");
  return GbmDevice(std::move(fd), node, device);
}

Result<Dmabuf> GbmDevice::allocateProtected(const BufferRequest& request, const Inspector& inspector) const {
  const uint32_t multiple = std::max(request.rowMultiple, 1U);
  const uint32_t rows = (request.size.height + multiple - 1) / multiple * multiple;
  const std::string object = std::format("{} ({}x{} {})", node_, request.size.width, rows, fourccName(request.fourcc));
  const GbmBuffer buffer(
      gbm_bo_create(device_.get(), request.size.width, rows, request.fourcc,
                    GBM_BO_USE_SCANOUT | GBM_BO_USE_RENDERING | GBM_BO_USE_LINEAR | GBM_BO_USE_PROTECTED));
  if (buffer == nullptr) return systemError("gbm_bo_create", object, errno);
  auto exported = exportBuffer(*buffer, request);
  if (!exported) return exported;
  if (auto inspected = inspector.inspect(*exported, false); !inspected) return std::unexpected(inspected.error());
  if (exported->evidence() == Evidence::None) {
    auto error = refused(Refusal::HeapUnsuitable, "gbm_bo_create", object);
    error.error().detail += ": the driver ignores GBM_BO_USE_PROTECTED";
    return error;
  }
  return exported;
}

} // namespace vitrine
