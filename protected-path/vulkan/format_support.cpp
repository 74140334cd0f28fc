#include "protected-path/vulkan/format_support.h"

#include <drm_fourcc.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr VkFormatFeatureFlags drawable =
    VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT;

std::optional<unsigned> planesOf(std::span<const FormatModifier> list, std::span<const unsigned> planes,
                                 FormatModifier wanted) {
  const auto found = std::ranges::find(list, wanted);
  if (found == list.end()) return std::nullopt;
  return planes[static_cast<size_t>(found - list.begin())];
}

bool canUpload(const Device& device, VkFormat format) {
  VkFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
  device.instance().vk().GetPhysicalDeviceFormatProperties2(device.physical().handle, format, &properties);
  constexpr VkFormatFeatureFlags needed = VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT | VK_FORMAT_FEATURE_TRANSFER_DST_BIT;
  return (properties.formatProperties.optimalTilingFeatures & needed) == needed;
}

} // namespace

FormatSupport::FormatSupport(const Device& device) {
  for (const FormatInfo& info : allFormats()) {
    const VulkanFormat* format = vulkanFormat(info.fourcc);
    if (format == nullptr) continue;
    addSampled(device, *format);
    if (format->isTarget()) addTargets(device, *format);
    if (!format->isYuv() && canUpload(device, format->planeFormats[0])) uploads_.push_back(info.fourcc);
  }
}

std::optional<unsigned> FormatSupport::sampledMemoryPlanes(FormatModifier format) const {
  return planesOf(sampled_, sampledPlanes_, format);
}

std::optional<unsigned> FormatSupport::targetMemoryPlanes(FormatModifier format) const {
  return planesOf(targets_, targetPlanes_, format);
}

std::vector<FormatSupport::Modifier> FormatSupport::modifiersOf(const Device& device, VkFormat format) {
  const auto query = device.instance().vk().GetPhysicalDeviceFormatProperties2;
  VkDrmFormatModifierPropertiesListEXT list{.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT};
  VkFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
  if (device.physical().explicitModifiers) properties.pNext = &list;
  query(device.physical().handle, format, &properties);
  // Without the extension there is linear tiling with the driver's own stride, which the import then checks.
  if (!device.physical().explicitModifiers) {
    return {{DRM_FORMAT_MOD_LINEAR, 1, properties.formatProperties.linearTilingFeatures}};
  }
  std::vector<VkDrmFormatModifierPropertiesEXT> entries(list.drmFormatModifierCount);
  list.pDrmFormatModifierProperties = entries.data();
  query(device.physical().handle, format, &properties);
  std::vector<Modifier> modifiers;
  for (const auto& entry : entries) {
    modifiers.push_back(
        {entry.drmFormatModifier, entry.drmFormatModifierPlaneCount, entry.drmFormatModifierTilingFeatures});
  }
  return modifiers;
}

void FormatSupport::addSampled(const Device& device, const VulkanFormat& format) {
  const auto samples = [&](VkFormat plane, const Modifier& modifier) {
    return (modifier.features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT) != 0 &&
           importableExtent(device, {plane, modifier.value, VK_IMAGE_USAGE_SAMPLED_BIT}).has_value();
  };
  for (const Modifier& modifier : modifiersOf(device, format.planeFormats[0])) {
    // Colour planes are imported one by one: each must then be one memory plane, and every one must take the modifier.
    bool usable = samples(format.planeFormats[0], modifier) && (!format.isYuv() || modifier.planes == 1);
    for (unsigned plane = 1; usable && plane < format.planes; ++plane) {
      usable = std::ranges::any_of(modifiersOf(device, format.planeFormats[plane]), [&](const Modifier& other) {
        return other.value == modifier.value && other.planes == 1 && samples(format.planeFormats[plane], other);
      });
    }
    if (!usable) continue;
    sampled_.push_back({format.fourcc, modifier.value});
    sampledPlanes_.push_back(format.isYuv() ? format.planes : modifier.planes);
  }
}

void FormatSupport::addTargets(const Device& device, const VulkanFormat& format) {
  for (const Modifier& modifier : modifiersOf(device, format.planeFormats[0])) {
    if ((modifier.features & drawable) != drawable) continue;
    const DmabufImageKind kind{format.planeFormats[0], modifier.value, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT};
    if (!importableExtent(device, kind)) continue;
    targets_.push_back({format.fourcc, modifier.value});
    targetPlanes_.push_back(modifier.planes);
  }
}

std::optional<Size> importableExtent(const Device& device, const DmabufImageKind& kind) {
  VkPhysicalDeviceImageDrmFormatModifierInfoEXT modifier{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
      .drmFormatModifier = kind.modifier,
      .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
  VkPhysicalDeviceExternalImageFormatInfo external{.sType =
                                                       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
                                                   .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
  const bool explicitModifier = device.physical().explicitModifiers;
  if (explicitModifier) external.pNext = &modifier;
  const VkPhysicalDeviceImageFormatInfo2 info{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
      .pNext = &external,
      .format = kind.format,
      .type = VK_IMAGE_TYPE_2D,
      .tiling = explicitModifier ? VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT : VK_IMAGE_TILING_LINEAR,
      .usage = kind.usage,
      .flags = kind.isProtected ? VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT} : 0};
  VkExternalImageFormatProperties externalProperties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
  VkImageFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                      .pNext = &externalProperties};
  const VkResult result =
      device.instance().vk().GetPhysicalDeviceImageFormatProperties2(device.physical().handle, &info, &properties);
  const VkExternalMemoryFeatureFlags features = externalProperties.externalMemoryProperties.externalMemoryFeatures;
  if (result != VK_SUCCESS || (features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) == 0) return std::nullopt;
  const VkExtent3D& extent = properties.imageFormatProperties.maxExtent;
  return Size{extent.width, extent.height};
}

} // namespace vitrine
