// Memory. Lavapipe gets protected memory as views, which the kernel makes accessible during protected jobs only.

#include <fcntl.h>

#include <cerrno>
#include <format>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {
namespace {

Fd duplicate(int fd) {
  return Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/** Gives lavapipe a view of `original` for its dma-buf. */
VkResult importView(const Device& device, const VkMemoryAllocateInfo& info, const VkAllocationCallbacks* callbacks,
                    const Fd& original, VkDeviceMemory* memory) {
  Fd view = device.node.view(original.get());
  if (!view) return errno == ENOMEM ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_ERROR_INVALID_EXTERNAL_HANDLE;
  const auto* dedication =
      findInChain<VkMemoryDedicatedAllocateInfo>(info.pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
  VkMemoryDedicatedAllocateInfo dedicated{.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO};
  if (dedication != nullptr) {
    dedicated.image = dedication->image;
    dedicated.buffer = dedication->buffer;
  }
  const VkImportMemoryFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                       .pNext = dedication == nullptr ? nullptr : &dedicated,
                                       .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                                       .fd = view.get()};
  const VkMemoryAllocateInfo ordinary{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                      .pNext = &import,
                                      .allocationSize = info.allocationSize,
                                      .memoryTypeIndex = 0};
  const VkResult result = lavapipe().AllocateMemory(device.handle, &ordinary, callbacks, memory);
  if (result == VK_SUCCESS) static_cast<void>(view.release());
  return result;
}

/** Allocates protected memory: the imported dma-buf, or else a buffer of the heap. */
VkResult allocateProtectedMemory(Device& device, const VkMemoryAllocateInfo& info,
                                 const VkAllocationCallbacks* callbacks, VkDeviceMemory* memory) {
  const auto* import = findInChain<VkImportMemoryFdInfoKHR>(info.pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
  if (import != nullptr && import->handleType != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
  Fd original = import == nullptr ? allocateProtected(info.allocationSize) : duplicate(import->fd);
  if (!original) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const VkResult result = importView(device, info, callbacks, original, memory);
  if (result != VK_SUCCESS) return result;
  if (import != nullptr) close(import->fd); // the driver owns it since the import succeeded
  const Lock lock(state().mutex);
  state().memories[*memory] = {true, std::move(original)};
  if (!device.protectedMemory) {
    state().lose(device, {"VUID-VkMemoryAllocateInfo-memoryTypeIndex-01872",
                          "vkAllocateMemory: protected memory without the protectedMemory feature"});
  }
  return result;
}

std::shared_ptr<Device> deviceOf(VkDevice handle) {
  const Lock lock(state().mutex);
  return state().devices.at(handle);
}

/** Protected resources have the protected memory type only; all others have every type but that. */
void mask(VkMemoryRequirements& requirements, bool isProtected, const Device& device) {
  const uint32_t protectedBit = 1U << device.protectedType;
  requirements.memoryTypeBits = isProtected ? protectedBit : requirements.memoryTypeBits & ~protectedBit;
}

void checkBinding(VkDevice handle, const Resource& resource, VkDeviceMemory memory, const char* command,
                  const char* needsProtected, const char* mustNotBeProtected) {
  const auto found = state().memories.find(memory);
  const bool inProtected = found != state().memories.end() && found->second.isProtected;
  if (resource.isProtected == inProtected) return;
  state().lose(*state().devices.at(handle), {resource.isProtected ? needsProtected : mustNotBeProtected,
                                             std::format("{}: {} to {} memory", command, describe(resource),
                                                         inProtected ? "protected" : "ordinary")});
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL entry::AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo* info,
                                                     const VkAllocationCallbacks* callbacks, VkDeviceMemory* memory) {
  const auto device = deviceOf(handle);
  if (info->memoryTypeIndex == device->protectedType) return allocateProtectedMemory(*device, *info, callbacks, memory);
  return lavapipe().AllocateMemory(handle, info, callbacks, memory);
}

VKAPI_ATTR void VKAPI_CALL entry::FreeMemory(VkDevice handle, VkDeviceMemory memory,
                                             const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().memories.erase(memory);
  }
  lavapipe().FreeMemory(handle, memory, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::MapMemory(VkDevice handle, VkDeviceMemory memory, VkDeviceSize offset,
                                                VkDeviceSize size, VkMemoryMapFlags flags, void** data) {
  {
    const Lock lock(state().mutex);
    if (state().memories.contains(memory)) {
      state().lose(*state().devices.at(handle),
                   {"VUID-vkMapMemory-memory-00682", "vkMapMemory: of protected memory, which is not host visible"});
      return VK_ERROR_MEMORY_MAP_FAILED;
    }
  }
  return lavapipe().MapMemory(handle, memory, offset, size, flags, data);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetMemoryFdKHR(VkDevice handle, const VkMemoryGetFdInfoKHR* info, int* fd) {
  {
    const Lock lock(state().mutex);
    const auto found = state().memories.find(info->memory);
    if (found != state().memories.end()) { // not the view, which is for this driver alone
      *fd = duplicate(found->second.original.get()).release();
      return *fd < 0 ? VK_ERROR_TOO_MANY_OBJECTS : VK_SUCCESS;
    }
  }
  return lavapipe().GetMemoryFdKHR(handle, info, fd);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::GetMemoryFdPropertiesKHR(VkDevice handle, VkExternalMemoryHandleTypeFlagBits type,
                                                               int fd, VkMemoryFdPropertiesKHR* properties) {
  const auto device = deviceOf(handle);
  if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) {
    if (device->node.view(fd)) {
      properties->memoryTypeBits = 1U << device->protectedType;
      return VK_SUCCESS;
    }
    if (errno != EOPNOTSUPP) return VK_ERROR_INVALID_EXTERNAL_HANDLE;
  }
  const VkResult result = lavapipe().GetMemoryFdPropertiesKHR(handle, type, fd, properties);
  properties->memoryTypeBits &= ~(1U << device->protectedType);
  return result;
}

// ---- Requirements ----

VKAPI_ATTR void VKAPI_CALL entry::GetImageMemoryRequirements(VkDevice handle, VkImage image,
                                                             VkMemoryRequirements* requirements) {
  lavapipe().GetImageMemoryRequirements(handle, image, requirements);
  const Lock lock(state().mutex);
  mask(*requirements, lookUp(state().images, image).isProtected, *state().devices.at(handle));
}

VKAPI_ATTR void VKAPI_CALL entry::GetImageMemoryRequirements2(VkDevice handle,
                                                              const VkImageMemoryRequirementsInfo2* info,
                                                              VkMemoryRequirements2* requirements) {
  lavapipe().GetImageMemoryRequirements2(handle, info, requirements);
  const Lock lock(state().mutex);
  mask(requirements->memoryRequirements, lookUp(state().images, info->image).isProtected, *state().devices.at(handle));
}

VKAPI_ATTR void VKAPI_CALL entry::GetDeviceImageMemoryRequirements(VkDevice handle,
                                                                   const VkDeviceImageMemoryRequirements* info,
                                                                   VkMemoryRequirements2* requirements) {
  VkImageCreateInfo image = *info->pCreateInfo;
  image.flags &= ~VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT};
  VkDeviceImageMemoryRequirements ordinary = *info;
  ordinary.pCreateInfo = &image;
  lavapipe().GetDeviceImageMemoryRequirements(handle, &ordinary, requirements);
  mask(requirements->memoryRequirements, (info->pCreateInfo->flags & VK_IMAGE_CREATE_PROTECTED_BIT) != 0,
       *deviceOf(handle));
}

VKAPI_ATTR void VKAPI_CALL entry::GetBufferMemoryRequirements(VkDevice handle, VkBuffer buffer,
                                                              VkMemoryRequirements* requirements) {
  lavapipe().GetBufferMemoryRequirements(handle, buffer, requirements);
  const Lock lock(state().mutex);
  mask(*requirements, lookUp(state().buffers, buffer).isProtected, *state().devices.at(handle));
}

VKAPI_ATTR void VKAPI_CALL entry::GetBufferMemoryRequirements2(VkDevice handle,
                                                               const VkBufferMemoryRequirementsInfo2* info,
                                                               VkMemoryRequirements2* requirements) {
  lavapipe().GetBufferMemoryRequirements2(handle, info, requirements);
  const Lock lock(state().mutex);
  mask(requirements->memoryRequirements, lookUp(state().buffers, info->buffer).isProtected,
       *state().devices.at(handle));
}

VKAPI_ATTR void VKAPI_CALL entry::GetDeviceBufferMemoryRequirements(VkDevice handle,
                                                                    const VkDeviceBufferMemoryRequirements* info,
                                                                    VkMemoryRequirements2* requirements) {
  VkBufferCreateInfo buffer = *info->pCreateInfo;
  buffer.flags &= ~VkBufferCreateFlags{VK_BUFFER_CREATE_PROTECTED_BIT};
  VkDeviceBufferMemoryRequirements ordinary = *info;
  ordinary.pCreateInfo = &buffer;
  lavapipe().GetDeviceBufferMemoryRequirements(handle, &ordinary, requirements);
  mask(requirements->memoryRequirements, (info->pCreateInfo->flags & VK_BUFFER_CREATE_PROTECTED_BIT) != 0,
       *deviceOf(handle));
}

// ---- Binding ----

VKAPI_ATTR VkResult VKAPI_CALL entry::BindImageMemory(VkDevice handle, VkImage image, VkDeviceMemory memory,
                                                      VkDeviceSize offset) {
  {
    const Lock lock(state().mutex);
    checkBinding(handle, lookUp(state().images, image), memory, "vkBindImageMemory",
                 "VUID-vkBindImageMemory-None-01901", "VUID-vkBindImageMemory-None-01902");
  }
  return lavapipe().BindImageMemory(handle, image, memory, offset);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::BindImageMemory2(VkDevice handle, uint32_t count,
                                                       const VkBindImageMemoryInfo* infos) {
  {
    const Lock lock(state().mutex);
    for (uint32_t i = 0; i < count; ++i) {
      checkBinding(handle, lookUp(state().images, infos[i].image), infos[i].memory, "vkBindImageMemory2",
                   "VUID-VkBindImageMemoryInfo-None-01901", "VUID-VkBindImageMemoryInfo-None-01902");
    }
  }
  return lavapipe().BindImageMemory2(handle, count, infos);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::BindBufferMemory(VkDevice handle, VkBuffer buffer, VkDeviceMemory memory,
                                                       VkDeviceSize offset) {
  {
    const Lock lock(state().mutex);
    checkBinding(handle, lookUp(state().buffers, buffer), memory, "vkBindBufferMemory",
                 "VUID-vkBindBufferMemory-None-01898", "VUID-vkBindBufferMemory-None-01899");
  }
  return lavapipe().BindBufferMemory(handle, buffer, memory, offset);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::BindBufferMemory2(VkDevice handle, uint32_t count,
                                                        const VkBindBufferMemoryInfo* infos) {
  {
    const Lock lock(state().mutex);
    for (uint32_t i = 0; i < count; ++i) {
      checkBinding(handle, lookUp(state().buffers, infos[i].buffer), infos[i].memory, "vkBindBufferMemory2",
                   "VUID-VkBindBufferMemoryInfo-None-01898", "VUID-VkBindBufferMemoryInfo-None-01899");
    }
  }
  return lavapipe().BindBufferMemory2(handle, count, infos);
}

} // namespace vitrine::gpu
