#pragma once

#include <string_view>

#include "protected-path/base/result.h"
#include "protected-path/render/vulkan/vulkan_include.h"

namespace vitrine::vulkan {

/** `VK_ERROR_DEVICE_LOST`. Never null. */
[[nodiscard]] const char* vkResultName(VkResult result);

/** An Error of kind Vulkan; VK_ERROR_DEVICE_LOST is told by its number. */
[[nodiscard]] std::unexpected<Error> vulkanError(std::string_view operation, std::string_view object, VkResult result);

} // namespace vitrine::vulkan
