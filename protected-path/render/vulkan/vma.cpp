// The Vulkan Memory Allocator itself, in a file of its own because it compiles for seconds.

#define VMA_IMPLEMENTATION
#include "protected-path/render/vulkan/vma_include.h"
