// Command pools and command buffers; queries and secondary command buffers.

#include <format>

#include "tests/platform/gpu/rules.h"

namespace vitrine::gpu {

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateCommandPool(VkDevice handle, const VkCommandPoolCreateInfo* info,
                                                        const VkAllocationCallbacks* callbacks, VkCommandPool* pool) {
  VkCommandPoolCreateInfo ordinary = *info;
  ordinary.flags &= ~VkCommandPoolCreateFlags{VK_COMMAND_POOL_CREATE_PROTECTED_BIT};
  const VkResult result = lavapipe().CreateCommandPool(handle, &ordinary, callbacks, pool);
  if (result != VK_SUCCESS) return result;
  const bool isProtected = (info->flags & VK_COMMAND_POOL_CREATE_PROTECTED_BIT) != 0;
  const Lock lock(state().mutex);
  const auto& device = state().devices.at(handle);
  if (isProtected && !device->protectedMemory) {
    state().lose(*device, {"VUID-VkCommandPoolCreateInfo-flags-02860",
                           "vkCreateCommandPool: protected without the protectedMemory feature"});
  }
  state().protectedPools[*pool] = isProtected;
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyCommandPool(VkDevice device, VkCommandPool pool,
                                                     const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    std::erase_if(state().commandBuffers, [&](const auto& entry) { return entry.second.pool == pool; });
    state().protectedPools.erase(pool);
  }
  lavapipe().DestroyCommandPool(device, pool, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::ResetCommandPool(VkDevice device, VkCommandPool pool,
                                                       VkCommandPoolResetFlags flags) {
  {
    const Lock lock(state().mutex);
    for (auto& [handle, buffer] : state().commandBuffers) {
      if (buffer.pool == pool) buffer.restart();
    }
  }
  return lavapipe().ResetCommandPool(device, pool, flags);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::AllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo* info,
                                                             VkCommandBuffer* buffers) {
  const VkResult result = lavapipe().AllocateCommandBuffers(device, info, buffers);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  for (uint32_t i = 0; i < info->commandBufferCount; ++i) {
    CommandBuffer& buffer = state().commandBuffers[buffers[i]];
    buffer = {};
    buffer.pool = info->commandPool;
    buffer.isProtected = state().protectedPools.at(info->commandPool);
  }
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::FreeCommandBuffers(VkDevice device, VkCommandPool pool, uint32_t count,
                                                     const VkCommandBuffer* buffers) {
  {
    const Lock lock(state().mutex);
    for (uint32_t i = 0; i < count; ++i)
      state().commandBuffers.erase(buffers[i]);
  }
  lavapipe().FreeCommandBuffers(device, pool, count, buffers);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::BeginCommandBuffer(VkCommandBuffer buffer, const VkCommandBufferBeginInfo* info) {
  Recording(buffer, "vkBeginCommandBuffer").buffer().restart();
  return lavapipe().BeginCommandBuffer(buffer, info);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::ResetCommandBuffer(VkCommandBuffer buffer, VkCommandBufferResetFlags flags) {
  Recording(buffer, "vkResetCommandBuffer").buffer().restart();
  return lavapipe().ResetCommandBuffer(buffer, flags);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdExecuteCommands(VkCommandBuffer primary, uint32_t count,
                                                     const VkCommandBuffer* secondaries) {
  {
    Recording recording(primary, "vkCmdExecuteCommands");
    for (uint32_t i = 0; i < count; ++i) {
      const CommandBuffer& secondary = state().commandBuffers.at(secondaries[i]);
      if (secondary.isProtected != recording.isProtected()) {
        recording.violates(recording.isProtected() ? "01820" : "01821",
                           "executes " + describe(secondaries[i], secondary));
      }
      recording.drawsToAttachments(accessRules,
                                   accessRules); // of the pass, which a secondary may not know
      if (secondary.violation && !recording.buffer().violation) recording.buffer().violation = secondary.violation;
    }
  }
  lavapipe().CmdExecuteCommands(primary, count, secondaries);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBeginQuery(VkCommandBuffer buffer, VkQueryPool pool, uint32_t query,
                                                VkQueryControlFlags flags) {
  Recording(buffer, "vkCmdBeginQuery").onlyUnprotected("01885");
  lavapipe().CmdBeginQuery(buffer, pool, query, flags);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdEndQuery(VkCommandBuffer buffer, VkQueryPool pool, uint32_t query) {
  Recording(buffer, "vkCmdEndQuery").onlyUnprotected("01886");
  lavapipe().CmdEndQuery(buffer, pool, query);
}

} // namespace vitrine::gpu
