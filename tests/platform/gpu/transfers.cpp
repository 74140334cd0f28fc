// Transfers: each is checked in one line, then passed to lavapipe.

#include "tests/platform/gpu/rules.h"

namespace vitrine::gpu {

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyBuffer(VkCommandBuffer commands, VkBuffer source, VkBuffer target,
                                                uint32_t count, const VkBufferCopy* regions) {
  {
    Recording recording(commands, "vkCmdCopyBuffer");
    recording.reads(source, "01822");
    recording.writes(target, "01823", "01824");
  }
  lavapipe().CmdCopyBuffer(commands, source, target, count, regions);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyBuffer2(VkCommandBuffer commands, const VkCopyBufferInfo2* info) {
  {
    Recording recording(commands, "vkCmdCopyBuffer2");
    recording.reads(info->srcBuffer, "01822");
    recording.writes(info->dstBuffer, "01823", "01824");
  }
  lavapipe().CmdCopyBuffer2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyImage(VkCommandBuffer commands, VkImage source, VkImageLayout sourceLayout,
                                               VkImage target, VkImageLayout targetLayout, uint32_t count,
                                               const VkImageCopy* regions) {
  {
    Recording recording(commands, "vkCmdCopyImage");
    recording.reads(source, "01825");
    recording.writes(target, "01826", "01827");
  }
  lavapipe().CmdCopyImage(commands, source, sourceLayout, target, targetLayout, count, regions);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyImage2(VkCommandBuffer commands, const VkCopyImageInfo2* info) {
  {
    Recording recording(commands, "vkCmdCopyImage2");
    recording.reads(info->srcImage, "01825");
    recording.writes(info->dstImage, "01826", "01827");
  }
  lavapipe().CmdCopyImage2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyBufferToImage(VkCommandBuffer commands, VkBuffer source, VkImage target,
                                                       VkImageLayout targetLayout, uint32_t count,
                                                       const VkBufferImageCopy* regions) {
  {
    Recording recording(commands, "vkCmdCopyBufferToImage");
    recording.reads(source, "01828");
    recording.writes(target, "01829", "01830");
  }
  lavapipe().CmdCopyBufferToImage(commands, source, target, targetLayout, count, regions);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyBufferToImage2(VkCommandBuffer commands,
                                                        const VkCopyBufferToImageInfo2* info) {
  {
    Recording recording(commands, "vkCmdCopyBufferToImage2");
    recording.reads(info->srcBuffer, "01828");
    recording.writes(info->dstImage, "01829", "01830");
  }
  lavapipe().CmdCopyBufferToImage2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyImageToBuffer(VkCommandBuffer commands, VkImage source,
                                                       VkImageLayout sourceLayout, VkBuffer target, uint32_t count,
                                                       const VkBufferImageCopy* regions) {
  {
    Recording recording(commands, "vkCmdCopyImageToBuffer");
    recording.reads(source, "01831");
    recording.writes(target, "01832", "01833");
  }
  lavapipe().CmdCopyImageToBuffer(commands, source, sourceLayout, target, count, regions);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyImageToBuffer2(VkCommandBuffer commands,
                                                        const VkCopyImageToBufferInfo2* info) {
  {
    Recording recording(commands, "vkCmdCopyImageToBuffer2");
    recording.reads(info->srcImage, "01831");
    recording.writes(info->dstBuffer, "01832", "01833");
  }
  lavapipe().CmdCopyImageToBuffer2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBlitImage(VkCommandBuffer commands, VkImage source, VkImageLayout sourceLayout,
                                               VkImage target, VkImageLayout targetLayout, uint32_t count,
                                               const VkImageBlit* regions, VkFilter filter) {
  {
    Recording recording(commands, "vkCmdBlitImage");
    recording.reads(source, "01834");
    recording.writes(target, "01835", "01836");
  }
  lavapipe().CmdBlitImage(commands, source, sourceLayout, target, targetLayout, count, regions, filter);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBlitImage2(VkCommandBuffer commands, const VkBlitImageInfo2* info) {
  {
    Recording recording(commands, "vkCmdBlitImage2");
    recording.reads(info->srcImage, "01834");
    recording.writes(info->dstImage, "01835", "01836");
  }
  lavapipe().CmdBlitImage2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdResolveImage(VkCommandBuffer commands, VkImage source, VkImageLayout sourceLayout,
                                                  VkImage target, VkImageLayout targetLayout, uint32_t count,
                                                  const VkImageResolve* regions) {
  {
    Recording recording(commands, "vkCmdResolveImage");
    recording.reads(source, "01837");
    recording.writes(target, "01838", "01839");
  }
  lavapipe().CmdResolveImage(commands, source, sourceLayout, target, targetLayout, count, regions);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdResolveImage2(VkCommandBuffer commands, const VkResolveImageInfo2* info) {
  {
    Recording recording(commands, "vkCmdResolveImage2");
    recording.reads(info->srcImage, "01837");
    recording.writes(info->dstImage, "01838", "01839");
  }
  lavapipe().CmdResolveImage2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdClearColorImage(VkCommandBuffer commands, VkImage image, VkImageLayout layout,
                                                     const VkClearColorValue* color, uint32_t count,
                                                     const VkImageSubresourceRange* ranges) {
  {
    Recording recording(commands, "vkCmdClearColorImage");
    recording.writes(image, "01805", "01806");
  }
  lavapipe().CmdClearColorImage(commands, image, layout, color, count, ranges);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdClearDepthStencilImage(VkCommandBuffer commands, VkImage image,
                                                            VkImageLayout layout, const VkClearDepthStencilValue* value,
                                                            uint32_t count, const VkImageSubresourceRange* ranges) {
  {
    Recording recording(commands, "vkCmdClearDepthStencilImage");
    recording.writes(image, "01807", "01808");
  }
  lavapipe().CmdClearDepthStencilImage(commands, image, layout, value, count, ranges);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdFillBuffer(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                VkDeviceSize size, uint32_t data) {
  {
    Recording recording(commands, "vkCmdFillBuffer");
    recording.writes(buffer, "01811", "01812");
  }
  lavapipe().CmdFillBuffer(commands, buffer, offset, size, data);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdUpdateBuffer(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                  VkDeviceSize size, const void* data) {
  {
    Recording recording(commands, "vkCmdUpdateBuffer");
    recording.writes(buffer, "01813", "01814");
  }
  lavapipe().CmdUpdateBuffer(commands, buffer, offset, size, data);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdCopyQueryPoolResults(VkCommandBuffer commands, VkQueryPool pool, uint32_t first,
                                                          uint32_t count, VkBuffer buffer, VkDeviceSize offset,
                                                          VkDeviceSize stride, VkQueryResultFlags flags) {
  {
    Recording recording(commands, "vkCmdCopyQueryPoolResults");
    recording.writes(buffer, accessRules, accessRules);
  }
  lavapipe().CmdCopyQueryPoolResults(commands, pool, first, count, buffer, offset, stride, flags);
}

} // namespace vitrine::gpu
