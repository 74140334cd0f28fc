#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "protected-path/render/vulkan/device.h"

namespace vitrine::vulkan {

class DescriptorAllocator;

/** A descriptor set for the images of one texture. Its destructor returns it to its pool. */
class DescriptorSet {
public:
  DescriptorSet() = default;
  DescriptorSet(DescriptorSet&& other) noexcept;
  DescriptorSet& operator=(DescriptorSet&& other) noexcept;
  ~DescriptorSet();
  [[nodiscard]] VkDescriptorSet get() const { return set_; }

private:
  friend class DescriptorAllocator;
  DescriptorSet(std::shared_ptr<DescriptorAllocator> owner, size_t pool, VkDescriptorSet set);
  std::shared_ptr<DescriptorAllocator> owner_; ///< shared: a texture may outlive the renderer
  size_t pool_ = 0;
  VkDescriptorSet set_ = VK_NULL_HANDLE;
};

/** Descriptor sets of one layout, from pools that grow by 64. */
class DescriptorAllocator : public std::enable_shared_from_this<DescriptorAllocator> {
public:
  static constexpr uint32_t planes = 3;
  /** Sets of three images, one for each colour plane. */
  [[nodiscard]] static Result<std::shared_ptr<DescriptorAllocator>> create(std::shared_ptr<Device> device);
  /**
   * Sets of one image, sampled with `sampler`, which must outlive this. `descriptors`: how many descriptors of a pool
   * such an image takes.
   */
  [[nodiscard]] static Result<std::shared_ptr<DescriptorAllocator>>
  createWithSampler(std::shared_ptr<Device> device, VkSampler sampler, uint32_t descriptors);

  [[nodiscard]] VkDescriptorSetLayout layout() const { return layout_.get(); }
  /**
   * A set whose bindings are `views`: one for each binding, all valid (an unused plane repeats another one's view).
   * `linear`: whether they are sampled with a linear filter; not used if the layout has a sampler.
   */
  [[nodiscard]] Result<DescriptorSet> allocate(std::span<const VkImageView> views, bool linear);

private:
  friend class DescriptorSet;
  static constexpr uint32_t setsPerPool = 64;
  struct Pool {
    DescriptorPool handle;
    uint32_t used = 0;
  };
  DescriptorAllocator(std::shared_ptr<Device> device, uint32_t descriptorsPerSet)
      : device_(std::move(device)), descriptorsPerSet_(descriptorsPerSet) {}
  [[nodiscard]] Result<> createLayout(uint32_t bindings, const VkSampler* sampler);
  [[nodiscard]] Result<size_t> poolWithRoom();
  void free(size_t pool, VkDescriptorSet set);
  std::shared_ptr<Device> device_;
  uint32_t descriptorsPerSet_;
  Sampler nearest_; ///< null if the layout has a sampler
  Sampler linear_;
  DescriptorSetLayout layout_;
  std::vector<Pool> pools_;
};

/** A sampler that repeats the edge. `conversion`: for multi-planar images, else null. */
[[nodiscard]] Result<Sampler> makeSampler(const DeviceFunctions& vk, VkFilter filter,
                                          VkSamplerYcbcrConversion conversion = VK_NULL_HANDLE);

} // namespace vitrine::vulkan
