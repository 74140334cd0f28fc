#pragma once

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/render/vulkan/format_support.h"

namespace vitrine::vulkan {

/** An image with its memory and the view of it. */
struct ImageWithMemory {
  DeviceMemory memory;
  Image image; ///< after its memory: destroyed first
  ImageView view;
};

/** Which part of a dma-buf becomes one image. */
struct DmabufImageRequest {
  DmabufImageKind kind;
  Size size; ///< in this plane's samples
  unsigned firstPlane = 0;
  unsigned memoryPlanes = 1;
  VkComponentMapping swizzle = {};
  VkSamplerYcbcrConversion conversion = VK_NULL_HANDLE; ///< for a multi-planar format
};

/**
 * Imports one plane (or all of them: for RGB with a modifier of several memory planes, for a multi-planar format). Protected ones into protected
 * memory only. The dma-buf's fds stay the caller's: the driver gets duplicates.
 *
 * Errors: Refused where this buffer is: GpuFormatUnsupported where the driver says beforehand that it cannot, or where
 * without explicit modifiers the driver's stride differs; GpuImportFailed with the VkResult's name in its object where
 * the import fails. Others say nothing of the buffer: Vulkan for a lost device and for what ran out (memory, objects),
 * System for a failed duplicate.
 */
[[nodiscard]] Result<ImageWithMemory> importDmabufImage(Device& device, const Dmabuf& buffer,
                                                        const DmabufImageRequest& request);

/** Whether `count` planes from `first` on lie in one dma-buf, as those of one image must. */
[[nodiscard]] bool lieInOneBuffer(const Dmabuf& buffer, unsigned first, unsigned count);

/** The view of a whole 2D colour image; with a conversion it must be sampled by that conversion's sampler. */
[[nodiscard]] Result<ImageView> makeImageView(const Device& device, VkImage image, VkFormat format,
                                              const VkComponentMapping& swizzle,
                                              VkSamplerYcbcrConversion conversion = VK_NULL_HANDLE);

} // namespace vitrine::vulkan
