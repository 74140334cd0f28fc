// Submits and waits: where broken rules strike, and where a lost device shows.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <format>
#include <ranges>
#include <span>
#include <string_view>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {
namespace {

/** VITRINE_GPU_RESET_AT=N,M…: the process's N-th and M-th submits find that the GPU was reset. For tests of recovery.
 * VITRINE_GPU_STAYS_GONE=1: from the first reset on, no device can be created: the GPU was unplugged, or its driver gave up. */
bool resetStrikes() {
  static std::atomic<unsigned> submits = 0;
  const unsigned number = ++submits;
  const char* list = std::getenv("VITRINE_GPU_RESET_AT");
  if (list == nullptr) return false;
  for (const auto part : std::views::split(std::string_view(list), ',')) {
    if (std::string_view(part) == std::to_string(number)) return true;
  }
  return false;
}

std::shared_ptr<Device> deviceOf(VkDevice handle) {
  const Lock lock(state().mutex);
  return state().devices.at(handle);
}

std::shared_ptr<Device> deviceOf(VkQueue handle) {
  const Lock lock(state().mutex);
  return state().queues.at(handle);
}

bool isLost(const Device& device) {
  const Lock lock(state().mutex);
  return device.lost;
}

/** Which rules a submit of either generation answers to. */
struct SubmitRules {
  const char* command;
  const char* queue;
  const char* protectedBuffer;   ///< in an unprotected submit
  const char* unprotectedBuffer; ///< in a protected one
};
constexpr SubmitRules rules1{"vkQueueSubmit", "VUID-vkQueueSubmit-queue-06448", "VUID-VkSubmitInfo-pNext-04120",
                             "VUID-VkSubmitInfo-pNext-04148"};
constexpr SubmitRules rules2{"vkQueueSubmit2", "VUID-vkQueueSubmit2-queue-06447", "VUID-VkSubmitInfo2-flags-03887",
                             "VUID-VkSubmitInfo2-flags-03886"};

/** Judges one batch; loses the device where it breaks a rule. */
void judge(Device& device, bool isProtected, std::span<const VkCommandBuffer> buffers, const SubmitRules& rules) {
  if (isProtected && !device.protectedQueue)
    state().lose(device, {rules.queue, std::format("{}: protected, and its queue is not", rules.command)});
  for (VkCommandBuffer handle : buffers) {
    const CommandBuffer& buffer = state().commandBuffers.at(handle);
    if (buffer.isProtected != isProtected) {
      state().lose(device, {isProtected ? rules.unprotectedBuffer : rules.protectedBuffer,
                            std::format("{}: {} in {} submit", rules.command, describe(handle, buffer),
                                        isProtected ? "a protected" : "an unprotected")});
    }
    if (buffer.violation) state().lose(device, *buffer.violation);
  }
}

bool isProtected(const VkSubmitInfo& info) {
  const auto* protection = findInChain<VkProtectedSubmitInfo>(info.pNext, VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO);
  return protection != nullptr && protection->protectedSubmit == VK_TRUE;
}

bool isProtected(const VkSubmitInfo2& info) {
  return (info.flags & VK_SUBMIT_PROTECTED_BIT) != 0;
}

std::vector<VkCommandBuffer> buffersOf(const VkSubmitInfo& info) {
  return {info.pCommandBuffers, info.pCommandBuffers + info.commandBufferCount};
}

std::vector<VkCommandBuffer> buffersOf(const VkSubmitInfo2& info) {
  std::vector<VkCommandBuffer> buffers;
  for (uint32_t i = 0; i < info.commandBufferInfoCount; ++i)
    buffers.push_back(info.pCommandBufferInfos[i].commandBuffer);
  return buffers;
}

/** False where the device is lost, now or since before. */
template<typename Info>
bool admits(Device& device, std::span<const Info> infos, const SubmitRules& rules) {
  const bool reset = resetStrikes();
  const Lock lock(state().mutex);
  if (reset) {
    state().gone = std::getenv("VITRINE_GPU_STAYS_GONE") != nullptr;
    state().lose(device, {"VITRINE_GPU_RESET_AT", "the GPU was reset"});
  }
  for (const Info& info : infos)
    judge(device, isProtected(info), buffersOf(info), rules);
  return !device.lost;
}

/** A protected submit is a job from here to its end, which is why it is waited for. */
template<typename Info, typename Submit>
VkResult submit(VkQueue queue, std::span<const Info> infos, const SubmitRules& rules, const Submit& pass) {
  const auto device = deviceOf(queue);
  if (!admits(*device, infos, rules)) return VK_ERROR_DEVICE_LOST;
  if (std::ranges::none_of(infos, [](const Info& info) { return isProtected(info); })) return pass();
  const RenderNode::Job job(device->node);
  const VkResult result = pass();
  return result == VK_SUCCESS ? lavapipe().QueueWaitIdle(queue) : result;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL entry::QueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos,
                                                  VkFence fence) {
  // VkProtectedSubmitInfo stays in the chain: lavapipe has no protected work to tell apart, and ignores it.
  return submit(queue, std::span(infos, count), rules1,
                [&] { return lavapipe().QueueSubmit(queue, count, infos, fence); });
}

VKAPI_ATTR VkResult VKAPI_CALL entry::QueueSubmit2(VkQueue queue, uint32_t count, const VkSubmitInfo2* infos,
                                                   VkFence fence) {
  std::vector<VkSubmitInfo2> ordinary(infos, infos + count);
  for (VkSubmitInfo2& info : ordinary)
    info.flags &= ~VkSubmitFlags{VK_SUBMIT_PROTECTED_BIT};
  return submit(queue, std::span(infos, count), rules2,
                [&] { return lavapipe().QueueSubmit2(queue, count, ordinary.data(), fence); });
}

// What else may say that the device is lost.

VKAPI_ATTR VkResult VKAPI_CALL entry::QueueBindSparse(VkQueue queue, uint32_t count, const VkBindSparseInfo* infos,
                                                      VkFence fence) {
  if (isLost(*deviceOf(queue))) return VK_ERROR_DEVICE_LOST;
  return lavapipe().QueueBindSparse(queue, count, infos, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::QueueWaitIdle(VkQueue queue) {
  return isLost(*deviceOf(queue)) ? VK_ERROR_DEVICE_LOST : lavapipe().QueueWaitIdle(queue);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::DeviceWaitIdle(VkDevice device) {
  return isLost(*deviceOf(device)) ? VK_ERROR_DEVICE_LOST : lavapipe().DeviceWaitIdle(device);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::WaitForFences(VkDevice device, uint32_t count, const VkFence* fences,
                                                    VkBool32 all, uint64_t timeout) {
  if (isLost(*deviceOf(device))) return VK_ERROR_DEVICE_LOST;
  return lavapipe().WaitForFences(device, count, fences, all, timeout);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetFenceStatus(VkDevice device, VkFence fence) {
  return isLost(*deviceOf(device)) ? VK_ERROR_DEVICE_LOST : lavapipe().GetFenceStatus(device, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::WaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo* info,
                                                     uint64_t timeout) {
  return isLost(*deviceOf(device)) ? VK_ERROR_DEVICE_LOST : lavapipe().WaitSemaphores(device, info, timeout);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::SignalSemaphore(VkDevice device, const VkSemaphoreSignalInfo* info) {
  return isLost(*deviceOf(device)) ? VK_ERROR_DEVICE_LOST : lavapipe().SignalSemaphore(device, info);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetSemaphoreCounterValue(VkDevice device, VkSemaphore semaphore,
                                                               uint64_t* value) {
  if (isLost(*deviceOf(device))) return VK_ERROR_DEVICE_LOST;
  return lavapipe().GetSemaphoreCounterValue(device, semaphore, value);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetEventStatus(VkDevice device, VkEvent event) {
  return isLost(*deviceOf(device)) ? VK_ERROR_DEVICE_LOST : lavapipe().GetEventStatus(device, event);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetQueryPoolResults(VkDevice device, VkQueryPool pool, uint32_t first,
                                                          uint32_t count, size_t size, void* data, VkDeviceSize stride,
                                                          VkQueryResultFlags flags) {
  if (isLost(*deviceOf(device))) return VK_ERROR_DEVICE_LOST;
  return lavapipe().GetQueryPoolResults(device, pool, first, count, size, data, stride, flags);
}

} // namespace vitrine::gpu
