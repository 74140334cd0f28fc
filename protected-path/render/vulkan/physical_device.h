#pragma once

#include <sys/types.h>

#include <vector>

#include "protected-path/render/renderer.h"
#include "protected-path/render/vulkan/instance.h"

namespace vitrine::vulkan {

/** A physical device with what choosing and creating need to know. */
struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VulkanDeviceReport report;
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  uint32_t maximumTextureExtent = Dmabuf::maximumExtent; ///< width and height that a sampled image may have
  uint32_t maximumTargetExtent = Dmabuf::maximumExtent;  ///< and one that is drawn into
  dev_t primaryNode = 0;                ///< its /dev/dri/card*; 0: none, or not known (VK_EXT_physical_device_drm)
  uint32_t queueFamily = 0;             ///< graphics; with VK_QUEUE_PROTECTED_BIT where report.gpu.protectedMemory
  bool explicitModifiers = false;       ///< VK_EXT_image_drm_format_modifier
  bool pipelineProtectedAccess = false; ///< VK_EXT_pipeline_protected_access: pipelines say what they are used for
  bool samplerYcbcrConversion = false;  ///< the feature: multi-planar images can be sampled
  bool twoPlane444Formats = false;      ///< VK_EXT_ycbcr_2plane_444_formats with its feature: NV24, NV42 as one image

  [[nodiscard]] bool composes() const { return report.missingExtensions.empty(); }
};

/**
 * Every device of the instance, usable or not, in the driver's order. One whose inspection fails is left out, with a
 * warning. Error: Vulkan, where they cannot be listed.
 */
[[nodiscard]] Result<std::vector<PhysicalDevice>> inspectPhysicalDevices(const Instance& instance);

/**
 * The best device that composes: protected memory before none, then the display's own (`display`, a device number; 0:
 * not known), then integrated, discrete, virtual, CPU; the first among equals. Where display and GPU are one device, no
 * frame crosses a bus and the other GPU may sleep. Refused(GpuAbsent) lists each device with what it lacks.
 */
[[nodiscard]] Result<PhysicalDevice> choosePhysicalDevice(std::vector<PhysicalDevice> devices, const std::string& name,
                                                          dev_t display = 0);

} // namespace vitrine::vulkan
