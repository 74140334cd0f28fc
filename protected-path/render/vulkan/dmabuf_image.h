#pragma once

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/render/vulkan/format_support.h"

namespace vitrine::vulkan {

/** An image with its memory and the view of it. */
struct ImageWithMemory {
  Memory memory;
  Image image; ///< declared after its memory, so destroyed before it
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
 * Imports one plane, or all planes for RGB with a modifier of several memory planes and for a multi-planar format.
 * Protected buffers are imported into protected memory only. The caller keeps the dma-buf's fds: the driver gets
 * duplicates.
 *
 * Errors about this buffer: Refused(GpuFormatUnsupported) if the driver says beforehand that it cannot import it, or if
 * it has no explicit modifiers and another stride; Refused(GpuImportFailed) if the import fails, with the VkResult's
 * name in the error's object. Errors that say nothing about the buffer: Vulkan for a lost device or exhausted memory or
 * objects; System if an fd could not be duplicated.
 */
[[nodiscard]] Result<ImageWithMemory> importDmabufImage(Device& device, const Dmabuf& buffer,
                                                        const DmabufImageRequest& request);

/** Whether the planes `first` to `first + count - 1` are in one dma-buf. The planes of one image must be. */
[[nodiscard]] bool lieInOneBuffer(const Dmabuf& buffer, unsigned first, unsigned count);

/** A view of a whole 2D colour image. With a conversion, only that conversion's sampler may sample it. */
[[nodiscard]] Result<ImageView> makeImageView(const Device& device, VkImage image, VkFormat format,
                                              const VkComponentMapping& swizzle,
                                              VkSamplerYcbcrConversion conversion = VK_NULL_HANDLE);

} // namespace vitrine::vulkan
