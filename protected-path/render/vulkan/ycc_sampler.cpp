#include "protected-path/render/vulkan/ycc_sampler.h"

namespace vitrine::vulkan {
namespace {

VkFilter filterOf(const YccSamplerKey& key) {
  return key.linear ? VK_FILTER_LINEAR : VK_FILTER_NEAREST;
}

Result<SamplerYcbcrConversion> makeConversion(const DeviceFunctions& vk, const YccSamplerKey& key) {
  // R is Cr and B is Cb. If they are swapped in memory, the conversion swaps them back.
  const VkComponentMapping swapped{VK_COMPONENT_SWIZZLE_B, VK_COMPONENT_SWIZZLE_IDENTITY, VK_COMPONENT_SWIZZLE_R,
                                   VK_COMPONENT_SWIZZLE_IDENTITY};
  const VkSamplerYcbcrConversionCreateInfo info{.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_CREATE_INFO,
                                                .format = key.format,
                                                .ycbcrModel = VK_SAMPLER_YCBCR_MODEL_CONVERSION_RGB_IDENTITY,
                                                .ycbcrRange = VK_SAMPLER_YCBCR_RANGE_ITU_FULL,
                                                .components = key.crBeforeCb ? swapped : VkComponentMapping{},
                                                .xChromaOffset = key.xChroma,
                                                .yChromaOffset = key.yChroma,
                                                .chromaFilter = filterOf(key)};
  return makeObject<SamplerYcbcrConversion>(vk, vk.CreateSamplerYcbcrConversion, info,
                                            "vkCreateSamplerYcbcrConversion");
}

} // namespace

Result<std::shared_ptr<const YccSampler>> YccSampler::create(std::shared_ptr<Device> device, const YccSamplerKey& key,
                                                             size_t number) {
  std::shared_ptr<YccSampler> made(new YccSampler(key, number));
  auto conversion = makeConversion(device->vk(), key);
  if (!conversion) return std::unexpected(conversion.error());
  made->conversion_ = std::move(*conversion);
  auto sampler = makeSampler(device->vk(), filterOf(key), made->conversion_.get());
  if (!sampler) return std::unexpected(sampler.error());
  made->sampler_ = std::move(*sampler);
  auto descriptors = DescriptorAllocator::createWithSampler(std::move(device), made->sampler_.get(), key.descriptors);
  if (!descriptors) return std::unexpected(descriptors.error());
  made->descriptors_ = std::move(*descriptors);
  return made;
}

} // namespace vitrine::vulkan
