#pragma once

#include <cstddef>
#include <vector>

#include "protected-path/render/vulkan/device.h"

namespace vitrine::vulkan {

/** A buffer in host-visible, coherent memory, mapped for its whole life. It is our own memory, never a dma-buf. */
class HostBuffer {
public:
  /** `preferred`: VK_MEMORY_PROPERTY_HOST_CACHED_BIT for reading back. */
  [[nodiscard]] static Result<HostBuffer> create(Device& device, VkDeviceSize sizeBytes, VkBufferUsageFlags usage,
                                                 VkMemoryPropertyFlags preferred);
  [[nodiscard]] VkBuffer handle() const { return buffer_.get(); }
  [[nodiscard]] VkDeviceSize sizeBytes() const { return sizeBytes_; }
  [[nodiscard]] std::byte* bytes() const { return memory_.bytes(); }

private:
  Memory memory_;
  Buffer buffer_;
  VkDeviceSize sizeBytes_ = 0;
};

/**
 * Staging memory of one frame. Pieces are handed out one by one, and all are recycled together when the GPU is done
 * with the frame. Chunks are kept for the next frame; a chunk that has not been used for a while is freed.
 */
class StagingArena {
public:
  struct Piece {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceSize offset = 0;
    std::byte* bytes = nullptr;
  };
  [[nodiscard]] Result<Piece> take(Device& device, VkDeviceSize sizeBytes);
  [[nodiscard]] VkDeviceSize takenBytes() const { return taken_; }
  void recycle();

private:
  static constexpr VkDeviceSize smallestChunk = 1 << 20;
  static constexpr VkDeviceSize alignment = 16; ///< a multiple of every texel size, required by buffer-image copies
  static constexpr unsigned idleRecycles = 120;
  struct Chunk {
    HostBuffer buffer;
    VkDeviceSize used = 0;
    unsigned idle = 0;
  };
  std::vector<Chunk> chunks_;
  VkDeviceSize taken_ = 0;
};

} // namespace vitrine::vulkan
