#pragma once

// The only include of Vulkan's declarations. Entry points are not linked but looked up (vulkan_functions.h), beginning
// with libvulkan's vkGetInstanceProcAddr. So a test that wraps this one symbol sees every call.
//
// Plain C declarations instead of vk::raii: vulkan_raii.hpp costs 8.6 s of compile time per file (g++ 14, -O2), this
// header 0.16 s. vulkan_handle.h has the part of vk::raii that we need.

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

extern "C" VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name);
