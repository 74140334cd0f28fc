#include "protected-path/render/vulkan/ycc_sampler.h"

namespace vitrine::vulkan {
namespace {

Result<SamplerYcbcrConversion> makeConversion(const DeviceFunctions& vk, const YccSamplerKey& key) {
  // R is Cr and B is Cb. If they are swapped in memory, the conversion swaps them back.
  const VkComponentMapping swapped{VK_COMPONENT_SWIZZLE_B, VK_COMPONENT_SWIZZLE_IDENTITY, VK_COMPONENT_SWIZZLE_R,
                                   VK_COMPONENT_SWIZZLE_IDENTITY};
  const VkSamplerYcbcrConversionCreateInfo info{.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_CREATE_INFO,
                                                .format = key.format,
                                                .ycbcrModel = VK_SAMPLER_YCBCR_MODEL_CONVERSION_RGB_IDENTITY,
                                                .ycbcrRange = VK_SAMPLER_YCBCR_RANGE_ITU_FULL,
                                                .components = key.crBeforeCb ? swapped : VkComponentMapping{},
                                                .xChromaOffset = key.chromaLocation,
                                                .yChromaOffset = key.chromaLocation,
                                                .chromaFilter = VK_FILTER_NEAREST};
  return makeObject<SamplerYcbcrConversion>(vk, vk.CreateSamplerYcbcrConversion, info,
                                            "vkCreateSamplerYcbcrConversion");
}

Result<Sampler> makeSampler(const DeviceFunctions& vk, VkSamplerYcbcrConversion conversion) {
  const VkSamplerYcbcrConversionInfo converted{.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO,
                                               .conversion = conversion};
  const VkSamplerCreateInfo info{.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                 .pNext = &converted,
                                 .magFilter = VK_FILTER_NEAREST,
                                 .minFilter = VK_FILTER_NEAREST,
                                 .mipmapMode = VK_SAMPLER_MIPMAP_MODE_NEAREST,
                                 .addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                 .addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                 .addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE};
  return makeObject<Sampler>(vk, vk.CreateSampler, info, "vkCreateSampler");
}

} // namespace

Result<std::shared_ptr<const YccSampler>> YccSampler::create(std::shared_ptr<Device> device, const YccSamplerKey& key,
                                                             size_t number) {
  std::shared_ptr<YccSampler> made(new YccSampler(key, number));
  auto conversion = makeConversion(device->vk(), key);
  if (!conversion) return std::unexpected(conversion.error());
  made->conversion_ = std::move(*conversion);
  auto sampler = makeSampler(device->vk(), made->conversion_.get());
  if (!sampler) return std::unexpected(sampler.error());
  made->sampler_ = std::move(*sampler);
  auto descriptors = DescriptorAllocator::createWithSampler(std::move(device), made->sampler_.get(), key.descriptors);
  if (!descriptors) return std::unexpected(descriptors.error());
  made->descriptors_ = std::move(*descriptors);
  return made;
}

} // namespace vitrine::vulkan
