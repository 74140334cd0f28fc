#include "tests/unit/protected_pretender.h"

#include <dlfcn.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string_view>

namespace {

using vitrine::test::protectedCalls;

VkInstance lastInstance = VK_NULL_HANDLE;
uint32_t pretendedType = 0;
std::set<VkCommandPool> protectedPools;
std::set<VkCommandBuffer> protectedBuffers;
std::set<VkImage> protectedImages;

PFN_vkGetInstanceProcAddr realGetInstanceProcAddr() {
  static const auto real = reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      dlsym(dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL), "vkGetInstanceProcAddr"));
  return real;
}

/** The loader's function, which finds instance or device by the handle. Kept, since the last instance may be gone. */
#define VITRINE_REAL(name)                                                                                             \
  ([] {                                                                                                                \
    static const auto real = reinterpret_cast<PFN_vk##name>(realGetInstanceProcAddr()(lastInstance, "vk" #name));      \
    return real;                                                                                                       \
  }())

/** The targets of our VkPhysicalDevice handles. They are never freed, since instances come and go. */
struct Physical {
  VkPhysicalDevice real;
  vitrine::test::PretendedDevice says;
};
std::deque<Physical> physicals;
std::vector<vitrine::test::PretendedDevice> pretended(1);
bool plainFamilyFirst = false; ///< of the last device

const Physical& physicalOf(VkPhysicalDevice handle) {
  return *reinterpret_cast<const Physical*>(handle);
}

VkResult enumerateDevices(VkInstance instance, uint32_t* count, VkPhysicalDevice* handles) {
  uint32_t one = 1;
  VkPhysicalDevice first = VK_NULL_HANDLE;
  const VkResult result = VITRINE_REAL(EnumeratePhysicalDevices)(instance, &one, &first);
  if (result < VK_SUCCESS) return result;
  *count = static_cast<uint32_t>(pretended.size());
  for (uint32_t i = 0; handles != nullptr && i < *count; ++i)
    handles[i] = reinterpret_cast<VkPhysicalDevice>(&physicals.emplace_back(first, pretended[i]));
  return VK_SUCCESS;
}

/** The driver's queue family, with protected submits if `isProtected`. */
uint32_t realFamily(uint32_t family, bool isProtected) {
  if (!plainFamilyFirst) return family;
  if (isProtected && family == 0) protectedCalls().wrongFamily += 1;
  return family == 0 ? 0 : family - 1;
}

void setProperties(VkPhysicalDeviceProperties& properties, const Physical& physical) {
  properties.deviceType = physical.says.type;
  if (physical.says.apiVersion != 0) properties.apiVersion = physical.says.apiVersion;
  physical.says.name.copy(properties.deviceName, VK_MAX_PHYSICAL_DEVICE_NAME_SIZE - 1);
  properties.deviceName[std::min<size_t>(physical.says.name.size(), VK_MAX_PHYSICAL_DEVICE_NAME_SIZE - 1)] = 0;
}

void getProperties(VkPhysicalDevice device, VkPhysicalDeviceProperties* properties) {
  VITRINE_REAL(GetPhysicalDeviceProperties)(physicalOf(device).real, properties);
  setProperties(*properties, physicalOf(device));
}

void getProperties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2* properties) {
  VITRINE_REAL(GetPhysicalDeviceProperties2)(physicalOf(device).real, properties);
  setProperties(properties->properties, physicalOf(device));
}

VkResult getExtensions(VkPhysicalDevice device, const char* layer, uint32_t* count, VkExtensionProperties* extensions) {
  const VkResult result =
      VITRINE_REAL(EnumerateDeviceExtensionProperties)(physicalOf(device).real, layer, count, extensions);
  for (uint32_t i = 0; extensions != nullptr && i < *count; ++i) {
    if (physicalOf(device).says.lacks == extensions[i].extensionName) extensions[i].extensionName[0] = 'x';
  }
  return result;
}

void getFormat(VkPhysicalDevice device, VkFormat format, VkFormatProperties2* properties) {
  VITRINE_REAL(GetPhysicalDeviceFormatProperties2)(physicalOf(device).real, format, properties);
}

void getSemaphore(VkPhysicalDevice device, const VkPhysicalDeviceExternalSemaphoreInfo* info,
                  VkExternalSemaphoreProperties* properties) {
  VITRINE_REAL(GetPhysicalDeviceExternalSemaphoreProperties)(physicalOf(device).real, info, properties);
  if (!physicalOf(device).says.syncFiles) properties->externalSemaphoreFeatures = 0;
}

/**
 * Removes the structure of `type` from a chain; null if there is none. The chains are the renderer's local variables.
 */
VkBaseOutStructure* unlink(const void* chain, VkStructureType type) {
  auto* before = static_cast<VkBaseOutStructure*>(const_cast<void*>(chain));
  for (; before != nullptr && before->pNext != nullptr; before = before->pNext) {
    if (before->pNext->sType != type) continue;
    VkBaseOutStructure* found = before->pNext;
    before->pNext = found->pNext;
    return found;
  }
  return nullptr;
}

void getFeatures(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* features) {
  VITRINE_REAL(GetPhysicalDeviceFeatures2)(physicalOf(device).real, features);
  for (auto* entry = static_cast<VkBaseOutStructure*>(features->pNext); entry != nullptr; entry = entry->pNext) {
    if (entry->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES) {
      reinterpret_cast<VkPhysicalDeviceProtectedMemoryFeatures*>(entry)->protectedMemory =
          physicalOf(device).says.feature;
    }
    // The validation layer sees ordinary command buffers, and would report pipelines that are not for them.
    if (entry->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT) {
      reinterpret_cast<VkPhysicalDevicePipelineProtectedAccessFeaturesEXT*>(entry)->pipelineProtectedAccess = VK_FALSE;
    }
  }
}

void getQueueFamilies(VkPhysicalDevice device, uint32_t* count, VkQueueFamilyProperties* families) {
  const auto& says = physicalOf(device).says;
  const uint32_t first = says.plainFamilyFirst ? 1 : 0;
  *count -= families != nullptr ? first : 0;
  VITRINE_REAL(GetPhysicalDeviceQueueFamilyProperties)
  (physicalOf(device).real, count, families != nullptr ? families + first : nullptr);
  *count += first;
  for (uint32_t i = first; families != nullptr && i < *count; ++i) {
    families[i].queueFlags &= ~VkQueueFlags{VK_QUEUE_PROTECTED_BIT};
    if (!says.graphics) families[i].queueFlags &= ~VkQueueFlags{VK_QUEUE_GRAPHICS_BIT};
    if (first != 0) families[0] = families[i];
    if (says.queue) families[i].queueFlags |= VK_QUEUE_PROTECTED_BIT;
  }
}

void getMemory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties* memory) {
  VITRINE_REAL(GetPhysicalDeviceMemoryProperties)(physicalOf(device).real, memory);
  for (VkMemoryType& type : memory->memoryTypes)
    type.propertyFlags &= ~VkMemoryPropertyFlags{VK_MEMORY_PROPERTY_PROTECTED_BIT};
  if (!physicalOf(device).says.memoryType) return;
  pretendedType = memory->memoryTypeCount++;
  memory->memoryTypes[pretendedType] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT, 0};
}

VkResult getImageFormat(VkPhysicalDevice device, const VkPhysicalDeviceImageFormatInfo2* info,
                        VkImageFormatProperties2* properties) {
  VkPhysicalDeviceImageFormatInfo2 ordinary = *info;
  ordinary.flags &= ~VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT};
  return VITRINE_REAL(GetPhysicalDeviceImageFormatProperties2)(physicalOf(device).real, &ordinary, properties);
}

VkResult createDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info, const VkAllocationCallbacks* callbacks,
                      VkDevice* device) {
  VkDeviceQueueCreateInfo queue = info->pQueueCreateInfos[0];
  plainFamilyFirst = physicalOf(physical).says.plainFamilyFirst;
  queue.queueFamilyIndex =
      realFamily(queue.queueFamilyIndex, (queue.flags & VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT) != 0);
  queue.flags = 0;
  VkDeviceCreateInfo ordinary = *info;
  ordinary.pQueueCreateInfos = &queue;
  unlink(&ordinary, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES);
  return VITRINE_REAL(CreateDevice)(physicalOf(physical).real, &ordinary, callbacks, device);
}

void getQueue(VkDevice device, const VkDeviceQueueInfo2* info, VkQueue* queue) {
  VkDeviceQueueInfo2 ordinary = *info;
  ordinary.queueFamilyIndex =
      realFamily(info->queueFamilyIndex, (info->flags & VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT) != 0);
  ordinary.flags = 0;
  VITRINE_REAL(GetDeviceQueue2)(device, &ordinary, queue);
}

VkResult createPool(VkDevice device, const VkCommandPoolCreateInfo* info, const VkAllocationCallbacks* callbacks,
                    VkCommandPool* pool) {
  VkCommandPoolCreateInfo ordinary = *info;
  ordinary.queueFamilyIndex =
      realFamily(info->queueFamilyIndex, (info->flags & VK_COMMAND_POOL_CREATE_PROTECTED_BIT) != 0);
  ordinary.flags &= ~VkCommandPoolCreateFlags{VK_COMMAND_POOL_CREATE_PROTECTED_BIT};
  const VkResult result = VITRINE_REAL(CreateCommandPool)(device, &ordinary, callbacks, pool);
  protectedPools.erase(*pool); // of an earlier pool with the same handle
  if ((info->flags & VK_COMMAND_POOL_CREATE_PROTECTED_BIT) != 0) protectedPools.insert(*pool);
  return result;
}

VkResult allocateBuffers(VkDevice device, const VkCommandBufferAllocateInfo* info, VkCommandBuffer* buffers) {
  const VkResult result = VITRINE_REAL(AllocateCommandBuffers)(device, info, buffers);
  protectedBuffers.erase(buffers[0]);
  if (protectedPools.contains(info->commandPool)) protectedBuffers.insert(buffers[0]);
  return result;
}

VkResult createImage(VkDevice device, const VkImageCreateInfo* info, const VkAllocationCallbacks* callbacks,
                     VkImage* image) {
  VkImageCreateInfo ordinary = *info;
  ordinary.flags &= ~VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT};
  const VkResult result = VITRINE_REAL(CreateImage)(device, &ordinary, callbacks, image);
  protectedImages.erase(*image);
  if ((info->flags & VK_IMAGE_CREATE_PROTECTED_BIT) != 0) protectedImages.insert(*image);
  return result;
}

void getRequirements(VkDevice device, const VkImageMemoryRequirementsInfo2* info, VkMemoryRequirements2* requirements) {
  VITRINE_REAL(GetImageMemoryRequirements2)(device, info, requirements);
  if (protectedImages.contains(info->image)) requirements->memoryRequirements.memoryTypeBits = 1U << pretendedType;
}

VkResult getFdProperties(VkDevice device, VkExternalMemoryHandleTypeFlagBits type, int fd,
                         VkMemoryFdPropertiesKHR* properties) {
  const VkResult result = VITRINE_REAL(GetMemoryFdPropertiesKHR)(device, type, fd, properties);
  properties->memoryTypeBits |= 1U << pretendedType;
  return result;
}

VkResult allocate(VkDevice device, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks* callbacks,
                  VkDeviceMemory* memory) {
  VkMemoryAllocateInfo ordinary = *info;
  if (info->memoryTypeIndex == pretendedType) {
    ordinary.memoryTypeIndex = 0;
    protectedCalls().imports += 1;
  }
  return VITRINE_REAL(AllocateMemory)(device, &ordinary, callbacks, memory);
}

VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
  const bool flagged = unlink(infos, VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO) != nullptr;
  const bool pooled = protectedBuffers.contains(infos->pCommandBuffers[0]);
  (flagged ? protectedCalls().protectedSubmits : protectedCalls().ordinarySubmits) += 1;
  if (flagged != pooled) protectedCalls().mixedUp += 1;
  return VITRINE_REAL(QueueSubmit)(queue, count, infos, fence);
}

struct Replacement {
  std::string_view name;
  PFN_vkVoidFunction function;
};
#define VITRINE_REPLACE(name, function)                                                                                \
  {"vk" #name, reinterpret_cast<PFN_vkVoidFunction>(static_cast<PFN_vk##name>(function))}

PFN_vkVoidFunction getDeviceProcAddr(VkDevice device, const char* name);

const Replacement replacements[] = {VITRINE_REPLACE(EnumeratePhysicalDevices, enumerateDevices),
                                    VITRINE_REPLACE(GetPhysicalDeviceProperties, getProperties),
                                    VITRINE_REPLACE(GetPhysicalDeviceProperties2, getProperties2),
                                    VITRINE_REPLACE(EnumerateDeviceExtensionProperties, getExtensions),
                                    VITRINE_REPLACE(GetPhysicalDeviceFormatProperties2, getFormat),
                                    VITRINE_REPLACE(GetPhysicalDeviceExternalSemaphoreProperties, getSemaphore),
                                    VITRINE_REPLACE(GetPhysicalDeviceFeatures2, getFeatures),
                                    VITRINE_REPLACE(GetPhysicalDeviceQueueFamilyProperties, getQueueFamilies),
                                    VITRINE_REPLACE(GetPhysicalDeviceMemoryProperties, getMemory),
                                    VITRINE_REPLACE(GetPhysicalDeviceImageFormatProperties2, getImageFormat),
                                    VITRINE_REPLACE(CreateDevice, createDevice),
                                    VITRINE_REPLACE(GetDeviceProcAddr, getDeviceProcAddr),
                                    VITRINE_REPLACE(GetDeviceQueue2, getQueue),
                                    VITRINE_REPLACE(CreateCommandPool, createPool),
                                    VITRINE_REPLACE(AllocateCommandBuffers, allocateBuffers),
                                    VITRINE_REPLACE(CreateImage, createImage),
                                    VITRINE_REPLACE(GetImageMemoryRequirements2, getRequirements),
                                    VITRINE_REPLACE(GetMemoryFdPropertiesKHR, getFdProperties),
                                    VITRINE_REPLACE(AllocateMemory, allocate),
                                    VITRINE_REPLACE(QueueSubmit, submit)};

PFN_vkVoidFunction replaced(const char* name, PFN_vkVoidFunction otherwise) {
  for (const Replacement& replacement : replacements) {
    if (replacement.name == name) return replacement.function;
  }
  return otherwise;
}

PFN_vkVoidFunction getDeviceProcAddr(VkDevice device, const char* name) {
  return replaced(name, VITRINE_REAL(GetDeviceProcAddr)(device, name));
}

} // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  if (instance != VK_NULL_HANDLE) lastInstance = instance;
  return replaced(name, realGetInstanceProcAddr()(instance, name));
}

namespace vitrine::test {

ProtectedCalls& protectedCalls() {
  static ProtectedCalls calls;
  return calls;
}

void pretendDevices(std::vector<PretendedDevice> devices) {
  pretended = std::move(devices);
}

} // namespace vitrine::test
