#pragma once

// The only include of the Vulkan Memory Allocator. Its functions are given to it (memory_allocator.cpp), so that it calls
// Vulkan as vulkan_functions.h does.

#include "protected-path/render/vulkan/vulkan_include.h"

#define VMA_STATIC_VULKAN_FUNCTIONS 0
#define VMA_DYNAMIC_VULKAN_FUNCTIONS 0
#define VMA_VULKAN_VERSION 1002000
#define VMA_STATS_STRING_ENABLED 0
#include <vk_mem_alloc.h>
