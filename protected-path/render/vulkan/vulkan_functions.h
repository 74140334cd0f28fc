#pragma once

#include "protected-path/base/result.h"
#include "protected-path/render/vulkan/vulkan_include.h"

namespace vitrine::vulkan {

// clang-format off
#define VITRINE_GLOBAL_FUNCTIONS(X) X(CreateInstance) X(EnumerateInstanceLayerProperties)

#define VITRINE_INSTANCE_FUNCTIONS(X) \
  X(EnumeratePhysicalDevices) X(EnumerateDeviceExtensionProperties) \
  X(GetPhysicalDeviceProperties) X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures2) \
  X(GetPhysicalDeviceQueueFamilyProperties) X(GetPhysicalDeviceMemoryProperties) \
  X(GetPhysicalDeviceFormatProperties2) X(GetPhysicalDeviceImageFormatProperties2) \
  X(GetPhysicalDeviceExternalSemaphoreProperties) X(GetPhysicalDeviceMemoryProperties2) X(CreateDevice) \
  X(GetDeviceProcAddr)

#define VITRINE_DEVICE_FUNCTIONS(X) \
  X(DestroyDevice) X(GetDeviceQueue2) X(QueueSubmit) X(DeviceWaitIdle) X(AllocateMemory) X(FreeMemory) \
  X(MapMemory) X(GetMemoryFdPropertiesKHR) X(CreateImage) X(DestroyImage) X(GetImageMemoryRequirements2) \
  X(GetImageSubresourceLayout) X(BindImageMemory) X(CreateImageView) X(DestroyImageView) X(CreateBuffer) \
  X(DestroyBuffer) X(GetBufferMemoryRequirements) X(BindBufferMemory) X(CreateShaderModule) \
  X(DestroyShaderModule) X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreateDescriptorPool) \
  X(DestroyDescriptorPool) X(AllocateDescriptorSets) X(FreeDescriptorSets) X(UpdateDescriptorSets) \
  X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreateGraphicsPipelines) X(DestroyPipeline) \
  X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData) \
  X(CreateRenderPass) X(DestroyRenderPass) X(CreateFramebuffer) X(DestroyFramebuffer) X(CreateSemaphore) \
  X(CreateSampler) X(DestroySampler) X(CreateSamplerYcbcrConversion) X(DestroySamplerYcbcrConversion) \
  X(DestroySemaphore) X(GetSemaphoreFdKHR) X(ImportSemaphoreFdKHR) X(GetSemaphoreCounterValue) \
  X(WaitSemaphores) X(CreateCommandPool) X(DestroyCommandPool) X(ResetCommandPool) X(AllocateCommandBuffers) \
  X(BeginCommandBuffer) X(EndCommandBuffer) X(CmdPipelineBarrier) X(CmdBeginRenderPass) X(CmdEndRenderPass) \
  X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants) X(CmdSetScissor) X(CmdSetViewport) \
  X(CmdDraw) X(CmdCopyBufferToImage) X(CmdCopyImageToBuffer) \
  /* and what the memory allocator calls in addition */ \
  X(UnmapMemory) X(FlushMappedMemoryRanges) X(InvalidateMappedMemoryRanges) X(GetImageMemoryRequirements) \
  X(GetBufferMemoryRequirements2) X(BindBufferMemory2) X(BindImageMemory2) X(CmdCopyBuffer)
// clang-format on

#define VITRINE_MEMBER(name) PFN_vk##name name = nullptr;

struct GlobalFunctions {
  VITRINE_GLOBAL_FUNCTIONS(VITRINE_MEMBER)
};

/** Functions of an instance: `vk.CreateDevice(…)` calls vkCreateDevice. */
struct InstanceFunctions {
  VITRINE_INSTANCE_FUNCTIONS(VITRINE_MEMBER)
};

struct DeviceFunctions {
  VkDevice device = VK_NULL_HANDLE;
  VITRINE_DEVICE_FUNCTIONS(VITRINE_MEMBER)
};

#undef VITRINE_MEMBER

/** Error: Missing if the loader or driver lacks a function; the error names it. */
[[nodiscard]] Result<GlobalFunctions> loadGlobalFunctions();
[[nodiscard]] Result<InstanceFunctions> loadInstanceFunctions(VkInstance instance);
[[nodiscard]] Result<DeviceFunctions> loadDeviceFunctions(const InstanceFunctions& vk, VkDevice device);

} // namespace vitrine::vulkan
