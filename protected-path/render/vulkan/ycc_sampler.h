#pragma once

#include "protected-path/render/vulkan/descriptor_allocator.h"

namespace vitrine::vulkan {

/** What the sampler of a multi-planar image is made from. Images with equal keys share a sampler. */
struct YccSamplerKey {
  VkFormat format = VK_FORMAT_UNDEFINED; ///< multi-planar
  bool crBeforeCb = false;               ///< in memory
  VkChromaLocation xChroma = VK_CHROMA_LOCATION_COSITED_EVEN;
  VkChromaLocation yChroma = VK_CHROMA_LOCATION_MIDPOINT;
  bool linear = false;      ///< filters luma and chroma linearly, else neither
  uint32_t descriptors = 1; ///< of a pool, for one image (VkSamplerYcbcrConversionImageFormatProperties)

  bool operator==(const YccSamplerKey&) const = default;
};

/**
 * Samples multi-planar images of one format: a VkSamplerYcbcrConversion, and descriptor sets with its sampler as an
 * immutable sampler, which the specification requires.
 *
 * The conversion changes nothing. Its model is RGB_IDENTITY: the shader gets the samples unchanged (G = Y, B = Cb,
 * R = Cr) and applies the surface's own matrix and range, as it does for planes imported one by one. So one conversion
 * per format is enough.
 *
 * With a linear filter, chroma is interpolated as most video needs it: the places of its samples are at the left and in
 * the middle (ChromaLocation::Left) if the format has both, and for other places shaders/ycc_image.frag moves the
 * position. Without one, it samples chroma at the first pixel of a cell and interpolates by hand. By the specification,
 * nearest reconstruction takes the sample ⌊x/2⌋ for every pixel of a cell and every location. Mesa's drivers, however,
 * sample the chroma plane at the scaled coordinate, shifted by a quarter of a chroma texel for COSITED_EVEN
 * (vk_nir_lower_ycbcr.c, for nearest too). For odd pixels that is the border between two texels. For even pixels it is
 * the centre of the cell's texel (COSITED_EVEN) or a quarter of a texel left of it (MIDPOINT).
 */
class YccSampler {
public:
  /** `number`: given by Pipelines. Error: Vulkan. */
  [[nodiscard]] static Result<std::shared_ptr<const YccSampler>> create(std::shared_ptr<Device> device,
                                                                        const YccSamplerKey& key, size_t number);

  [[nodiscard]] const YccSamplerKey& key() const { return key_; }
  /** Index of its pipelines in a target's. */
  [[nodiscard]] size_t number() const { return number_; }
  /** Image views that this samples must be created with it. */
  [[nodiscard]] VkSamplerYcbcrConversion conversion() const { return conversion_.get(); }
  /** Allocates the descriptor sets of images that this samples. */
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
