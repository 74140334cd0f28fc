#pragma once

// A driver defines the functions; it is asked for them by name.
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>
