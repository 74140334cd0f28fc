#pragma once

// No prototypes: the driver defines the functions itself, and the loader looks them up by name.
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>
