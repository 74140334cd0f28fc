#pragma once

#include <vector>

#include "tests/platform/gpu/vulkan_include.h"

namespace vitrine::gpu {

/** As a SoC's driver: newer versions and more extensions have ways to memory that the rules here do not follow. */
inline constexpr uint32_t apiVersion = VK_MAKE_API_VERSION(0, 1, 3, 0);

/** The index of the memory type that is added: one past lavapipe's last. */
uint32_t protectedMemoryType(VkPhysicalDevice physical);

/** The caller's words for features of lavapipe's that are not ours, in a structure or in a chain of them. */
std::vector<VkBool32*> withheldFeatures(VkPhysicalDeviceFeatures& features);
std::vector<VkBool32*> withheldFeatures(void* chain);

/** Lavapipe's extensions that are ours too, and the one that only we have. */
std::vector<VkExtensionProperties> deviceExtensions(VkPhysicalDevice physical);

} // namespace vitrine::gpu
