#pragma once

#include <string_view>

#include "protected-path/base/result.h"
#include "protected-path/render/vulkan/vulkan_include.h"

namespace vitrine::vulkan {

/** The result's symbol, such as `VK_ERROR_DEVICE_LOST`; empty if it is not known. Never null. */
[[nodiscard]] const char* vkResultName(VkResult result);

/** An Error of kind Vulkan. isDeviceLost() recognises VK_ERROR_DEVICE_LOST by its number. */
[[nodiscard]] std::unexpected<Error> vulkanError(std::string_view operation, std::string_view object, VkResult result);

} // namespace vitrine::vulkan
