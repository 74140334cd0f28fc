// Properties of the physical device: lavapipe's, with protected memory added.

#include "tests/platform/gpu/facts.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {
namespace {

constexpr std::array<std::string_view, 31> extensions{VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
                                                      VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME,
                                                      VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
                                                      VK_KHR_8BIT_STORAGE_EXTENSION_NAME,
                                                      VK_KHR_16BIT_STORAGE_EXTENSION_NAME,
                                                      VK_KHR_BIND_MEMORY_2_EXTENSION_NAME,
                                                      VK_KHR_COPY_COMMANDS_2_EXTENSION_NAME,
                                                      VK_KHR_CREATE_RENDERPASS_2_EXTENSION_NAME,
                                                      VK_KHR_DEDICATED_ALLOCATION_EXTENSION_NAME,
                                                      VK_KHR_DEPTH_STENCIL_RESOLVE_EXTENSION_NAME,
                                                      VK_KHR_DESCRIPTOR_UPDATE_TEMPLATE_EXTENSION_NAME,
                                                      VK_KHR_DRAW_INDIRECT_COUNT_EXTENSION_NAME,
                                                      VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME,
                                                      VK_KHR_DYNAMIC_RENDERING_EXTENSION_NAME,
                                                      VK_KHR_EXTERNAL_FENCE_EXTENSION_NAME,
                                                      VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
                                                      VK_KHR_EXTERNAL_MEMORY_EXTENSION_NAME,
                                                      VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
                                                      VK_KHR_EXTERNAL_SEMAPHORE_EXTENSION_NAME,
                                                      VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
                                                      VK_KHR_FORMAT_FEATURE_FLAGS_2_EXTENSION_NAME,
                                                      VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME,
                                                      VK_KHR_IMAGE_FORMAT_LIST_EXTENSION_NAME,
                                                      VK_KHR_IMAGELESS_FRAMEBUFFER_EXTENSION_NAME,
                                                      VK_KHR_MAINTENANCE_1_EXTENSION_NAME,
                                                      VK_KHR_MAINTENANCE_2_EXTENSION_NAME,
                                                      VK_KHR_MAINTENANCE_3_EXTENSION_NAME,
                                                      VK_KHR_SAMPLER_YCBCR_CONVERSION_EXTENSION_NAME,
                                                      VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                                      VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME,
                                                      VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME};

void setQueueFlags(VkQueueFamilyProperties& family) {
  family.queueFlags = (family.queueFlags | VK_QUEUE_PROTECTED_BIT) & ~VkQueueFlags{VK_QUEUE_SPARSE_BINDING_BIT};
}

void setProperties(VkPhysicalDeviceProperties& properties) {
  const std::string name = properties.deviceName;
  // The type stays CPU, because programs must still apply their workarounds for llvmpipe.
  std::snprintf(properties.deviceName, sizeof(properties.deviceName), "Vitrine simulated GPU (%.200s)", name.c_str());
  properties.apiVersion = std::min(properties.apiVersion, apiVersion);
}

/** The size of the secure world's pool. A real driver would get it from firmware. */
VkDeviceSize protectedHeapBytes() {
  uint64_t mebibytes = 0;
  std::ifstream("/sys/module/vitrine_tee/parameters/pool_mib") >> mebibytes;
  return mebibytes << 20;
}

void addProtectedType(VkPhysicalDeviceMemoryProperties& memory) {
  memory.memoryHeaps[memory.memoryHeapCount] = {protectedHeapBytes(), VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  memory.memoryTypes[memory.memoryTypeCount] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT,
                                                memory.memoryHeapCount};
  memory.memoryHeapCount += 1;
  memory.memoryTypeCount += 1;
}

} // namespace

uint32_t protectedMemoryType(VkPhysicalDevice physical) {
  VkPhysicalDeviceMemoryProperties memory{};
  lavapipe().GetPhysicalDeviceMemoryProperties(physical, &memory);
  return memory.memoryTypeCount;
}

// Features for memory that is accessed by address, bound page by page, or put into descriptors after the draw was
// checked.

std::vector<VkBool32*> withheldFeatures(VkPhysicalDeviceFeatures& features) {
  return {&features.sparseBinding,           &features.sparseResidencyBuffer,    &features.sparseResidencyImage2D,
          &features.sparseResidencyImage3D,  &features.sparseResidency2Samples,  &features.sparseResidency4Samples,
          &features.sparseResidency8Samples, &features.sparseResidency16Samples, &features.sparseResidencyAliased};
}

std::vector<VkBool32*> withheldFeatures(void* chain) {
  std::vector<VkBool32*> withheld;
  const auto add = [&](const std::vector<VkBool32*>& features) {
    withheld.insert(withheld.end(), features.begin(), features.end());
  };
  const auto addAfterBind = [&](auto& indexing) {
    add({&indexing.descriptorBindingUniformBufferUpdateAfterBind,
         &indexing.descriptorBindingSampledImageUpdateAfterBind, &indexing.descriptorBindingStorageImageUpdateAfterBind,
         &indexing.descriptorBindingStorageBufferUpdateAfterBind,
         &indexing.descriptorBindingUniformTexelBufferUpdateAfterBind,
         &indexing.descriptorBindingStorageTexelBufferUpdateAfterBind});
  };
  const auto addAddresses = [&](auto& address) {
    add({&address.bufferDeviceAddress, &address.bufferDeviceAddressCaptureReplay,
         &address.bufferDeviceAddressMultiDevice});
  };
  if (auto* found = findInChain<VkPhysicalDeviceFeatures2>(chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2))
    add(withheldFeatures(found->features));
  if (auto* found =
          findInChain<VkPhysicalDeviceVulkan12Features>(chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)) {
    add({&found->descriptorIndexing}); // it includes updates after binding
    addAfterBind(*found);
    addAddresses(*found);
  }
  if (auto* found = findInChain<VkPhysicalDeviceDescriptorIndexingFeatures>(
          chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DESCRIPTOR_INDEXING_FEATURES))
    addAfterBind(*found);
  if (auto* found = findInChain<VkPhysicalDeviceBufferDeviceAddressFeatures>(
          chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES))
    addAddresses(*found);
  return withheld;
}

std::vector<VkExtensionProperties> deviceExtensions(VkPhysicalDevice physical) {
  uint32_t count = 0;
  const auto enumerate = lavapipe().EnumerateDeviceExtensionProperties;
  if (enumerate(physical, nullptr, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkExtensionProperties> list(count);
  if (enumerate(physical, nullptr, &count, list.data()) != VK_SUCCESS) return {};
  std::erase_if(list, [](const VkExtensionProperties& extension) {
    return std::ranges::find(extensions, std::string_view(extension.extensionName)) == extensions.end();
  });
  list.push_back({VK_EXT_PIPELINE_PROTECTED_ACCESS_EXTENSION_NAME, VK_EXT_PIPELINE_PROTECTED_ACCESS_SPEC_VERSION});
  return list;
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceProperties(VkPhysicalDevice physical,
                                                              VkPhysicalDeviceProperties* properties) {
  lavapipe().GetPhysicalDeviceProperties(physical, properties);
  setProperties(*properties);
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceProperties2(VkPhysicalDevice physical,
                                                               VkPhysicalDeviceProperties2* properties) {
  lavapipe().GetPhysicalDeviceProperties2(physical, properties);
  setProperties(properties->properties);
  // protectedNoFault stays FALSE, as lavapipe fills it in.
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceFeatures(VkPhysicalDevice physical,
                                                            VkPhysicalDeviceFeatures* features) {
  lavapipe().GetPhysicalDeviceFeatures(physical, features);
  for (VkBool32* withheld : withheldFeatures(*features))
    *withheld = VK_FALSE;
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceFeatures2(VkPhysicalDevice physical,
                                                             VkPhysicalDeviceFeatures2* features) {
  lavapipe().GetPhysicalDeviceFeatures2(physical, features);
  void* chain = features->pNext;
  if (auto* found = findInChain<VkPhysicalDeviceProtectedMemoryFeatures>(
          chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES))
    found->protectedMemory = VK_TRUE;
  if (auto* found =
          findInChain<VkPhysicalDeviceVulkan11Features>(chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES))
    found->protectedMemory = VK_TRUE;
  if (auto* found = findInChain<VkPhysicalDevicePipelineProtectedAccessFeaturesEXT>(
          chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT))
    found->pipelineProtectedAccess = VK_TRUE;
  for (VkBool32* withheld : withheldFeatures(features))
    *withheld = VK_FALSE;
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice physical, uint32_t* count,
                                                                         VkQueueFamilyProperties* families) {
  lavapipe().GetPhysicalDeviceQueueFamilyProperties(physical, count, families);
  for (uint32_t i = 0; families != nullptr && i < *count; ++i)
    setQueueFlags(families[i]);
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceQueueFamilyProperties2(VkPhysicalDevice physical, uint32_t* count,
                                                                          VkQueueFamilyProperties2* families) {
  lavapipe().GetPhysicalDeviceQueueFamilyProperties2(physical, count, families);
  for (uint32_t i = 0; families != nullptr && i < *count; ++i)
    setQueueFlags(families[i].queueFamilyProperties);
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceMemoryProperties(VkPhysicalDevice physical,
                                                                    VkPhysicalDeviceMemoryProperties* memory) {
  lavapipe().GetPhysicalDeviceMemoryProperties(physical, memory);
  addProtectedType(*memory);
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice physical,
                                                                     VkPhysicalDeviceMemoryProperties2* memory) {
  lavapipe().GetPhysicalDeviceMemoryProperties2(physical, memory);
  addProtectedType(memory->memoryProperties);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetPhysicalDeviceImageFormatProperties(VkPhysicalDevice physical, VkFormat format,
                                                                             VkImageType type, VkImageTiling tiling,
                                                                             VkImageUsageFlags usage,
                                                                             VkImageCreateFlags flags,
                                                                             VkImageFormatProperties* properties) {
  return lavapipe().GetPhysicalDeviceImageFormatProperties(
      physical, format, type, tiling, usage, flags & ~VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT}, properties);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetPhysicalDeviceImageFormatProperties2(
    VkPhysicalDevice physical, const VkPhysicalDeviceImageFormatInfo2* info, VkImageFormatProperties2* properties) {
  VkPhysicalDeviceImageFormatInfo2 ordinary = *info;
  ordinary.flags &= ~VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT};
  return lavapipe().GetPhysicalDeviceImageFormatProperties2(physical, &ordinary, properties);
}

VKAPI_ATTR void VKAPI_CALL entry::GetPhysicalDeviceExternalBufferProperties(
    VkPhysicalDevice physical, const VkPhysicalDeviceExternalBufferInfo* info, VkExternalBufferProperties* properties) {
  VkPhysicalDeviceExternalBufferInfo ordinary = *info;
  ordinary.flags &= ~VkBufferCreateFlags{VK_BUFFER_CREATE_PROTECTED_BIT};
  lavapipe().GetPhysicalDeviceExternalBufferProperties(physical, &ordinary, properties);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::EnumerateDeviceExtensionProperties(VkPhysicalDevice physical, const char* layer,
                                                                         uint32_t* count,
                                                                         VkExtensionProperties* properties) {
  if (layer != nullptr) return lavapipe().EnumerateDeviceExtensionProperties(physical, layer, count, properties);
  const auto list = deviceExtensions(physical);
  const auto there = static_cast<uint32_t>(list.size());
  if (properties == nullptr) {
    *count = there;
    return VK_SUCCESS;
  }
  const uint32_t room = std::min(*count, there);
  std::copy_n(list.begin(), room, properties);
  *count = room;
  return room < there ? VK_INCOMPLETE : VK_SUCCESS;
}

} // namespace vitrine::gpu
