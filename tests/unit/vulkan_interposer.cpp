#include "tests/unit/vulkan_interposer.h"

#include <dlfcn.h>

#include <atomic>
#include <string>
#include <tuple>

namespace {

using vitrine::test::driverCalls;

struct Failure {
  std::string function;
  VkResult result = VK_SUCCESS;
  unsigned skip = 0;
} failure;
std::atomic<void (*)()> submitHook = nullptr;

bool hasImport(const void* next) {
  for (const auto* entry = static_cast<const VkBaseInStructure*>(next); entry != nullptr; entry = entry->pNext) {
    if (entry->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR) return true;
  }
  return false;
}

void noteAllocation(const VkMemoryAllocateInfo& info) {
  driverCalls().allocations += 1;
  if (hasImport(info.pNext)) driverCalls().memoryImports += 1;
}

void noteName(std::string_view name) {
  if (name == "vkQueueSubmit") {
    driverCalls().queueSubmits += 1;
    if (auto hook = submitHook.load()) hook();
  }
  if (name == "vkGetMemoryFdPropertiesKHR") driverCalls().fdQueries += 1;
}

/** The failure asked for, where its turn has come. */
VkResult takeFailure(std::string_view name) {
  if (failure.function != name) return VK_SUCCESS;
  if (failure.skip > 0) {
    failure.skip -= 1;
    return VK_SUCCESS;
  }
  failure.function.clear();
  return failure.result;
}

/** Stands in for one function: counts, fails when asked to, else passes on. */
template<size_t Slot, typename Function>
struct Stand;
template<size_t Slot, typename... Arguments>
struct Stand<Slot, VkResult(VKAPI_PTR*)(Arguments...)> {
  static inline VkResult(VKAPI_PTR* real)(Arguments...) = nullptr;
  static inline const char* name = "";
  static VKAPI_ATTR VkResult VKAPI_CALL call(Arguments... arguments) {
    noteName(name);
    if constexpr (Slot == 0) noteAllocation(*std::get<1>(std::tuple(arguments...)));
    if constexpr (Slot == 1)
      driverCalls().semaphoresWaited += std::get<2>(std::tuple(arguments...))->waitSemaphoreCount;
    if (const VkResult result = takeFailure(name); result != VK_SUCCESS) return result;
    return real(arguments...);
  }
};

#define VITRINE_STANDS(X)                                                                                              \
  X(0, AllocateMemory)                                                                                                 \
  X(1, QueueSubmit)                                                                                                    \
  X(2, GetMemoryFdPropertiesKHR)                                                                                       \
  X(3, CreateImage)                                                                                                    \
  X(4, BindImageMemory)                                                                                                \
  X(5, CreateImageView)                                                                                                \
  X(6, AllocateDescriptorSets)                                                                                         \
  X(7, CreateFramebuffer)                                                                                              \
  X(8, CreateBuffer)                                                                                                   \
  X(9, MapMemory)                                                                                                      \
  X(10, BindBufferMemory)                                                                                              \
  X(11, GetSemaphoreFdKHR)                                                                                             \
  X(12, ImportSemaphoreFdKHR)                                                                                          \
  X(13, BeginCommandBuffer)                                                                                            \
  X(14, EndCommandBuffer)                                                                                              \
  X(15, ResetCommandPool)                                                                                              \
  X(16, WaitSemaphores)                                                                                                \
  X(17, CreateSemaphore)                                                                                               \
  X(18, CreateCommandPool)                                                                                             \
  X(19, CreateGraphicsPipelines)

PFN_vkGetInstanceProcAddr realGetInstanceProcAddr() {
  // Not RTLD_NEXT: with its one symbol defined here, the linker may leave libvulkan out.
  static const auto real = reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      dlsym(dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL), "vkGetInstanceProcAddr"));
  return real;
}

// Functions are passed on to the loader's own, which find their device by the handle: there may be several devices.
VkInstance lastInstance = VK_NULL_HANDLE;
PFN_vkGetDeviceProcAddr realGetDeviceProcAddr = nullptr;
PFN_vkCmdPipelineBarrier realPipelineBarrier = nullptr;

void pipelineBarrier(VkCommandBuffer buffer, VkPipelineStageFlags from, VkPipelineStageFlags to,
                     VkDependencyFlags flags, uint32_t memoryCount, const VkMemoryBarrier* memory, uint32_t bufferCount,
                     const VkBufferMemoryBarrier* buffers, uint32_t imageCount, const VkImageMemoryBarrier* images) {
  for (uint32_t i = 0; i < imageCount; ++i) {
    if (images[i].srcQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT) driverCalls().foreignAcquires += 1;
    if (images[i].dstQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT) driverCalls().foreignReleases += 1;
  }
  realPipelineBarrier(buffer, from, to, flags, memoryCount, memory, bufferCount, buffers, imageCount, images);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL getDeviceProcAddr(VkDevice device, const char* name) {
  const PFN_vkVoidFunction found = realGetDeviceProcAddr(device, name);
#define VITRINE_STAND(slot, function)                                                                                  \
  if (std::string_view(name) == "vk" #function) {                                                                      \
    using This = Stand<slot, PFN_vk##function>;                                                                        \
    This::real = reinterpret_cast<PFN_vk##function>(realGetInstanceProcAddr()(lastInstance, name));                    \
    This::name = "vk" #function;                                                                                       \
    return reinterpret_cast<PFN_vkVoidFunction>(&This::call);                                                          \
  }
  VITRINE_STANDS(VITRINE_STAND)
#undef VITRINE_STAND
  if (std::string_view(name) == "vkCmdPipelineBarrier") {
    realPipelineBarrier = reinterpret_cast<PFN_vkCmdPipelineBarrier>(realGetInstanceProcAddr()(lastInstance, name));
    return reinterpret_cast<PFN_vkVoidFunction>(&pipelineBarrier);
  }
  return found;
}

} // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  const PFN_vkVoidFunction found = realGetInstanceProcAddr()(instance, name);
  if (instance != VK_NULL_HANDLE) lastInstance = instance;
  if (std::string_view(name) == "vkCreateDevice" && found != nullptr) {
    using This = Stand<20, PFN_vkCreateDevice>;
    This::real = reinterpret_cast<PFN_vkCreateDevice>(found);
    This::name = "vkCreateDevice";
    return reinterpret_cast<PFN_vkVoidFunction>(&This::call);
  }
  if (std::string_view(name) != "vkGetDeviceProcAddr") return found;
  realGetDeviceProcAddr = reinterpret_cast<PFN_vkGetDeviceProcAddr>(found);
  return reinterpret_cast<PFN_vkVoidFunction>(&getDeviceProcAddr);
}

namespace vitrine::test {

DriverCalls& driverCalls() {
  static DriverCalls calls;
  return calls;
}

void failCall(std::string_view function, VkResult result, unsigned skip) {
  failure = {std::string(function), result, skip};
}

bool failureHappened() {
  const bool happened = failure.function.empty();
  failure.function.clear();
  return happened;
}

void setSubmitHook(void (*hook)()) {
  submitHook = hook;
}

} // namespace vitrine::test
