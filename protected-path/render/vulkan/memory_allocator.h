#pragma once

#include <memory>
#include <optional>

#include "protected-path/render/renderer.h"
#include "protected-path/render/vulkan/physical_device.h"
#include "protected-path/render/vulkan/vulkan_error.h"
#include "protected-path/render/vulkan/vulkan_functions.h"

VK_DEFINE_HANDLE(VmaAllocator)
VK_DEFINE_HANDLE(VmaAllocation)

namespace vitrine::vulkan {

class MemoryAllocator;

/**
 * The one owner of the memory of an image or a buffer: a part of one of the allocator's blocks, or an imported dma-buf.
 * Declare it before the image or buffer, which must be destroyed first. The Device must outlive it.
 */
class Memory {
public:
  Memory() = default;
  Memory(Memory&& other) noexcept { *this = std::move(other); }
  Memory& operator=(Memory&& other) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { reset(); }

  /** The imported dma-buf's; VK_NULL_HANDLE for a part of a block. */
  [[nodiscard]] VkDeviceMemory imported() const { return imported_; }
  /** Of host memory, mapped for as long as this lives; null otherwise. */
  [[nodiscard]] std::byte* bytes() const { return bytes_; }

private:
  friend class MemoryAllocator;
  explicit Memory(MemoryAllocator& allocator) : allocator_(&allocator) {}
  void reset();
  MemoryAllocator* allocator_ = nullptr;
  VmaAllocation part_ = VK_NULL_HANDLE;
  VkDeviceMemory imported_ = VK_NULL_HANDLE;
  std::byte* bytes_ = nullptr;
};

/**
 * All memory of a device. Drivers allow a number of allocations (VkPhysicalDeviceLimits::maxMemoryAllocationCount, 4,096
 * on many), which clients must not be able to use up: images and buffers of our own are parts of large blocks (Vulkan
 * Memory Allocator), and imported dma-bufs, one allocation each, leave a quarter of the number to the rest.
 * Thread: the renderer's.
 */
class MemoryAllocator {
public:
  /** Error: Vulkan. `vk` and `counters` are borrowed. */
  [[nodiscard]] static Result<std::unique_ptr<MemoryAllocator>> create(const Instance& instance,
                                                                       const PhysicalDevice& physical,
                                                                       const DeviceFunctions& vk,
                                                                       RendererCounters& counters);
  MemoryAllocator(const MemoryAllocator&) = delete;
  MemoryAllocator& operator=(const MemoryAllocator&) = delete;
  ~MemoryAllocator();

  /**
   * Allocates ordinary memory for an image, in the GPU's own memory if possible, and binds it. Error: Vulkan, with
   * `object` and the size.
   */
  [[nodiscard]] Result<Memory> bindImage(VkImage image, std::string_view object);
  /**
   * Allocates host memory (visible, coherent and, if possible, `preferred`) for a buffer, binds and maps it. Error:
   * Vulkan, with `object`.
   */
  [[nodiscard]] Result<Memory> bindHostBuffer(VkBuffer buffer, VkMemoryPropertyFlags preferred,
                                              std::string_view object);
  /** The first type of `bits` that is protected, or that is ordinary. */
  [[nodiscard]] std::optional<uint32_t> importType(uint32_t bits, bool isProtected) const;
  /** Whether one more imported texture leaves a quarter of the driver's allocations to targets and blocks. */
  [[nodiscard]] bool hasRoomForTexture() const { return live_ < most_ - most_ / 4; }
  /** vkAllocateMemory of an imported dma-buf. Error: Vulkan, without an object. */
  [[nodiscard]] Result<Memory> import(const VkMemoryAllocateInfo& info);

private:
  friend class Memory;
  MemoryAllocator(const PhysicalDevice& physical, const DeviceFunctions& vk, RendererCounters& counters)
      : vk_(vk), counters_(counters), most_(physical.maximumAllocations) {}
  static void VKAPI_PTR onBlockMade(VmaAllocator vma, uint32_t type, VkDeviceMemory block, VkDeviceSize sizeBytes,
                                    void* self);
  static void VKAPI_PTR onBlockFreed(VmaAllocator vma, uint32_t type, VkDeviceMemory block, VkDeviceSize sizeBytes,
                                     void* self);
  const DeviceFunctions& vk_;
  RendererCounters& counters_;
  uint32_t typeCount_ = 0;
  uint32_t ordinaryTypes_ = 0; ///< bits of the memory types that are not protected
  uint32_t most_;              ///< allocations that the driver allows
  uint32_t live_ = 0;          ///< allocations, of blocks and imports
  VmaAllocator vma_ = VK_NULL_HANDLE;
};

} // namespace vitrine::vulkan
