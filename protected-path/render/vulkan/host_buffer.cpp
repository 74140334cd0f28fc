#include "protected-path/render/vulkan/host_buffer.h"

#include <algorithm>
#include <format>

namespace vitrine::vulkan {

Result<HostBuffer> HostBuffer::create(Device& device, VkDeviceSize sizeBytes, VkBufferUsageFlags usage,
                                      VkMemoryPropertyFlags preferred) {
  const DeviceFunctions& vk = device.vk();
  const std::string object = std::format("{} bytes of host memory", sizeBytes);
  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = sizeBytes, .usage = usage};
  auto buffer = makeObject<Buffer>(vk, vk.CreateBuffer, info, "vkCreateBuffer", object);
  if (!buffer) return std::unexpected(buffer.error());
  auto memory = device.memory().bindHostBuffer(buffer->get(), preferred, object);
  if (!memory) return std::unexpected(memory.error());
  HostBuffer made;
  made.memory_ = std::move(*memory);
  made.buffer_ = std::move(*buffer);
  made.sizeBytes_ = sizeBytes;
  return made;
}

Result<StagingArena::Piece> StagingArena::take(Device& device, VkDeviceSize sizeBytes) {
  const VkDeviceSize size = (sizeBytes + alignment - 1) / alignment * alignment;
  auto chunk = std::ranges::find_if(
      chunks_, [&](const Chunk& candidate) { return candidate.buffer.sizeBytes() - candidate.used >= size; });
  if (chunk == chunks_.end()) {
    auto buffer = HostBuffer::create(device, std::max(size, smallestChunk), VK_BUFFER_USAGE_TRANSFER_SRC_BIT, 0);
    if (!buffer) return std::unexpected(buffer.error());
    chunks_.push_back({std::move(*buffer)});
    chunk = std::prev(chunks_.end());
  }
  const Piece piece{chunk->buffer.handle(), chunk->used, chunk->buffer.bytes() + chunk->used};
  chunk->used += size;
  taken_ += size;
  return piece;
}

void StagingArena::recycle() {
  for (Chunk& chunk : chunks_)
    chunk.idle = chunk.used == 0 ? chunk.idle + 1 : 0;
  std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.idle > idleRecycles; });
  for (Chunk& chunk : chunks_)
    chunk.used = 0;
  taken_ = 0;
}

} // namespace vitrine::vulkan
