// The resources of descriptor sets.

#include <span>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {
namespace {

Resource resourceOf(const VkWriteDescriptorSet& write, uint32_t element) {
  switch (write.descriptorType) {
  case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
  case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
  case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
  case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
    return lookUp(state().imageViews, write.pImageInfo[element].imageView);
  case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
  case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
    return lookUp(state().bufferViews, write.pTexelBufferView[element]);
  case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
  case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
  case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
  case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
    return lookUp(state().buffers, write.pBufferInfo[element].buffer);
  default: // samplers and inline uniform blocks refer to no other memory
    return {};
  }
}

/** A position in a set. After the end of a binding, it continues in the next one ("consecutive binding updates"). */
class Place {
public:
  Place(const DescriptorSetLayout& layout, uint32_t binding, uint32_t element)
      : layout_(layout), binding_(binding), element_(element) {
    settle();
  }
  [[nodiscard]] std::pair<uint32_t, uint32_t> get() const { return {binding_, element_}; }
  void advance() {
    element_ += 1;
    settle();
  }

private:
  void settle() {
    auto at = layout_.counts.find(binding_);
    while (at != layout_.counts.end() && element_ >= at->second) {
      element_ -= at->second;
      if (++at != layout_.counts.end()) binding_ = at->first;
    }
  }
  const DescriptorSetLayout& layout_;
  uint32_t binding_;
  uint32_t element_;
};

void apply(const VkWriteDescriptorSet& write) {
  DescriptorSet& set = state().sets.at(write.dstSet);
  if (write.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) return; // its count is in bytes
  Place place(set.layout, write.dstBinding, write.dstArrayElement);
  for (uint32_t i = 0; i < write.descriptorCount; ++i, place.advance())
    set.resources[place.get()] = resourceOf(write, i);
}

void apply(const VkCopyDescriptorSet& copy) {
  const DescriptorSet& from = state().sets.at(copy.srcSet);
  DescriptorSet& to = state().sets.at(copy.dstSet);
  Place source(from.layout, copy.srcBinding, copy.srcArrayElement);
  Place target(to.layout, copy.dstBinding, copy.dstArrayElement);
  for (uint32_t i = 0; i < copy.descriptorCount; ++i, source.advance(), target.advance())
    to.resources[target.get()] = lookUp(from.resources, source.get());
}

/** Splits an entry of a template into one write per descriptor, because its descriptors are `stride` apart. */
void apply(VkDescriptorSet set, const VkDescriptorUpdateTemplateEntry& entry, const void* data) {
  DescriptorSet& target = state().sets.at(set);
  if (entry.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) return;
  Place place(target.layout, entry.dstBinding, entry.dstArrayElement);
  for (uint32_t i = 0; i < entry.descriptorCount; ++i, place.advance()) {
    const void* at = static_cast<const std::byte*>(data) + entry.offset + i * entry.stride;
    const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                     .descriptorType = entry.descriptorType,
                                     .pImageInfo = static_cast<const VkDescriptorImageInfo*>(at),
                                     .pBufferInfo = static_cast<const VkDescriptorBufferInfo*>(at),
                                     .pTexelBufferView = static_cast<const VkBufferView*>(at)};
    target.resources[place.get()] = resourceOf(write, 0);
  }
}

void forget(VkDescriptorPool pool) {
  const Lock lock(state().mutex);
  std::erase_if(state().sets, [&](const auto& entry) { return entry.second.pool == pool; });
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateDescriptorSetLayout(VkDevice device,
                                                                const VkDescriptorSetLayoutCreateInfo* info,
                                                                const VkAllocationCallbacks* callbacks,
                                                                VkDescriptorSetLayout* layout) {
  const VkResult result = lavapipe().CreateDescriptorSetLayout(device, info, callbacks, layout);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  DescriptorSetLayout& noted = state().setLayouts[*layout];
  noted = {};
  for (uint32_t i = 0; i < info->bindingCount; ++i)
    noted.counts[info->pBindings[i].binding] = info->pBindings[i].descriptorCount;
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyDescriptorSetLayout(VkDevice device, VkDescriptorSetLayout layout,
                                                             const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().setLayouts.erase(layout);
  }
  lavapipe().DestroyDescriptorSetLayout(device, layout, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::ResetDescriptorPool(VkDevice device, VkDescriptorPool pool,
                                                          VkDescriptorPoolResetFlags flags) {
  forget(pool);
  return lavapipe().ResetDescriptorPool(device, pool, flags);
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyDescriptorPool(VkDevice device, VkDescriptorPool pool,
                                                        const VkAllocationCallbacks* callbacks) {
  forget(pool);
  lavapipe().DestroyDescriptorPool(device, pool, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::AllocateDescriptorSets(VkDevice device, const VkDescriptorSetAllocateInfo* info,
                                                             VkDescriptorSet* sets) {
  const VkResult result = lavapipe().AllocateDescriptorSets(device, info, sets);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  for (uint32_t i = 0; i < info->descriptorSetCount; ++i)
    state().sets[sets[i]] = {info->descriptorPool, state().setLayouts.at(info->pSetLayouts[i]), {}};
  return result;
}

VKAPI_ATTR VkResult VKAPI_CALL entry::FreeDescriptorSets(VkDevice device, VkDescriptorPool pool, uint32_t count,
                                                         const VkDescriptorSet* sets) {
  {
    const Lock lock(state().mutex);
    for (uint32_t i = 0; i < count; ++i)
      state().sets.erase(sets[i]);
  }
  return lavapipe().FreeDescriptorSets(device, pool, count, sets);
}

VKAPI_ATTR void VKAPI_CALL entry::UpdateDescriptorSets(VkDevice device, uint32_t writeCount,
                                                       const VkWriteDescriptorSet* writes, uint32_t copyCount,
                                                       const VkCopyDescriptorSet* copies) {
  {
    const Lock lock(state().mutex);
    for (const VkWriteDescriptorSet& write : std::span(writes, writeCount))
      apply(write);
    for (const VkCopyDescriptorSet& copy : std::span(copies, copyCount))
      apply(copy);
  }
  lavapipe().UpdateDescriptorSets(device, writeCount, writes, copyCount, copies);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateDescriptorUpdateTemplate(VkDevice device,
                                                                     const VkDescriptorUpdateTemplateCreateInfo* info,
                                                                     const VkAllocationCallbacks* callbacks,
                                                                     VkDescriptorUpdateTemplate* made) {
  const VkResult result = lavapipe().CreateDescriptorUpdateTemplate(device, info, callbacks, made);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  state().templates[*made] = {info->pDescriptorUpdateEntries,
                              info->pDescriptorUpdateEntries + info->descriptorUpdateEntryCount};
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyDescriptorUpdateTemplate(VkDevice device, VkDescriptorUpdateTemplate gone,
                                                                  const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().templates.erase(gone);
  }
  lavapipe().DestroyDescriptorUpdateTemplate(device, gone, callbacks);
}

VKAPI_ATTR void VKAPI_CALL entry::UpdateDescriptorSetWithTemplate(VkDevice device, VkDescriptorSet set,
                                                                  VkDescriptorUpdateTemplate by, const void* data) {
  {
    const Lock lock(state().mutex);
    for (const VkDescriptorUpdateTemplateEntry& entry : state().templates.at(by))
      apply(set, entry, data);
  }
  lavapipe().UpdateDescriptorSetWithTemplate(device, set, by, data);
}

} // namespace vitrine::gpu
