#include "protected-path/render/vulkan/format_support.h"

#include <drm_fourcc.h>

#include <algorithm>

namespace vitrine::vulkan {
namespace {

constexpr VkFormatFeatureFlags drawable =
    VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT;

constexpr VkFormatFeatureFlags uploadable = VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT | VK_FORMAT_FEATURE_TRANSFER_DST_BIT;
constexpr VkFormatFeatureFlags filtered = VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT;

/** Whether the device can sample images of a multi-planar format, and import them with explicit modifiers. */
bool canConvert(const PhysicalDevice& device, VkFormat multiPlanar) {
  const bool known = multiPlanar != VK_FORMAT_G8_B8R8_2PLANE_444_UNORM || device.twoPlane444Formats;
  return multiPlanar != VK_FORMAT_UNDEFINED && device.samplerYcbcrConversion && device.explicitModifiers && known;
}

VkFormatFeatureFlags optimalFeatures(const Device& device, VkFormat format) {
  VkFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
  device.instance().vk().GetPhysicalDeviceFormatProperties2(device.physical().handle, format, &properties);
  return properties.formatProperties.optimalTilingFeatures;
}

} // namespace

FormatSupport::FormatSupport(const Device& device, std::optional<YccImport> only) {
  for (const FormatInfo& info : allFormats()) {
    const VulkanFormat* format = vulkanFormat(info.fourcc);
    if (format == nullptr) continue;
    addSampled(device, *format, only);
    if (format->isTarget()) addTargets(device, *format);
    if (format->isYuv()) continue;
    const VkFormatFeatureFlags features = optimalFeatures(device, format->planeFormats[0]);
    if ((features & uploadable) != uploadable) continue;
    uploads_.push_back(info.fourcc);
    if ((features & filtered) != 0) filteredUploads_.push_back(info.fourcc);
  }
  for (const auto& imports : sampledImports_) {
    const SampledImport& best = imports.front();
    if (best.way == YccImport::OneImage && std::ranges::find(samplers_, best.sampler) == samplers_.end())
      samplers_.push_back(best.sampler);
  }
}

std::span<const SampledImport> FormatSupport::sampledImports(FormatModifier format) const {
  const auto found = std::ranges::find(sampled_, format);
  if (found == sampled_.end()) return {};
  return sampledImports_[static_cast<size_t>(found - sampled_.begin())];
}

bool FormatSupport::filtersUploads(uint32_t fourcc) const {
  return std::ranges::find(filteredUploads_, fourcc) != filteredUploads_.end();
}

std::optional<unsigned> FormatSupport::targetMemoryPlanes(FormatModifier format) const {
  const auto found = std::ranges::find(targets_, format);
  if (found == targets_.end()) return std::nullopt;
  return targetPlanes_[static_cast<size_t>(found - targets_.begin())];
}

std::vector<FormatSupport::Modifier> FormatSupport::modifiersOf(const Device& device, VkFormat format) {
  const auto query = device.instance().vk().GetPhysicalDeviceFormatProperties2;
  VkDrmFormatModifierPropertiesListEXT list{.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT};
  VkFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
  if (device.physical().explicitModifiers) properties.pNext = &list;
  query(device.physical().handle, format, &properties);
  // Without the extension, tiling is linear with the driver's own stride. The import checks the stride.
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

std::optional<SampledImport> FormatSupport::planeByPlane(const Device& device, const VulkanFormat& format,
                                                         const Modifier& modifier) {
  const auto samples = [&](VkFormat plane, const Modifier& of) {
    return (of.features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT) != 0 &&
           importableImage(device, {plane, of.value, VK_IMAGE_USAGE_SAMPLED_BIT}).has_value();
  };
  if (!samples(format.planeFormats[0], modifier)) return std::nullopt;
  bool linear = (modifier.features & filtered) != 0;
  if (!format.isYuv()) return SampledImport{.memoryPlanes = modifier.planes, .linear = linear};
  // Each plane's image must have one memory plane, and every plane's format must have the modifier.
  if (modifier.planes != 1) return std::nullopt;
  for (unsigned plane = 1; plane < format.planes; ++plane) {
    const auto modifiers = modifiersOf(device, format.planeFormats[plane]);
    const auto usable = std::ranges::find_if(modifiers, [&](const Modifier& other) {
      return other.value == modifier.value && other.planes == 1 && samples(format.planeFormats[plane], other);
    });
    if (usable == modifiers.end()) return std::nullopt;
    linear = linear && (usable->features & filtered) != 0;
  }
  return SampledImport{.memoryPlanes = format.planes, .linear = linear};
}

std::optional<SampledImport> FormatSupport::oneImage(const Device& device, const VulkanFormat& format,
                                                     const Modifier& modifier) {
  constexpr VkFormatFeatureFlags locations =
      VK_FORMAT_FEATURE_COSITED_CHROMA_SAMPLES_BIT | VK_FORMAT_FEATURE_MIDPOINT_CHROMA_SAMPLES_BIT;
  if ((modifier.features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT) == 0 || (modifier.features & locations) == 0) {
    return std::nullopt;
  }
  const auto importable = importableImage(device, {format.multiPlanar, modifier.value, VK_IMAGE_USAGE_SAMPLED_BIT});
  if (!importable) return std::nullopt;
  const bool cosited = (modifier.features & VK_FORMAT_FEATURE_COSITED_CHROMA_SAMPLES_BIT) != 0;
  const bool midpoint = (modifier.features & VK_FORMAT_FEATURE_MIDPOINT_CHROMA_SAMPLES_BIT) != 0;
  constexpr VkFormatFeatureFlags both = filtered | VK_FORMAT_FEATURE_SAMPLED_IMAGE_YCBCR_CONVERSION_LINEAR_FILTER_BIT;
  const bool linear = (modifier.features & both) == both;
  return SampledImport{.way = YccImport::OneImage,
                       .memoryPlanes = modifier.planes,
                       .linear = linear,
                       .sampler = {.format = format.multiPlanar,
                                   .crBeforeCb = format.crBeforeCb,
                                   .xChroma = cosited ? VK_CHROMA_LOCATION_COSITED_EVEN : VK_CHROMA_LOCATION_MIDPOINT,
                                   .yChroma = midpoint ? VK_CHROMA_LOCATION_MIDPOINT : VK_CHROMA_LOCATION_COSITED_EVEN,
                                   .linear = linear,
                                   .descriptors = importable->samplerDescriptors}};
}

void FormatSupport::addSampled(const Device& device, const VulkanFormat& format, std::optional<YccImport> only) {
  if (!format.isYuv() || only != YccImport::OneImage) {
    for (const Modifier& modifier : modifiersOf(device, format.planeFormats[0])) {
      if (const auto import = planeByPlane(device, format, modifier)) {
        addSampled({format.fourcc, modifier.value}, *import);
      }
    }
  }
  if (only == YccImport::PlaneByPlane || !canConvert(device.physical(), format.multiPlanar)) return;
  for (const Modifier& modifier : modifiersOf(device, format.multiPlanar)) {
    if (const auto import = oneImage(device, format, modifier)) addSampled({format.fourcc, modifier.value}, *import);
  }
}

void FormatSupport::addSampled(FormatModifier format, const SampledImport& import) {
  const auto found = std::ranges::find(sampled_, format);
  if (found == sampled_.end()) {
    sampled_.push_back(format);
    sampledImports_.push_back({import});
    return;
  }
  auto& imports = sampledImports_[static_cast<size_t>(found - sampled_.begin())];
  // One image comes first, except for LINEAR.
  imports.insert(format.modifier == DRM_FORMAT_MOD_LINEAR ? imports.end() : imports.begin(), import);
}

void FormatSupport::addTargets(const Device& device, const VulkanFormat& format) {
  for (const Modifier& modifier : modifiersOf(device, format.planeFormats[0])) {
    if ((modifier.features & drawable) != drawable) continue;
    const DmabufImageKind kind{format.planeFormats[0], modifier.value, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT};
    if (!importableImage(device, kind)) continue;
    targets_.push_back({format.fourcc, modifier.value});
    targetPlanes_.push_back(modifier.planes);
  }
}

std::optional<ImportableImage> importableImage(const Device& device, const DmabufImageKind& kind) {
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
  VkSamplerYcbcrConversionImageFormatProperties conversion{
      .sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_IMAGE_FORMAT_PROPERTIES};
  VkExternalImageFormatProperties externalProperties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
                                                     .pNext = &conversion};
  VkImageFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                      .pNext = &externalProperties};
  const VkResult result =
      device.instance().vk().GetPhysicalDeviceImageFormatProperties2(device.physical().handle, &info, &properties);
  const VkExternalMemoryFeatureFlags features = externalProperties.externalMemoryProperties.externalMemoryFeatures;
  if (result != VK_SUCCESS || (features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) == 0) return std::nullopt;
  const VkExtent3D& extent = properties.imageFormatProperties.maxExtent;
  return ImportableImage{{extent.width, extent.height}, std::max(conversion.combinedImageSamplerDescriptorCount, 1U)};
}

} // namespace vitrine::vulkan
