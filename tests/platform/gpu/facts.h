#pragma once

#include <vector>

#include "tests/platform/gpu/vulkan_include.h"

namespace vitrine::gpu {

/** The version of a typical SoC's driver. Newer versions can access memory in ways that the rules here do not cover. */
inline constexpr uint32_t apiVersion = VK_MAKE_API_VERSION(0, 1, 3, 0);

/** Index of the protected memory type: one past lavapipe's last. */
uint32_t protectedMemoryType(VkPhysicalDevice physical);

/**
 * Pointers to the feature values, in a caller's structure or chain, that lavapipe has and this driver does not offer.
 */
std::vector<VkBool32*> withheldFeatures(VkPhysicalDeviceFeatures& features);
std::vector<VkBool32*> withheldFeatures(void* chain);

/** The extensions of lavapipe that this driver also offers, and one of its own. */
std::vector<VkExtensionProperties> deviceExtensions(VkPhysicalDevice physical);

} // namespace vitrine::gpu
