#include "protected-path/render/vulkan/vulkan_format.h"

#include <drm_fourcc.h>

namespace vitrine::vulkan {
namespace {

constexpr VkComponentSwizzle R = VK_COMPONENT_SWIZZLE_R;
constexpr VkComponentSwizzle G = VK_COMPONENT_SWIZZLE_G;
constexpr VkComponentSwizzle B = VK_COMPONENT_SWIZZLE_B;
constexpr VkComponentSwizzle A = VK_COMPONENT_SWIZZLE_A;
constexpr VkComponentSwizzle One = VK_COMPONENT_SWIZZLE_ONE;

constexpr VulkanFormat rgb(uint32_t fourcc, VkFormat format, VkComponentMapping swizzle) {
  return {fourcc, 1, {format, VK_FORMAT_UNDEFINED, VK_FORMAT_UNDEFINED}, VK_FORMAT_UNDEFINED, swizzle, 0, false};
}

constexpr VulkanFormat semiPlanar(uint32_t fourcc, VkFormat multiPlanar, unsigned bits, bool crBeforeCb) {
  const VkFormat one = bits == 8 ? VK_FORMAT_R8_UNORM : VK_FORMAT_R16_UNORM;
  const VkFormat two = bits == 8 ? VK_FORMAT_R8G8_UNORM : VK_FORMAT_R16G16_UNORM;
  const VkComponentMapping swizzle = crBeforeCb ? VkComponentMapping{G, R, B, A} : VkComponentMapping{R, G, B, A};
  return {fourcc, 2, {one, two, VK_FORMAT_UNDEFINED}, multiPlanar, swizzle, bits, crBeforeCb};
}

constexpr VulkanFormat planar(uint32_t fourcc, VkFormat multiPlanar, bool crBeforeCb) {
  constexpr VkFormat one = VK_FORMAT_R8_UNORM;
  return {fourcc, 3, {one, one, one}, multiPlanar, {R, G, B, A}, 8, crBeforeCb};
}

// drm_fourcc.h names components from the highest bit of a little-endian word. Vulkan names those of unpacked formats
// from the lowest byte, and those of packed formats (PACK16, PACK32) from the highest bit.
constexpr VulkanFormat table[] = {
    rgb(DRM_FORMAT_XRGB8888, VK_FORMAT_B8G8R8A8_UNORM, {R, G, B, One}),
    rgb(DRM_FORMAT_ARGB8888, VK_FORMAT_B8G8R8A8_UNORM, {R, G, B, A}),
    rgb(DRM_FORMAT_XBGR8888, VK_FORMAT_R8G8B8A8_UNORM, {R, G, B, One}),
    rgb(DRM_FORMAT_ABGR8888, VK_FORMAT_R8G8B8A8_UNORM, {R, G, B, A}),
    rgb(DRM_FORMAT_RGBX8888, VK_FORMAT_R8G8B8A8_UNORM, {A, B, G, One}),
    rgb(DRM_FORMAT_RGBA8888, VK_FORMAT_R8G8B8A8_UNORM, {A, B, G, R}),
    rgb(DRM_FORMAT_BGRX8888, VK_FORMAT_R8G8B8A8_UNORM, {G, B, A, One}),
    rgb(DRM_FORMAT_BGRA8888, VK_FORMAT_R8G8B8A8_UNORM, {G, B, A, R}),
    rgb(DRM_FORMAT_RGB565, VK_FORMAT_R5G6B5_UNORM_PACK16, {R, G, B, One}),
    rgb(DRM_FORMAT_BGR565, VK_FORMAT_B5G6R5_UNORM_PACK16, {R, G, B, One}),
    rgb(DRM_FORMAT_XRGB2101010, VK_FORMAT_A2R10G10B10_UNORM_PACK32, {R, G, B, One}),
    rgb(DRM_FORMAT_ARGB2101010, VK_FORMAT_A2R10G10B10_UNORM_PACK32, {R, G, B, A}),
    rgb(DRM_FORMAT_XBGR2101010, VK_FORMAT_A2B10G10R10_UNORM_PACK32, {R, G, B, One}),
    rgb(DRM_FORMAT_ABGR2101010, VK_FORMAT_A2B10G10R10_UNORM_PACK32, {R, G, B, A}),
    rgb(DRM_FORMAT_XRGB16161616, VK_FORMAT_R16G16B16A16_UNORM, {B, G, R, One}),
    rgb(DRM_FORMAT_ARGB16161616, VK_FORMAT_R16G16B16A16_UNORM, {B, G, R, A}),
    rgb(DRM_FORMAT_XBGR16161616, VK_FORMAT_R16G16B16A16_UNORM, {R, G, B, One}),
    rgb(DRM_FORMAT_ABGR16161616, VK_FORMAT_R16G16B16A16_UNORM, {R, G, B, A}),
    rgb(DRM_FORMAT_XBGR16161616F, VK_FORMAT_R16G16B16A16_SFLOAT, {R, G, B, One}),
    rgb(DRM_FORMAT_ABGR16161616F, VK_FORMAT_R16G16B16A16_SFLOAT, {R, G, B, A}),
    semiPlanar(DRM_FORMAT_NV12, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, 8, false),
    semiPlanar(DRM_FORMAT_NV21, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, 8, true),
    semiPlanar(DRM_FORMAT_NV16, VK_FORMAT_G8_B8R8_2PLANE_422_UNORM, 8, false),
    semiPlanar(DRM_FORMAT_NV61, VK_FORMAT_G8_B8R8_2PLANE_422_UNORM, 8, true),
    semiPlanar(DRM_FORMAT_NV24, VK_FORMAT_G8_B8R8_2PLANE_444_UNORM, 8, false),
    semiPlanar(DRM_FORMAT_NV42, VK_FORMAT_G8_B8R8_2PLANE_444_UNORM, 8, true),
    semiPlanar(DRM_FORMAT_P010, VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16, 10, false),
    semiPlanar(DRM_FORMAT_P012, VK_FORMAT_G12X4_B12X4R12X4_2PLANE_420_UNORM_3PACK16, 12, false),
    semiPlanar(DRM_FORMAT_P016, VK_FORMAT_G16_B16R16_2PLANE_420_UNORM, 16, false),
    planar(DRM_FORMAT_YUV420, VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, false),
    planar(DRM_FORMAT_YVU420, VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, true),
    planar(DRM_FORMAT_YUV422, VK_FORMAT_G8_B8_R8_3PLANE_422_UNORM, false),
    planar(DRM_FORMAT_YVU422, VK_FORMAT_G8_B8_R8_3PLANE_422_UNORM, true),
    planar(DRM_FORMAT_YUV444, VK_FORMAT_G8_B8_R8_3PLANE_444_UNORM, false),
    planar(DRM_FORMAT_YVU444, VK_FORMAT_G8_B8_R8_3PLANE_444_UNORM, true),
};

} // namespace

bool VulkanFormat::isTarget() const {
  return fourcc == DRM_FORMAT_XRGB8888 || fourcc == DRM_FORMAT_ARGB8888 || fourcc == DRM_FORMAT_XBGR8888 ||
         fourcc == DRM_FORMAT_ABGR8888;
}

const VulkanFormat* vulkanFormat(uint32_t fourcc) {
  for (const VulkanFormat& format : table) {
    if (format.fourcc == fourcc) return &format;
  }
  return nullptr;
}

} // namespace vitrine::vulkan
