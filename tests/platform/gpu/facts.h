#pragma once

#include <vector>

#include "tests/platform/gpu/vulkan_include.h"

namespace vitrine::gpu {

/** The index of the memory type that is added: one past lavapipe's last. */
uint32_t protectedMemoryType(VkPhysicalDevice physical);

/** Lavapipe's extensions that are ours too, and the one that only we have. */
std::vector<VkExtensionProperties> deviceExtensions(VkPhysicalDevice physical);

} // namespace vitrine::gpu
