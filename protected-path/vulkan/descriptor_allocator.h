#pragma once

#include <array>
#include <memory>
#include <vector>

#include "protected-path/vulkan/device.h"

namespace vitrine {

class DescriptorAllocator;

/** A descriptor set for the planes of one texture, given back to its pool when it goes. */
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

/** Sets of three sampled images each, from pools that grow by 64. */
class DescriptorAllocator : public std::enable_shared_from_this<DescriptorAllocator> {
public:
  static constexpr uint32_t planes = 3;
  [[nodiscard]] static Result<std::shared_ptr<DescriptorAllocator>> create(std::shared_ptr<Device> device);

  [[nodiscard]] VkDescriptorSetLayout layout() const { return layout_.get(); }
  /** A set whose bindings are `views`; all three must be valid (unused planes repeat another). */
  [[nodiscard]] Result<DescriptorSet> allocate(const std::array<VkImageView, planes>& views);

private:
  friend class DescriptorSet;
  static constexpr uint32_t setsPerPool = 64;
  struct Pool {
    DescriptorPool handle;
    uint32_t used = 0;
  };
  explicit DescriptorAllocator(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  [[nodiscard]] Result<size_t> poolWithRoom();
  void free(size_t pool, VkDescriptorSet set);
  std::shared_ptr<Device> device_;
  DescriptorSetLayout layout_;
  std::vector<Pool> pools_;
};

} // namespace vitrine
