#include "protected-path/render/vulkan/descriptor_allocator.h"

#include <utility>

namespace vitrine::vulkan {

DescriptorSet::DescriptorSet(std::shared_ptr<DescriptorAllocator> owner, size_t pool, VkDescriptorSet set)
    : owner_(std::move(owner)), pool_(pool), set_(set) {}

DescriptorSet::DescriptorSet(DescriptorSet&& other) noexcept
    : owner_(std::move(other.owner_)), pool_(other.pool_), set_(std::exchange(other.set_, VK_NULL_HANDLE)) {}

DescriptorSet& DescriptorSet::operator=(DescriptorSet&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(pool_, other.pool_);
  std::swap(set_, other.set_);
  return *this;
}

DescriptorSet::~DescriptorSet() {
  if (set_ != VK_NULL_HANDLE) owner_->free(pool_, set_);
}

Result<std::shared_ptr<DescriptorAllocator>> DescriptorAllocator::create(std::shared_ptr<Device> device) {
  std::shared_ptr<DescriptorAllocator> allocator(new DescriptorAllocator(std::move(device), planes));
  for (const auto& [sampler, filter] :
       {std::pair{&allocator->nearest_, VK_FILTER_NEAREST}, {&allocator->linear_, VK_FILTER_LINEAR}}) {
    auto made = makeSampler(allocator->device_->vk(), filter);
    if (!made) return std::unexpected(made.error());
    *sampler = std::move(*made);
  }
  if (auto made = allocator->createLayout(planes, nullptr); !made) return std::unexpected(made.error());
  return allocator;
}

Result<std::shared_ptr<DescriptorAllocator>>
DescriptorAllocator::createWithSampler(std::shared_ptr<Device> device, VkSampler sampler, uint32_t descriptors) {
  std::shared_ptr<DescriptorAllocator> allocator(new DescriptorAllocator(std::move(device), descriptors));
  if (auto made = allocator->createLayout(1, &sampler); !made) return std::unexpected(made.error());
  return allocator;
}

Result<> DescriptorAllocator::createLayout(uint32_t bindings, const VkSampler* sampler) {
  std::array<VkDescriptorSetLayoutBinding, planes> entries{};
  for (uint32_t i = 0; i < bindings; ++i) {
    entries[i] = {.binding = i,
                  .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                  .descriptorCount = 1,
                  .stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
                  .pImmutableSamplers = sampler};
  }
  const VkDescriptorSetLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                             .bindingCount = bindings,
                                             .pBindings = entries.data()};
  const DeviceFunctions& vk = device_->vk();
  auto layout = makeObject<DescriptorSetLayout>(vk, vk.CreateDescriptorSetLayout, info, "vkCreateDescriptorSetLayout");
  if (!layout) return std::unexpected(layout.error());
  layout_ = std::move(*layout);
  return {};
}

Result<size_t> DescriptorAllocator::poolWithRoom() {
  for (size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].used < setsPerPool) return i;
  }
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, descriptorsPerSet_ * setsPerPool};
  const VkDescriptorPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                        .flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
                                        .maxSets = setsPerPool,
                                        .poolSizeCount = 1,
                                        .pPoolSizes = &size};
  const DeviceFunctions& vk = device_->vk();
  auto pool = makeObject<DescriptorPool>(vk, vk.CreateDescriptorPool, info, "vkCreateDescriptorPool");
  if (!pool) return std::unexpected(pool.error());
  pools_.push_back({std::move(*pool), 0});
  return pools_.size() - 1;
}

Result<DescriptorSet> DescriptorAllocator::allocate(std::span<const VkImageView> views, bool linear) {
  const auto pool = poolWithRoom();
  if (!pool) return std::unexpected(pool.error());
  const VkDescriptorSetLayout layout = layout_.get();
  const VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                         .descriptorPool = pools_[*pool].handle.get(),
                                         .descriptorSetCount = 1,
                                         .pSetLayouts = &layout};
  VkDescriptorSet set = VK_NULL_HANDLE;
  const DeviceFunctions& vk = device_->vk();
  const VkResult result = vk.AllocateDescriptorSets(vk.device, &info, &set);
  if (result != VK_SUCCESS) return vulkanError("vkAllocateDescriptorSets", "", result);
  pools_[*pool].used += 1;
  std::array<VkDescriptorImageInfo, planes> images{};
  std::array<VkWriteDescriptorSet, planes> writes{};
  for (uint32_t i = 0; i < views.size(); ++i) {
    images[i] = {(linear ? linear_ : nearest_).get(), views[i], VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
    writes[i] = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                 .dstSet = set,
                 .dstBinding = i,
                 .descriptorCount = 1,
                 .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                 .pImageInfo = &images[i]};
  }
  vk.UpdateDescriptorSets(vk.device, static_cast<uint32_t>(views.size()), writes.data(), 0, nullptr);
  return DescriptorSet(shared_from_this(), *pool, set);
}

void DescriptorAllocator::free(size_t pool, VkDescriptorSet set) {
  const DeviceFunctions& vk = device_->vk();
  vk.FreeDescriptorSets(vk.device, pools_[pool].handle.get(), 1, &set);
  pools_[pool].used -= 1;
}

Result<Sampler> makeSampler(const DeviceFunctions& vk, VkFilter filter, VkSamplerYcbcrConversion conversion) {
  const VkSamplerYcbcrConversionInfo converted{.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO,
                                               .conversion = conversion};
  const VkSamplerCreateInfo info{.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                 .pNext = conversion != VK_NULL_HANDLE ? &converted : nullptr,
                                 .magFilter = filter,
                                 .minFilter = filter,
                                 .mipmapMode = VK_SAMPLER_MIPMAP_MODE_NEAREST,
                                 .addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                 .addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                 .addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE};
  return makeObject<Sampler>(vk, vk.CreateSampler, info, "vkCreateSampler");
}

} // namespace vitrine::vulkan
