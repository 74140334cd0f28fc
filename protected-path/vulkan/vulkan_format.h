#pragma once

#include <array>

#include "protected-path/base/format.h"
#include "protected-path/vulkan/vulkan_include.h"

namespace vitrine {

/** How a DRM format is seen by Vulkan: one image per colour plane, the view's swizzle doing the rest. */
struct VulkanFormat {
  uint32_t fourcc;
  unsigned planes; ///< 1: RGB; 2: Y and CbCr; 3: Y, Cb and Cr
  std::array<VkFormat, 3> planeFormats;
  VkComponentMapping swizzle; ///< of plane 0 for RGB, of plane 1 for YCbCr
  unsigned bits;              ///< significant bits of a YCbCr sample, at the high end of its container; 0 for RGB
  bool crBeforeCb;            ///< three planes in the order Y, Cr, Cb

  [[nodiscard]] bool isYuv() const { return planes > 1; }
  /** A 32-bit RGB format that can be drawn into and read back. */
  [[nodiscard]] bool isTarget() const;
};

/** Null for a format that has no Vulkan equivalent. */
[[nodiscard]] const VulkanFormat* vulkanFormat(uint32_t fourcc);

/** Numbers of a YCbCr to RGB conversion, for samples as UNORM images give them (0…1). */
struct YccConversion {
  float lumaScale;
  float lumaOffset;
  float chromaOffset;
  float crToRed;
  float cbToGreen;
  float crToGreen;
  float cbToBlue;
};

/**
 * The matrices of ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance), for `bits` significant bits at the high
 * end of an 8- or 16-bit container. Limited: Y′ 16…235, C 16…240, scaled by 2^(bits−8).
 */
[[nodiscard]] YccConversion yccConversion(ColorEncoding encoding, ColorRange range, unsigned bits);

} // namespace vitrine
