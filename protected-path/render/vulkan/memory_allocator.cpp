#include "protected-path/render/vulkan/memory_allocator.h"

#include <bit>
#include <format>
#include <utility>

#include "protected-path/render/vulkan/vma_include.h"

namespace vitrine::vulkan {
namespace {

/**
 * The size of a block; the first ones are smaller. An image of more than half of it gets an allocation of its own. So
 * 4,096 allocations hold at least 32 GiB, and a large image leaves less than 16 MiB of its block unused.
 */
constexpr VkDeviceSize blockBytes = 16 << 20;

VmaVulkanFunctions functionsFor(const InstanceFunctions& instance, const DeviceFunctions& vk) {
  return {.vkGetPhysicalDeviceProperties = instance.GetPhysicalDeviceProperties,
          .vkGetPhysicalDeviceMemoryProperties = instance.GetPhysicalDeviceMemoryProperties,
          .vkAllocateMemory = vk.AllocateMemory,
          .vkFreeMemory = vk.FreeMemory,
          .vkMapMemory = vk.MapMemory,
          .vkUnmapMemory = vk.UnmapMemory,
          .vkFlushMappedMemoryRanges = vk.FlushMappedMemoryRanges,
          .vkInvalidateMappedMemoryRanges = vk.InvalidateMappedMemoryRanges,
          .vkBindBufferMemory = vk.BindBufferMemory,
          .vkBindImageMemory = vk.BindImageMemory,
          .vkGetBufferMemoryRequirements = vk.GetBufferMemoryRequirements,
          .vkGetImageMemoryRequirements = vk.GetImageMemoryRequirements,
          .vkCreateBuffer = vk.CreateBuffer,
          .vkDestroyBuffer = vk.DestroyBuffer,
          .vkCreateImage = vk.CreateImage,
          .vkDestroyImage = vk.DestroyImage,
          .vkCmdCopyBuffer = vk.CmdCopyBuffer,
          .vkGetBufferMemoryRequirements2KHR = vk.GetBufferMemoryRequirements2,
          .vkGetImageMemoryRequirements2KHR = vk.GetImageMemoryRequirements2,
          .vkBindBufferMemory2KHR = vk.BindBufferMemory2,
          .vkBindImageMemory2KHR = vk.BindImageMemory2,
          .vkGetPhysicalDeviceMemoryProperties2KHR = instance.GetPhysicalDeviceMemoryProperties2};
}

} // namespace

Memory& Memory::operator=(Memory&& other) noexcept {
  if (this == &other) return *this;
  reset();
  allocator_ = std::exchange(other.allocator_, nullptr);
  part_ = std::exchange(other.part_, VmaAllocation(VK_NULL_HANDLE));
  imported_ = std::exchange(other.imported_, VkDeviceMemory(VK_NULL_HANDLE));
  bytes_ = std::exchange(other.bytes_, nullptr);
  return *this;
}

void Memory::reset() {
  if (allocator_ == nullptr) return;
  if (bytes_ != nullptr) vmaUnmapMemory(allocator_->vma_, part_);
  vmaFreeMemory(allocator_->vma_, part_);
  if (imported_ != VK_NULL_HANDLE) {
    allocator_->vk_.FreeMemory(allocator_->vk_.device, imported_, nullptr);
    allocator_->live_ -= 1;
  }
  allocator_ = nullptr;
}

Result<std::unique_ptr<MemoryAllocator>> MemoryAllocator::create(const Instance& instance,
                                                                 const PhysicalDevice& physical,
                                                                 const DeviceFunctions& vk,
                                                                 RendererCounters& counters) {
  std::unique_ptr<MemoryAllocator> allocator(new MemoryAllocator(physical, vk, counters));
  const VmaVulkanFunctions functions = functionsFor(instance.vk(), vk);
  const VmaDeviceMemoryCallbacks callbacks{.pfnAllocate = &MemoryAllocator::onBlockMade,
                                           .pfnFree = &MemoryAllocator::onBlockFreed,
                                           .pUserData = allocator.get()};
  const VmaAllocatorCreateInfo info{.flags = VMA_ALLOCATOR_CREATE_EXTERNALLY_SYNCHRONIZED_BIT,
                                    .physicalDevice = physical.handle,
                                    .device = vk.device,
                                    .preferredLargeHeapBlockSize = blockBytes,
                                    .pDeviceMemoryCallbacks = &callbacks,
                                    .pVulkanFunctions = &functions,
                                    .instance = instance.handle(),
                                    .vulkanApiVersion = VK_API_VERSION_1_2};
  const VkResult result = vmaCreateAllocator(&info, &allocator->vma_);
  if (result != VK_SUCCESS) return vulkanError("vmaCreateAllocator", physical.report.name, result);
  const VkPhysicalDeviceMemoryProperties* properties = nullptr;
  vmaGetMemoryProperties(allocator->vma_, &properties);
  allocator->typeCount_ = properties->memoryTypeCount;
  for (uint32_t type = 0; type < properties->memoryTypeCount; ++type) {
    const VkMemoryPropertyFlags flags = properties->memoryTypes[type].propertyFlags;
    allocator->ordinaryTypes_ |= (flags & VK_MEMORY_PROPERTY_PROTECTED_BIT) == 0 ? 1U << type : 0;
  }
  return allocator;
}

MemoryAllocator::~MemoryAllocator() {
  vmaDestroyAllocator(vma_);
}

void MemoryAllocator::onBlockMade(VmaAllocator, uint32_t, VkDeviceMemory, VkDeviceSize, void* self) {
  auto& allocator = *static_cast<MemoryAllocator*>(self);
  allocator.counters_.allocations += 1;
  allocator.live_ += 1;
}

void MemoryAllocator::onBlockFreed(VmaAllocator, uint32_t, VkDeviceMemory, VkDeviceSize, void* self) {
  static_cast<MemoryAllocator*>(self)->live_ -= 1;
}

Result<Memory> MemoryAllocator::bindImage(VkImage image, std::string_view object) {
  const VmaAllocationCreateInfo wanted{.preferredFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                       .memoryTypeBits = ordinaryTypes_};
  Memory memory(*this);
  VkResult result = vmaAllocateMemoryForImage(vma_, image, &wanted, &memory.part_, nullptr);
  const char* operation = "vkAllocateMemory";
  if (result == VK_SUCCESS) {
    operation = "vkBindImageMemory";
    result = vmaBindImageMemory(vma_, memory.part_, image);
  }
  if (result == VK_SUCCESS) return memory;
  VkMemoryRequirements requirements{};
  vk_.GetImageMemoryRequirements(vk_.device, image, &requirements);
  return vulkanError(operation, std::format("{} of {} bytes", object, requirements.size), result);
}

Result<Memory> MemoryAllocator::bindHostBuffer(VkBuffer buffer, VkMemoryPropertyFlags preferred,
                                               std::string_view object) {
  const VmaAllocationCreateInfo wanted{.requiredFlags =
                                           VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                       .preferredFlags = preferred,
                                       .memoryTypeBits = ordinaryTypes_};
  Memory memory(*this);
  VkResult result = vmaAllocateMemoryForBuffer(vma_, buffer, &wanted, &memory.part_, nullptr);
  if (result != VK_SUCCESS) return vulkanError("vkAllocateMemory", object, result);
  result = vmaBindBufferMemory(vma_, memory.part_, buffer);
  if (result != VK_SUCCESS) return vulkanError("vkBindBufferMemory", object, result);
  void* address = nullptr;
  result = vmaMapMemory(vma_, memory.part_, &address);
  if (result != VK_SUCCESS) return vulkanError("vkMapMemory", object, result);
  memory.bytes_ = static_cast<std::byte*>(address);
  return memory;
}

std::optional<uint32_t> MemoryAllocator::importType(uint32_t bits, bool isProtected) const {
  const uint32_t allowed = bits & (isProtected ? ~ordinaryTypes_ : ordinaryTypes_);
  const auto first = static_cast<uint32_t>(std::countr_zero(allowed));
  return first < typeCount_ ? std::optional(first) : std::nullopt;
}

Result<Memory> MemoryAllocator::import(const VkMemoryAllocateInfo& info) {
  VkDeviceMemory handle = VK_NULL_HANDLE;
  const VkResult result = vk_.AllocateMemory(vk_.device, &info, nullptr, &handle);
  if (result != VK_SUCCESS) return vulkanError("vkAllocateMemory", "", result);
  Memory memory(*this);
  memory.imported_ = handle;
  counters_.allocations += 1;
  live_ += 1;
  return memory;
}

} // namespace vitrine::vulkan
