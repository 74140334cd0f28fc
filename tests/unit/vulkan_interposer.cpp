#include "tests/unit/vulkan_interposer.h"

#include <dlfcn.h>
#include <drm_fourcc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

namespace {

using vitrine::test::driverCalls;

struct Failure {
  std::string function;
  std::vector<VkResult> results; ///< of one call after another
  unsigned skip = 0;
} failure;
std::mutex failureMutex;
auto fdTypes = vitrine::test::FdTypes::Asked;
unsigned fdTypesTimes = 0; ///< that it is still answered
std::atomic<void (*)()> submitHook = nullptr;
std::atomic<int> fence = -1;

bool hasInChain(const void* next, VkStructureType type) {
  for (const auto* entry = static_cast<const VkBaseInStructure*>(next); entry != nullptr; entry = entry->pNext) {
    if (entry->sType == type) return true;
  }
  return false;
}

/** Null where the chain has none. */
template<typename Structure>
Structure* findInChain(void* next, VkStructureType type) {
  for (auto* entry = static_cast<VkBaseOutStructure*>(next); entry != nullptr; entry = entry->pNext) {
    if (entry->sType == type) return reinterpret_cast<Structure*>(entry);
  }
  return nullptr;
}

PFN_vkGetPhysicalDeviceFeatures2 realFeatures = nullptr;
PFN_vkGetPhysicalDeviceProperties2 realProperties = nullptr;

VKAPI_ATTR void VKAPI_CALL features(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* features) {
  realFeatures(device, features);
  auto* access = findInChain<VkPhysicalDevicePipelineProtectedAccessFeaturesEXT>(
      features->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT);
  const auto& pretended = vitrine::test::pretence().pipelineProtectedAccess;
  if (access != nullptr && pretended) access->pipelineProtectedAccess = *pretended ? VK_TRUE : VK_FALSE;
}

void pretendLimits(VkPhysicalDeviceLimits& limits) {
  if (const auto& count = vitrine::test::pretence().maximumAllocations) limits.maxMemoryAllocationCount = *count;
}

VKAPI_ATTR void VKAPI_CALL properties(VkPhysicalDevice device, VkPhysicalDeviceProperties2* properties) {
  realProperties(device, properties);
  auto* protection = findInChain<VkPhysicalDeviceProtectedMemoryProperties>(
      properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_PROPERTIES);
  const auto& pretended = vitrine::test::pretence().protectedNoFault;
  if (protection != nullptr && pretended) protection->protectedNoFault = *pretended ? VK_TRUE : VK_FALSE;
  if (const auto& extent = vitrine::test::pretence().maximumExtent)
    properties->properties.limits.maxImageDimension2D = *extent;
  pretendLimits(properties->properties.limits);
}

PFN_vkGetPhysicalDeviceProperties realFirstProperties = nullptr;

VKAPI_ATTR void VKAPI_CALL firstProperties(VkPhysicalDevice device, VkPhysicalDeviceProperties* properties) {
  realFirstProperties(device, properties);
  if (const auto& vendor = vitrine::test::pretence().vendorId) properties->vendorID = *vendor;
  pretendLimits(properties->limits);
}

PFN_vkGetPhysicalDeviceMemoryProperties realMemoryProperties = nullptr;
VkPhysicalDeviceMemoryProperties memoryTypes{}; ///< as the renderer was told

VKAPI_ATTR void VKAPI_CALL memoryProperties(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties* properties) {
  realMemoryProperties(device, properties);
  memoryTypes = *properties;
}

void noteAllocation(const VkMemoryAllocateInfo& info) {
  driverCalls().allocations += 1;
  if (!hasInChain(info.pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR)) return;
  driverCalls().memoryImports += 1;
  if (hasInChain(info.pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO)) driverCalls().dedicatedImports += 1;
  const VkMemoryPropertyFlags flags = memoryTypes.memoryTypes[info.memoryTypeIndex].propertyFlags;
  if ((flags & VK_MEMORY_PROPERTY_PROTECTED_BIT) != 0) driverCalls().protectedImports += 1;
}

std::map<VkDevice, unsigned> liveAllocations; ///< made and not yet freed

bool isRoomForAllocation(VkDevice device) {
  const auto& most = vitrine::test::pretence().maximumAllocations;
  if (!most || liveAllocations[device] < *most) return true;
  driverCalls().allocationsBeyondLimit += 1;
  return false;
}

uint32_t protectedTypes() {
  uint32_t bits = 0;
  for (uint32_t type = 0; type < memoryTypes.memoryTypeCount; ++type) {
    const bool isProtected = (memoryTypes.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_PROTECTED_BIT) != 0;
    bits |= isProtected ? 1U << type : 0;
  }
  return bits;
}

uint32_t everyType() {
  return (1U << memoryTypes.memoryTypeCount) - 1;
}

PFN_vkGetImageMemoryRequirements2 realImageRequirements = nullptr;

VKAPI_ATTR void VKAPI_CALL imageRequirements(VkDevice device, const VkImageMemoryRequirementsInfo2* info,
                                             VkMemoryRequirements2* requirements) {
  using enum vitrine::test::FdTypes;
  realImageRequirements(device, info, requirements);
  if (fdTypesTimes > 0 && fdTypes != Asked && fdTypes != None) {
    requirements->memoryRequirements.memoryTypeBits = fdTypes == Protected ? protectedTypes() : everyType();
  }
}

/** `bits` of a successful vkGetMemoryFdPropertiesKHR, which were `before` the call. */
void setFdTypes(uint32_t& bits, uint32_t before) {
  if (fdTypesTimes == 0) return;
  if (fdTypesTimes != UINT_MAX) fdTypesTimes -= 1;
  switch (fdTypes) {
  case vitrine::test::FdTypes::Asked:
    break;
  case vitrine::test::FdTypes::All:
    bits = everyType();
    break;
  case vitrine::test::FdTypes::Unwritten:
    bits = before;
    break;
  case vitrine::test::FdTypes::Protected:
    bits = protectedTypes();
    break;
  case vitrine::test::FdTypes::None:
    bits = 1U << 31;
    break;
  }
}

void notePipeline(const VkGraphicsPipelineCreateInfo& info) {
  driverCalls().pipelines += 1;
  if ((info.flags & VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT_EXT) != 0) driverCalls().protectedOnlyPipelines += 1;
  if ((info.flags & VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT_EXT) != 0) driverCalls().noProtectedPipelines += 1;
}

void noteSampler(const VkSamplerCreateInfo& info) {
  driverCalls().linearSamplers += info.magFilter == VK_FILTER_LINEAR && info.minFilter == VK_FILTER_LINEAR ? 1 : 0;
}

void noteSubmit(const VkSubmitInfo& info) {
  driverCalls().semaphoresWaited += info.waitSemaphoreCount;
  if (hasInChain(info.pNext, VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO)) driverCalls().protectedSubmits += 1;
}

void noteName(std::string_view name) {
  if (name == "vkQueueSubmit") {
    driverCalls().queueSubmits += 1;
    if (auto hook = submitHook.load()) hook();
  }
  if (name == "vkGetMemoryFdPropertiesKHR") driverCalls().fdQueries += 1;
  if (name == "vkCreateImage") driverCalls().imageCreations += 1;
  if (name == "vkWaitSemaphores") driverCalls().cpuWaits += 1;
}

/** Puts the fence asked for in the place of the driver's. */
void replaceFence(int& syncFile) {
  if (fence < 0) return;
  if (syncFile >= 0) close(syncFile);
  syncFile = dup(fence);
}

/** The failure asked for, where its turn has come. */
VkResult takeFailure(std::string_view name) {
  const std::lock_guard lock(failureMutex);
  if (failure.function != name) return VK_SUCCESS;
  if (failure.skip > 0) {
    failure.skip -= 1;
    return VK_SUCCESS;
  }
  const VkResult result = failure.results.front();
  failure.results.erase(failure.results.begin());
  if (failure.results.empty()) failure.function.clear();
  return result;
}

/** A modifier that the driver does not know: see offerModifier(). */
struct OfferedModifier {
  uint64_t modifier = 0;
  unsigned extraPlanes = 0;
  std::vector<VkFormat> formats;

  [[nodiscard]] bool isFor(VkFormat format) const { return std::ranges::find(formats, format) != formats.end(); }
} offered;

PFN_vkGetPhysicalDeviceFormatProperties2 realFormatProperties = nullptr;
PFN_vkGetPhysicalDeviceImageFormatProperties2 realImageFormatProperties = nullptr;

/** LINEAR's entry, and a copy of it for the offered modifier. */
void formatWithOffer(VkPhysicalDevice device, VkFormat format, VkFormatProperties2* properties) {
  auto* list = static_cast<VkDrmFormatModifierPropertiesListEXT*>(properties->pNext);
  VkDrmFormatModifierPropertiesEXT* entries = list != nullptr ? list->pDrmFormatModifierProperties : nullptr;
  if (list == nullptr || !offered.isFor(format)) return realFormatProperties(device, format, properties);
  list->drmFormatModifierCount = 1; // all that lavapipe has
  realFormatProperties(device, format, properties);
  list->drmFormatModifierCount += 1;
  if (entries == nullptr) return;
  entries[1] = entries[0];
  entries[1].drmFormatModifier = offered.modifier;
  entries[1].drmFormatModifierPlaneCount += offered.extraPlanes;
}

VKAPI_ATTR void VKAPI_CALL formatProperties(VkPhysicalDevice device, VkFormat format, VkFormatProperties2* properties) {
  formatWithOffer(device, format, properties);
  const auto pretend = [](VkFormatFeatureFlags& features) {
    if (features == 0) return;
    features &= ~vitrine::test::pretence().lackingFeatures;
    features |= vitrine::test::pretence().grantedFeatures;
  };
  pretend(properties->formatProperties.optimalTilingFeatures);
  pretend(properties->formatProperties.linearTilingFeatures);
  const auto* list = static_cast<const VkDrmFormatModifierPropertiesListEXT*>(properties->pNext);
  if (list == nullptr || list->pDrmFormatModifierProperties == nullptr) return;
  for (uint32_t i = 0; i < list->drmFormatModifierCount; ++i)
    pretend(list->pDrmFormatModifierProperties[i].drmFormatModifierTilingFeatures);
}

VKAPI_ATTR VkResult VKAPI_CALL imageFormatProperties(VkPhysicalDevice device,
                                                     const VkPhysicalDeviceImageFormatInfo2* info,
                                                     VkImageFormatProperties2* properties) {
  if (const VkResult result = takeFailure("vkGetPhysicalDeviceImageFormatProperties2"); result != VK_SUCCESS)
    return result;
  if (!offered.isFor(info->format)) return realImageFormatProperties(device, info, properties);
  auto external = *static_cast<const VkPhysicalDeviceExternalImageFormatInfo*>(info->pNext);
  auto modifier = *static_cast<const VkPhysicalDeviceImageDrmFormatModifierInfoEXT*>(external.pNext);
  modifier.drmFormatModifier = DRM_FORMAT_MOD_LINEAR;
  external.pNext = &modifier;
  VkPhysicalDeviceImageFormatInfo2 linear = *info;
  linear.pNext = &external;
  return realImageFormatProperties(device, &linear, properties);
}

/** The image as LINEAR, where its modifier is the offered one. */
struct LinearImage {
  VkImageDrmFormatModifierExplicitCreateInfoEXT modifier;
  VkExternalMemoryImageCreateInfo external;
  VkImageCreateInfo info;

  explicit LinearImage(const VkImageCreateInfo& image)
      : external(*static_cast<const VkExternalMemoryImageCreateInfo*>(image.pNext)), info(image) {
    modifier = *static_cast<const VkImageDrmFormatModifierExplicitCreateInfoEXT*>(external.pNext);
    if (modifier.drmFormatModifier == offered.modifier) {
      modifier.drmFormatModifier = DRM_FORMAT_MOD_LINEAR;
      modifier.drmFormatModifierPlaneCount -= offered.extraPlanes;
    }
    external.pNext = &modifier;
    info.pNext = &external;
  }
};

/** Whether the function creates a kind of object that DriverCalls::liveObjects counts. A Destroyer counts it down. */
bool isCounted(std::string_view name) {
  constexpr std::string_view makers[] = {"vkAllocateMemory",
                                         "vkCreateImage",
                                         "vkCreateImageView",
                                         "vkCreateSampler",
                                         "vkCreateSamplerYcbcrConversion",
                                         "vkCreateDescriptorSetLayout",
                                         "vkCreateDescriptorPool",
                                         "vkCreatePipelineLayout",
                                         "vkCreateGraphicsPipelines",
                                         "vkCreatePipelineCache",
                                         "vkCreateRenderPass",
                                         "vkCreateShaderModule",
                                         "vkCreateFramebuffer",
                                         "vkCreateBuffer",
                                         "vkCreateSemaphore",
                                         "vkCreateCommandPool",
                                         "vkCreateInstance",
                                         "vkCreateDebugUtilsMessengerEXT",
                                         "vkCreateDevice"};
  return std::ranges::find(makers, name) != std::end(makers);
}

/** Passes that need not keep what was in their area. */
std::vector<VkRenderPass> replacingPasses;

/** A function's name as a template argument. */
template<size_t length>
struct FunctionName {
  constexpr FunctionName(const char (&name)[length]) { std::ranges::copy(name, text); }
  constexpr bool operator==(std::string_view other) const { return std::string_view(text) == other; }
  char text[length]{};
};

/** Stands in for a function that destroys an object: counts. */
template<FunctionName name, typename Function>
struct Destroyer;
template<FunctionName name, typename Handle>
struct Destroyer<name, void(VKAPI_PTR*)(Handle, const VkAllocationCallbacks*)> {
  static inline void(VKAPI_PTR* real)(Handle, const VkAllocationCallbacks*) = nullptr;
  static VKAPI_ATTR void VKAPI_CALL call(Handle object, const VkAllocationCallbacks* callbacks) {
    driverCalls().liveObjects -= 1;
    real(object, callbacks);
  }
};
template<FunctionName name, typename Parent, typename Handle>
struct Destroyer<name, void(VKAPI_PTR*)(Parent, Handle, const VkAllocationCallbacks*)> {
  static inline void(VKAPI_PTR* real)(Parent, Handle, const VkAllocationCallbacks*) = nullptr;
  static VKAPI_ATTR void VKAPI_CALL call(Parent parent, Handle object, const VkAllocationCallbacks* callbacks) {
    if (object != Handle(VK_NULL_HANDLE)) driverCalls().liveObjects -= 1;
    if constexpr (name == "vkFreeMemory") liveAllocations[parent] -= object != Handle(VK_NULL_HANDLE) ? 1 : 0;
    real(parent, object, callbacks);
  }
};

/** Stands in for a function that returns a VkResult: counts, and fails if asked to; otherwise calls the driver. */
template<FunctionName name, typename Function>
struct Interposed;
template<FunctionName name, typename... Arguments>
struct Interposed<name, VkResult(VKAPI_PTR*)(Arguments...)> {
  static inline VkResult(VKAPI_PTR* real)(Arguments...) = nullptr;
  static VKAPI_ATTR VkResult VKAPI_CALL call(Arguments... arguments) {
    noteName(name.text);
    if constexpr (name == "vkAllocateMemory") noteAllocation(*std::get<1>(std::tuple(arguments...)));
    if constexpr (name == "vkQueueSubmit") noteSubmit(*std::get<2>(std::tuple(arguments...)));
    if constexpr (name == "vkCreatePipelineCache")
      driverCalls().pipelineCacheBytes += std::get<1>(std::tuple(arguments...))->initialDataSize;
    if constexpr (name == "vkCreateSampler") noteSampler(*std::get<1>(std::tuple(arguments...)));
    if constexpr (name == "vkCreateGraphicsPipelines") notePipeline(*std::get<3>(std::tuple(arguments...)));
    if (const VkResult result = takeFailure(name.text); result != VK_SUCCESS) return result;
    VkResult result = VK_SUCCESS;
    if constexpr (name == "vkGetMemoryFdPropertiesKHR") {
      uint32_t& bits = std::get<3>(std::tuple(arguments...))->memoryTypeBits;
      const uint32_t before = bits;
      result = real(arguments...);
      if (result == VK_SUCCESS) setFdTypes(bits, before);
    } else if constexpr (name == "vkAllocateMemory") {
      result =
          isRoomForAllocation(std::get<0>(std::tuple(arguments...))) ? real(arguments...) : VK_ERROR_TOO_MANY_OBJECTS;
    } else if constexpr (name == "vkCreateImage") {
      result = createImage(arguments...);
    } else if constexpr (name == "vkCreateRenderPass") {
      result = createRenderPass(arguments...);
    } else {
      result = real(arguments...);
    }
    if constexpr (name == "vkGetSemaphoreFdKHR") {
      if (result == VK_SUCCESS) replaceFence(*std::get<2>(std::tuple(arguments...)));
    }
    if (result == VK_SUCCESS && isCounted(name.text)) driverCalls().liveObjects += 1;
    if constexpr (name == "vkAllocateMemory") {
      if (result == VK_SUCCESS) liveAllocations[std::get<0>(std::tuple(arguments...))] += 1;
    }
    if (result == VK_ERROR_DEVICE_LOST) driverCalls().devicesLost += 1;
    return result;
  }
  static VkResult createImage(VkDevice device, const VkImageCreateInfo* info, const VkAllocationCallbacks* callbacks,
                              VkImage* image) {
    if (info->tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT || !offered.isFor(info->format)) {
      return real(device, info, callbacks, image);
    }
    const LinearImage linear(*info);
    return real(device, &linear.info, callbacks, image);
  }
  /** A pass that need not keep what was there clears it. */
  static VkResult createRenderPass(VkDevice device, const VkRenderPassCreateInfo* info,
                                   const VkAllocationCallbacks* callbacks, VkRenderPass* pass) {
    const bool keeps = info->pAttachments->loadOp != VK_ATTACHMENT_LOAD_OP_DONT_CARE;
    VkAttachmentDescription attachment = *info->pAttachments;
    if (!keeps) attachment.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR;
    VkRenderPassCreateInfo clearing = *info;
    clearing.pAttachments = &attachment;
    const VkResult result = real(device, &clearing, callbacks, pass);
    std::erase(replacingPasses, *pass); // a handle may be used again
    if (result == VK_SUCCESS && !keeps) replacingPasses.push_back(*pass);
    return result;
  }
};

// clang-format off
#define VITRINE_DEVICE_INTERPOSED(X) \
  X(AllocateMemory) X(QueueSubmit) X(GetMemoryFdPropertiesKHR) X(CreateImage) X(BindImageMemory) \
  X(CreateImageView) X(AllocateDescriptorSets) X(CreateFramebuffer) X(CreateBuffer) X(MapMemory) \
  X(BindBufferMemory) X(GetSemaphoreFdKHR) X(ImportSemaphoreFdKHR) X(BeginCommandBuffer) X(EndCommandBuffer) \
  X(ResetCommandPool) X(WaitSemaphores) X(CreateSemaphore) X(CreateCommandPool) X(CreateGraphicsPipelines) \
  X(CreateSamplerYcbcrConversion) X(CreateSampler) X(CreateDescriptorSetLayout) X(CreatePipelineLayout) \
  X(CreateDescriptorPool) X(CreateRenderPass) X(CreateShaderModule) X(AllocateCommandBuffers) \
  X(GetSemaphoreCounterValue) X(CreatePipelineCache)

/** Looked up from an instance, or before there is one. */
#define VITRINE_INSTANCE_INTERPOSED(X) \
  X(CreateDevice) X(CreateInstance) X(EnumerateInstanceLayerProperties) X(CreateDebugUtilsMessengerEXT) \
  X(EnumeratePhysicalDevices) X(EnumerateDeviceExtensionProperties)

#define VITRINE_DEVICE_DESTROYERS(X) \
  X(FreeMemory) X(DestroyImage) X(DestroyImageView) X(DestroySampler) X(DestroySamplerYcbcrConversion) \
  X(DestroyDescriptorSetLayout) X(DestroyDescriptorPool) X(DestroyPipelineLayout) X(DestroyPipeline) \
  X(DestroyPipelineCache) \
  X(DestroyRenderPass) X(DestroyShaderModule) X(DestroyFramebuffer) X(DestroyBuffer) X(DestroySemaphore) \
  X(DestroyCommandPool) X(DestroyDevice)

#define VITRINE_INSTANCE_DESTROYERS(X) \
  X(DestroyInstance) X(DestroyDebugUtilsMessengerEXT)
// clang-format on

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
PFN_vkCmdBeginRenderPass realBeginRenderPass = nullptr;
auto barriers = vitrine::test::Barriers::Kept;

void pipelineBarrier(VkCommandBuffer buffer, VkPipelineStageFlags from, VkPipelineStageFlags to,
                     VkDependencyFlags flags, uint32_t memoryCount, const VkMemoryBarrier* memory, uint32_t bufferCount,
                     const VkBufferMemoryBarrier* buffers, uint32_t imageCount, const VkImageMemoryBarrier* images) {
  for (uint32_t i = 0; i < imageCount; ++i) {
    if (images[i].srcQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT) driverCalls().foreignAcquires += 1;
    if (images[i].dstQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT) driverCalls().foreignReleases += 1;
  }
  std::vector<VkImageMemoryBarrier> weak;
  switch (barriers) {
  case vitrine::test::Barriers::Kept:
    realPipelineBarrier(buffer, from, to, flags, memoryCount, memory, bufferCount, buffers, imageCount, images);
    break;
  case vitrine::test::Barriers::Weakened:
    weak.assign(images, images + imageCount);
    for (VkImageMemoryBarrier& image : weak)
      image.srcAccessMask = image.dstAccessMask = 0;
    realPipelineBarrier(buffer, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, flags, 0,
                        nullptr, 0, nullptr, imageCount, weak.data());
    break;
  case vitrine::test::Barriers::Dropped:
    break;
  }
}

VKAPI_ATTR void VKAPI_CALL beginRenderPass(VkCommandBuffer buffer, const VkRenderPassBeginInfo* info,
                                           VkSubpassContents contents) {
  const bool replaces = std::ranges::find(replacingPasses, info->renderPass) != replacingPasses.end();
  driverCalls().passes += 1;
  driverCalls().replacingPasses += replaces ? 1 : 0;
  const VkClearValue garbage{.color = {.float32 = {1, 0, 0.75F, 0.25F}}};
  VkRenderPassBeginInfo clearing = *info;
  if (replaces) {
    clearing.clearValueCount = 1;
    clearing.pClearValues = &garbage;
  }
  realBeginRenderPass(buffer, &clearing, contents);
}

#define VITRINE_HAND_OUT(Substitute, function)                                                                         \
  if (name == "vk" #function) {                                                                                        \
    using This = Substitute<"vk" #function, PFN_vk##function>;                                                         \
    This::real = reinterpret_cast<PFN_vk##function>(real);                                                             \
    return reinterpret_cast<PFN_vkVoidFunction>(&This::call);                                                          \
  }
#define VITRINE_INTERPOSE(function) VITRINE_HAND_OUT(Interposed, function)
#define VITRINE_DESTROYER(function) VITRINE_HAND_OUT(Destroyer, function)
#define VITRINE_REPLACE(function, keep, instead)                                                                       \
  if (name == "vk" #function) {                                                                                        \
    keep = reinterpret_cast<PFN_vk##function>(real);                                                                   \
    return reinterpret_cast<PFN_vkVoidFunction>(&instead);                                                             \
  }

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL getDeviceProcAddr(VkDevice device, const char* wanted) {
  const std::string_view name = wanted;
  if (name == vitrine::test::pretence().lackingFunction) return nullptr;
  const PFN_vkVoidFunction real = realGetInstanceProcAddr()(lastInstance, wanted);
  VITRINE_DEVICE_INTERPOSED(VITRINE_INTERPOSE)
  VITRINE_DEVICE_DESTROYERS(VITRINE_DESTROYER)
  VITRINE_REPLACE(CmdPipelineBarrier, realPipelineBarrier, pipelineBarrier)
  VITRINE_REPLACE(CmdBeginRenderPass, realBeginRenderPass, beginRenderPass)
  VITRINE_REPLACE(GetImageMemoryRequirements2, realImageRequirements, imageRequirements)
  return realGetDeviceProcAddr(device, wanted);
}

} // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* wanted) {
  const std::string_view name = wanted;
  const PFN_vkVoidFunction real = realGetInstanceProcAddr()(instance, wanted);
  if (instance != VK_NULL_HANDLE) lastInstance = instance;
  if (real == nullptr || name == vitrine::test::pretence().lackingFunction) return nullptr;
  VITRINE_INSTANCE_INTERPOSED(VITRINE_INTERPOSE)
  VITRINE_INSTANCE_DESTROYERS(VITRINE_DESTROYER)
  VITRINE_REPLACE(GetPhysicalDeviceFeatures2, realFeatures, features)
  VITRINE_REPLACE(GetPhysicalDeviceProperties, realFirstProperties, firstProperties)
  VITRINE_REPLACE(GetPhysicalDeviceProperties2, realProperties, properties)
  VITRINE_REPLACE(GetPhysicalDeviceMemoryProperties, realMemoryProperties, memoryProperties)
  VITRINE_REPLACE(GetPhysicalDeviceFormatProperties2, realFormatProperties, formatProperties)
  VITRINE_REPLACE(GetPhysicalDeviceImageFormatProperties2, realImageFormatProperties, imageFormatProperties)
  VITRINE_REPLACE(GetDeviceProcAddr, realGetDeviceProcAddr, getDeviceProcAddr)
  return real;
}

namespace vitrine::test {

DriverCalls& driverCalls() {
  static DriverCalls calls;
  return calls;
}

void failCall(std::string_view function, VkResult result, unsigned skip) {
  failCalls(function, {result}, skip);
}

void failCalls(std::string_view function, std::vector<VkResult> results, unsigned skip) {
  const std::lock_guard lock(failureMutex);
  failure = {std::string(function), std::move(results), skip};
}

void answerFdTypes(FdTypes types, unsigned times) {
  fdTypes = types;
  fdTypesTimes = times;
}

Pretence& pretence() {
  static Pretence what;
  return what;
}

bool failureHappened() {
  const std::lock_guard lock(failureMutex);
  const bool happened = failure.function.empty();
  failure.function.clear();
  return happened;
}

void offerModifier(uint64_t modifier, unsigned extraPlanes, std::vector<VkFormat> formats) {
  offered = {modifier, extraPlanes, std::move(formats)};
}

void setBarriers(Barriers what) {
  barriers = what;
}

void setFence(int syncFile) {
  fence = syncFile;
}

void setSubmitHook(void (*hook)()) {
  submitHook = hook;
}

} // namespace vitrine::test
