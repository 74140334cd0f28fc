#pragma once

#include "protected-path/render/vulkan/descriptor_allocator.h"

namespace vitrine::vulkan {

/** What the sampler of a multi-planar image is made from; images that agree in it share one. */
struct YccSamplerKey {
  VkFormat format = VK_FORMAT_UNDEFINED; ///< multi-planar
  bool crBeforeCb = false;               ///< in memory
  VkChromaLocation chromaLocation = VK_CHROMA_LOCATION_COSITED_EVEN;
  uint32_t descriptors = 1; ///< VkSamplerYcbcrConversionImageFormatProperties: of a pool, for one image

  bool operator==(const YccSamplerKey&) const = default;
};

/**
 * Samples multi-planar images of one format: a VkSamplerYcbcrConversion, and the descriptor sets that have its sampler
 * built in, as the specification asks.
 *
 * The conversion converts nothing. Its model is RGB_IDENTITY, so the shader gets samples as they are (G = Y, B = Cb,
 * R = Cr) and applies the surface's own matrix and range, as for planes imported one by one; and one conversion is
 * enough for a format.
 *
 * Chroma must come replicated over its cell, not interpolated (DrawCommand::encoding). The filter is therefore
 * VK_FILTER_NEAREST, and shaders/ycc_image.frag takes chroma at the first pixel of a cell. By the letter, nearest
 * reconstruction takes ⌊x/2⌋ for any pixel of a cell, whatever the location. Mesa's drivers, though, sample the chroma
 * plane at the scaled coordinate, moved by a quarter of a chroma texel for COSITED_EVEN (vk_nir_lower_ycbcr.c, nearest
 * or not), which for odd pixels is the border of two texels. At even pixels COSITED_EVEN is the texel's very centre and
 * MIDPOINT a quarter of a texel left of it: both the cell's own.
 */
class YccSampler {
public:
  /** `number` is Pipelines's. Error: Vulkan. */
  [[nodiscard]] static Result<std::shared_ptr<const YccSampler>> create(std::shared_ptr<Device> device,
                                                                        const YccSamplerKey& key, size_t number);

  [[nodiscard]] const YccSamplerKey& key() const { return key_; }
  /** Which pipelines of a target are for it. */
  [[nodiscard]] size_t number() const { return number_; }
  /** Image views that it samples are made with it. */
  [[nodiscard]] VkSamplerYcbcrConversion conversion() const { return conversion_.get(); }
  /** Sets for it: the layout, and room for more. */
  [[nodiscard]] DescriptorAllocator& descriptors() const { return *descriptors_; }

private:
  YccSampler(const YccSamplerKey& key, size_t number) : key_(key), number_(number) {}
  YccSamplerKey key_;
  size_t number_;
  SamplerYcbcrConversion conversion_;
  Sampler sampler_;
  std::shared_ptr<DescriptorAllocator> descriptors_;
};

} // namespace vitrine::vulkan
