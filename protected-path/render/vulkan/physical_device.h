#pragma once

#include <sys/types.h>

#include <array>
#include <vector>

#include "protected-path/render/renderer.h"
#include "protected-path/render/vulkan/instance.h"

namespace vitrine::vulkan {

/** A physical device, with the facts that choosing it and creating a device need. */
struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VulkanDeviceReport report;
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  uint32_t maximumTextureExtent = Dmabuf::maximumExtent; ///< width and height that a sampled image may have
  uint32_t maximumTargetExtent = Dmabuf::maximumExtent;  ///< width and height that a render target may have
  uint32_t maximumAllocations = 4096;                    ///< live ones, of memory
  uint32_t vendorId = 0;                                 ///< VkPhysicalDeviceProperties, as the two below
  uint32_t deviceId = 0;
  std::array<uint8_t, VK_UUID_SIZE> pipelineCacheUuid{};
  dev_t primaryNode = 0;          ///< device number of its /dev/dri/card* (VK_EXT_physical_device_drm); 0: unknown
  uint32_t queueFamily = 0;       ///< graphics; has VK_QUEUE_PROTECTED_BIT if report.gpu.protectedMemory
  bool explicitModifiers = false; ///< VK_EXT_image_drm_format_modifier
  bool pipelineProtectedAccess = false; ///< VK_EXT_pipeline_protected_access: pipelines are protected or ordinary
  bool samplerYcbcrConversion = false;  ///< the feature of that name: multi-planar images can be sampled
  bool twoPlane444Formats = false;      ///< VK_EXT_ycbcr_2plane_444_formats with its feature: NV24, NV42 as one image

  [[nodiscard]] bool composes() const { return report.missingExtensions.empty(); }
};

/**
 * Every device of the instance, usable or not, in the driver's order. A device whose inspection fails is left out, with
 * a warning. Error: Vulkan, if they cannot be listed.
 */
[[nodiscard]] Result<std::vector<PhysicalDevice>> inspectPhysicalDevices(const Instance& instance);

/**
 * The best device that can compose and whose name contains `name`. Devices with protected memory come first, then the
 * display's own (`display`, a device number; 0: unknown), then integrated, discrete, virtual and CPU devices; among
 * equals, the first one listed. If display and GPU are one device, no frame crosses a bus and the other GPU may sleep.
 * Error: Refused(GpuAbsent), which lists each device with what it lacks.
 */
[[nodiscard]] Result<PhysicalDevice> choosePhysicalDevice(std::vector<PhysicalDevice> devices, const std::string& name,
                                                          dev_t display = 0);

} // namespace vitrine::vulkan
