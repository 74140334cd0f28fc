// Devices and their queue: what lavapipe doesn't know is noted and taken out of the request.

#include <algorithm>
#include <cstring>
#include <format>
#include <string_view>

#include "tests/platform/gpu/chain_edit.h"
#include "tests/platform/gpu/facts.h"
#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {
namespace {

bool knowsExtensions(VkPhysicalDevice physical, const VkDeviceCreateInfo& info) {
  const auto known = deviceExtensions(physical);
  return std::all_of(info.ppEnabledExtensionNames, info.ppEnabledExtensionNames + info.enabledExtensionCount,
                     [&](const char* name) {
                       return std::ranges::any_of(known, [&](const VkExtensionProperties& extension) {
                         return std::strcmp(extension.extensionName, name) == 0;
                       });
                     });
}

bool wantsWithheldFeatures(const VkDeviceCreateInfo& info) {
  const auto isWanted = [](const VkBool32* feature) { return *feature == VK_TRUE; };
  VkPhysicalDeviceFeatures features =
      info.pEnabledFeatures == nullptr ? VkPhysicalDeviceFeatures{} : *info.pEnabledFeatures;
  return std::ranges::any_of(withheldFeatures(features), isWanted) ||
         std::ranges::any_of(withheldFeatures(const_cast<void*>(info.pNext)), isWanted);
}

std::vector<const char*> lavapipesExtensions(const VkDeviceCreateInfo& info) {
  std::vector<const char*> names(info.ppEnabledExtensionNames,
                                 info.ppEnabledExtensionNames + info.enabledExtensionCount);
  std::erase_if(names, [](std::string_view name) { return name == VK_EXT_PIPELINE_PROTECTED_ACCESS_EXTENSION_NAME; });
  return names;
}

/** Notes the features that are ours, and hands the rest to lavapipe. */
VkResult createWithoutOurFeatures(VkPhysicalDevice physical, const VkDeviceCreateInfo& info,
                                  const VkAllocationCallbacks* callbacks, VkDevice* handle, Device& device) {
  auto* chain = const_cast<void*>(info.pNext);
  auto* memory = findInChain<VkPhysicalDeviceProtectedMemoryFeatures>(
      chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES);
  auto* vulkan11 =
      findInChain<VkPhysicalDeviceVulkan11Features>(chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
  auto* access = findInChain<VkPhysicalDevicePipelineProtectedAccessFeaturesEXT>(
      chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT);
  device.pipelineProtectedAccess = access != nullptr && access->pipelineProtectedAccess == VK_TRUE;
  const WithoutFeature noMemory(memory == nullptr ? nullptr : &memory->protectedMemory);
  const WithoutFeature no11(vulkan11 == nullptr ? nullptr : &vulkan11->protectedMemory);
  device.protectedMemory = noMemory.wasOn() || no11.wasOn();
  const WithoutStructure noAccess(&info, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT);
  return lavapipe().CreateDevice(physical, &info, callbacks, handle);
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                                   const VkAllocationCallbacks* callbacks, VkDevice* handle) {
  {
    const Lock lock(state().mutex);
    if (state().gone) return VK_ERROR_INITIALIZATION_FAILED;
  }
  if (!knowsExtensions(physical, *info)) return VK_ERROR_EXTENSION_NOT_PRESENT;
  if (wantsWithheldFeatures(*info)) return VK_ERROR_FEATURE_NOT_PRESENT;
  // Lavapipe has one queue, so a protected-capable and an ordinary one of the same family cannot both be had.
  if (info->queueCreateInfoCount != 1) return VK_ERROR_INITIALIZATION_FAILED;
  auto device = std::make_shared<Device>();
  device->node = RenderNode::open();
  if (!device->node) return VK_ERROR_INITIALIZATION_FAILED;
  device->protectedType = protectedMemoryType(physical);
  VkDeviceQueueCreateInfo queue = info->pQueueCreateInfos[0];
  device->protectedQueue = (queue.flags & VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT) != 0;
  queue.flags &= ~VkDeviceQueueCreateFlags{VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT};
  const auto extensions = lavapipesExtensions(*info);
  VkDeviceCreateInfo ordinary = *info;
  ordinary.pQueueCreateInfos = &queue;
  ordinary.ppEnabledExtensionNames = extensions.data();
  ordinary.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  const VkResult result = createWithoutOurFeatures(physical, ordinary, callbacks, handle, *device);
  if (result != VK_SUCCESS) return result;
  device->handle = *handle;
  const Lock lock(state().mutex);
  if (device->protectedQueue && !device->protectedMemory) {
    state().lose(*device, {"VUID-VkDeviceQueueCreateInfo-flags-02861",
                           "vkCreateDevice: a protected-capable queue without the protectedMemory feature"});
  }
  state().devices[*handle] = std::move(device);
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyDevice(VkDevice handle, const VkAllocationCallbacks* callbacks) {
  if (handle != VK_NULL_HANDLE) {
    const Lock lock(state().mutex);
    std::erase_if(state().queues, [&](const auto& queue) { return queue.second->handle == handle; });
    state().devices.erase(handle);
  }
  lavapipe().DestroyDevice(handle, callbacks);
}

VKAPI_ATTR void VKAPI_CALL entry::GetDeviceQueue(VkDevice handle, uint32_t family, uint32_t index, VkQueue* queue) {
  lavapipe().GetDeviceQueue(handle, family, index, queue);
  const Lock lock(state().mutex);
  const auto& device = state().devices.at(handle);
  if (device->protectedQueue) {
    state().lose(*device, {"VUID-vkGetDeviceQueue-flags-01841", "vkGetDeviceQueue: of a protected-capable queue"});
  }
  state().queues[*queue] = device;
}

VKAPI_ATTR void VKAPI_CALL entry::GetDeviceQueue2(VkDevice handle, const VkDeviceQueueInfo2* info, VkQueue* queue) {
  VkDeviceQueueInfo2 ordinary = *info;
  ordinary.flags &= ~VkDeviceQueueCreateFlags{VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT};
  lavapipe().GetDeviceQueue2(handle, &ordinary, queue);
  const Lock lock(state().mutex);
  const auto& device = state().devices.at(handle);
  const bool asProtected = (info->flags & VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT) != 0;
  if (asProtected != device->protectedQueue) {
    state().lose(*device, {"VUID-VkDeviceQueueInfo2-flags-06225",
                           std::format("vkGetDeviceQueue2: the queue was {}created protected-capable",
                                       device->protectedQueue ? "" : "not ")});
  }
  state().queues[*queue] = device;
}

} // namespace vitrine::gpu
