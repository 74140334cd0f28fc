#include "protected-path/render/vulkan/vulkan_error.h"

namespace vitrine::vulkan {

const char* vkResultName(VkResult result) {
#define VITRINE_NAME(name)                                                                                             \
  case name:                                                                                                           \
    return #name;
  switch (result) {
    VITRINE_NAME(VK_SUCCESS)
    VITRINE_NAME(VK_NOT_READY)
    VITRINE_NAME(VK_TIMEOUT)
    VITRINE_NAME(VK_INCOMPLETE)
    VITRINE_NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
    VITRINE_NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
    VITRINE_NAME(VK_ERROR_INITIALIZATION_FAILED)
    VITRINE_NAME(VK_ERROR_DEVICE_LOST)
    VITRINE_NAME(VK_ERROR_MEMORY_MAP_FAILED)
    VITRINE_NAME(VK_ERROR_LAYER_NOT_PRESENT)
    VITRINE_NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
    VITRINE_NAME(VK_ERROR_FEATURE_NOT_PRESENT)
    VITRINE_NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
    VITRINE_NAME(VK_ERROR_TOO_MANY_OBJECTS)
    VITRINE_NAME(VK_ERROR_FORMAT_NOT_SUPPORTED)
    VITRINE_NAME(VK_ERROR_FRAGMENTED_POOL)
    VITRINE_NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
    VITRINE_NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE)
    VITRINE_NAME(VK_ERROR_FRAGMENTATION)
    VITRINE_NAME(VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT)
    VITRINE_NAME(VK_ERROR_UNKNOWN)
  default:
    return "";
  }
#undef VITRINE_NAME
}

std::unexpected<Error> vulkanError(std::string_view operation, std::string_view object, VkResult result) {
  const char* remedy = result == VK_ERROR_DEVICE_LOST ? "the GPU was reset; the renderer must be created again" : "";
  return std::unexpected(Error{ErrorKind::Vulkan, static_cast<int>(result), std::string(operation), std::string(object),
                               vkResultName(result), remedy});
}

} // namespace vitrine::vulkan
