#pragma once

// The one way to Vulkan's declarations. Entry points are not linked but looked up (vulkan_functions.h), starting from
// libvulkan's own vkGetInstanceProcAddr: whoever wraps that one symbol sees every call.
//
// Plain C declarations instead of vk::raii: vulkan_raii.hpp costs 8.6 s of compile time per file (g++ 14, -O2), this
// 0.16 s. What vk::raii would give is in vulkan_handle.h.

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

extern "C" VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name);
