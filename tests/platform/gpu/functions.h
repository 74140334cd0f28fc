#pragma once

#include <type_traits>

#include "tests/platform/gpu/vulkan_include.h"

// The Vulkan functions that this driver implements in front of lavapipe. All others are lavapipe's own.
// clang-format off
#define VITRINE_GPU_FACTS(X) \
  X(CreateInstance) X(GetPhysicalDeviceProperties) X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures) \
  X(GetPhysicalDeviceFeatures2) \
  X(GetPhysicalDeviceQueueFamilyProperties) X(GetPhysicalDeviceQueueFamilyProperties2) \
  X(GetPhysicalDeviceMemoryProperties) X(GetPhysicalDeviceMemoryProperties2) \
  X(GetPhysicalDeviceImageFormatProperties) X(GetPhysicalDeviceImageFormatProperties2) \
  X(GetPhysicalDeviceExternalBufferProperties) X(EnumerateDeviceExtensionProperties)

#define VITRINE_GPU_DEVICE(X) \
  X(CreateDevice) X(DestroyDevice) X(GetDeviceProcAddr) X(GetDeviceQueue) X(GetDeviceQueue2)

#define VITRINE_GPU_MEMORY(X) \
  X(AllocateMemory) X(FreeMemory) X(MapMemory) X(GetMemoryFdKHR) X(GetMemoryFdPropertiesKHR) \
  X(BindImageMemory) X(BindImageMemory2) X(BindBufferMemory) X(BindBufferMemory2) \
  X(GetImageMemoryRequirements) X(GetImageMemoryRequirements2) X(GetDeviceImageMemoryRequirements) \
  X(GetBufferMemoryRequirements) X(GetBufferMemoryRequirements2) X(GetDeviceBufferMemoryRequirements)

#define VITRINE_GPU_OBJECTS(X) \
  X(CreateImage) X(DestroyImage) X(CreateBuffer) X(DestroyBuffer) X(CreateImageView) X(DestroyImageView) \
  X(CreateBufferView) X(DestroyBufferView) X(CreateFramebuffer) X(DestroyFramebuffer) X(CreateRenderPass) \
  X(CreateRenderPass2) X(DestroyRenderPass)

#define VITRINE_GPU_DESCRIPTORS(X) \
  X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(ResetDescriptorPool) X(DestroyDescriptorPool) \
  X(AllocateDescriptorSets) X(FreeDescriptorSets) X(UpdateDescriptorSets) X(CreateDescriptorUpdateTemplate) \
  X(DestroyDescriptorUpdateTemplate) X(UpdateDescriptorSetWithTemplate)

#define VITRINE_GPU_PIPELINES(X) \
  X(CreateShaderModule) X(DestroyShaderModule) X(CreateGraphicsPipelines) X(CreateComputePipelines) X(DestroyPipeline)

#define VITRINE_GPU_COMMAND_BUFFERS(X) \
  X(CreateCommandPool) X(DestroyCommandPool) X(ResetCommandPool) X(AllocateCommandBuffers) X(FreeCommandBuffers) \
  X(BeginCommandBuffer) X(ResetCommandBuffer) X(CmdExecuteCommands) X(CmdBeginQuery) X(CmdEndQuery)

#define VITRINE_GPU_DRAWS(X) \
  X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdBindVertexBuffers) X(CmdBindVertexBuffers2) X(CmdBindIndexBuffer) \
  X(CmdBeginRenderPass) X(CmdBeginRenderPass2) X(CmdBeginRendering) X(CmdEndRenderPass) X(CmdEndRenderPass2) \
  X(CmdEndRendering) X(CmdClearAttachments) \
  X(CmdDraw) X(CmdDrawIndexed) X(CmdDrawIndirect) X(CmdDrawIndexedIndirect) X(CmdDrawIndirectCount) \
  X(CmdDrawIndexedIndirectCount) X(CmdDispatch) X(CmdDispatchBase) X(CmdDispatchIndirect)

#define VITRINE_GPU_TRANSFERS(X) \
  X(CmdCopyBuffer) X(CmdCopyBuffer2) X(CmdCopyImage) X(CmdCopyImage2) X(CmdCopyBufferToImage) X(CmdCopyBufferToImage2) \
  X(CmdCopyImageToBuffer) X(CmdCopyImageToBuffer2) X(CmdBlitImage) X(CmdBlitImage2) X(CmdResolveImage) \
  X(CmdResolveImage2) X(CmdClearColorImage) X(CmdClearDepthStencilImage) X(CmdFillBuffer) X(CmdUpdateBuffer) \
  X(CmdCopyQueryPoolResults)

#define VITRINE_GPU_QUEUES(X) \
  X(QueueSubmit) X(QueueSubmit2) X(QueueBindSparse) X(QueueWaitIdle) X(DeviceWaitIdle) X(WaitForFences) \
  X(GetFenceStatus) X(WaitSemaphores) X(SignalSemaphore) X(GetSemaphoreCounterValue) X(GetEventStatus) \
  X(GetQueryPoolResults)

#define VITRINE_GPU_FUNCTIONS(X) \
  VITRINE_GPU_FACTS(X) VITRINE_GPU_DEVICE(X) VITRINE_GPU_MEMORY(X) VITRINE_GPU_OBJECTS(X) VITRINE_GPU_DESCRIPTORS(X) \
  VITRINE_GPU_PIPELINES(X) VITRINE_GPU_COMMAND_BUFFERS(X) VITRINE_GPU_DRAWS(X) VITRINE_GPU_TRANSFERS(X) \
  VITRINE_GPU_QUEUES(X)
// clang-format on

namespace vitrine::gpu {

/** Lavapipe's functions, one member each. */
struct Lavapipe {
#define VITRINE_GPU_MEMBER(name) PFN_vk##name name = nullptr;
  VITRINE_GPU_FUNCTIONS(VITRINE_GPU_MEMBER)
#undef VITRINE_GPU_MEMBER
  PFN_vkGetInstanceProcAddr getInstanceProcAddr = nullptr;
  PFN_vkGetInstanceProcAddr getPhysicalDeviceProcAddr = nullptr; ///< vk_icdGetPhysicalDeviceProcAddr
  VkResult(VKAPI_PTR* negotiate)(uint32_t* version) = nullptr;
};

/** Loads lavapipe on first use. If it is not installed, ends the program with a line on stderr. */
Lavapipe& lavapipe();

/** Loads missing functions. Mesa's device-level functions dispatch by their handle, so one table serves all devices. */
void loadLavapipe(VkInstance instance);

/** This driver's functions, with the same names and types. */
namespace entry {
#define VITRINE_GPU_DECLARE(name) std::remove_pointer_t<PFN_vk##name> name;
VITRINE_GPU_FUNCTIONS(VITRINE_GPU_DECLARE)
#undef VITRINE_GPU_DECLARE
} // namespace entry

} // namespace vitrine::gpu
