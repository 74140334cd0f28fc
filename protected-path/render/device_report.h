#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protected-path/base/refusal.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/** What one Vulkan device of this machine can do: for vitrine-probe, and for choosing a device. */
struct VulkanDeviceReport {
  std::string name;
  std::string driver;
  uint32_t apiVersion = 0;
  bool softwareRasterizer = false; ///< VK_PHYSICAL_DEVICE_TYPE_CPU
  GpuFacts gpu;
  /**
   * VkPhysicalDeviceProtectedMemoryProperties::protectedNoFault. If true, an access that the rules of protected memory
   * forbid is dropped or gives undefined values; if false, it may do anything. Composition makes no such access (R1)
   * and is the same on both. The value says what a mistake would cost.
   */
  bool protectedNoFault = false;
  Refusal refusal = Refusal::None; ///< why the device cannot compose protected content, or None
  /** The memory of a target must hold its number of rows rounded up to a multiple of this (Renderer::importTarget). */
  uint32_t targetRowMultiple = 1;
  std::vector<std::string> missingExtensions; ///< that composition needs; empty: the device can compose
  /** `/dev/dri/renderD128` (VK_EXT_physical_device_drm); empty if the driver has none, like software rasterizers. */
  std::string renderNode;
};

/**
 * Every Vulkan device, usable or not. The list is empty if the loader or every driver is absent. If listing fails, the
 * error is logged and the list is empty.
 */
[[nodiscard]] std::vector<VulkanDeviceReport> listVulkanDevices();

/**
 * The same for a machine that has a GPU, which is a render node in /dev/dri. Without one the list is empty, and no Vulkan driver is
 * loaded: composition does not use a software rasterizer there (Renderer::create).
 */
[[nodiscard]] std::vector<VulkanDeviceReport> listGpus();

} // namespace vitrine
