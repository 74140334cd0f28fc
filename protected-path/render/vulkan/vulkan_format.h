#pragma once

#include <array>

#include "protected-path/base/format.h"
#include "protected-path/render/vulkan/vulkan_include.h"

namespace vitrine::vulkan {

/**
 * A DRM format in Vulkan's terms: one image per colour plane, with the view's swizzle for the order of components; or,
 * for YCbCr, one multi-planar image.
 */
struct VulkanFormat {
  uint32_t fourcc;
  unsigned planes; ///< 1: RGB; 2: Y and CbCr; 3: Y, Cb and Cr
  std::array<VkFormat, 3> planeFormats;
  VkFormat multiPlanar;       ///< all planes as one image; VK_FORMAT_UNDEFINED for RGB
  VkComponentMapping swizzle; ///< of plane 0 for RGB, of plane 1 for YCbCr
  unsigned bits;              ///< significant bits of a YCbCr sample, at the high end of its container; 0 for RGB
  bool crBeforeCb;            ///< in memory, where Vulkan's multi-planar formats have Cb first

  [[nodiscard]] bool isYuv() const { return planes > 1; }
  /** A 32-bit RGB format that can be drawn into and read back. */
  [[nodiscard]] bool isTarget() const;
};

/** Null if the format has no equivalent in Vulkan. */
[[nodiscard]] const VulkanFormat* vulkanFormat(uint32_t fourcc);

} // namespace vitrine::vulkan
