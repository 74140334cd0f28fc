#include "protected-path/render/vulkan/dmabuf_image.h"

#include <unistd.h>

#include <format>

namespace vitrine::vulkan {
namespace {

std::string describePlane(const Dmabuf& buffer, const DmabufImageRequest& request) {
  return std::format("{} plane {}", buffer.describe(), request.firstPlane);
}

std::unexpected<Error> importFailed(const char* operation, const Dmabuf& buffer, const DmabufImageRequest& request,
                                    std::string_view why) {
  return refused(Refusal::GpuImportFailed, operation, std::format("{}: {}", describePlane(buffer, request), why));
}

/** Turns a driver's error into a refusal of this buffer, unless the error has nothing to do with the buffer. */
std::unexpected<Error> refusalFrom(const char* operation, VkResult result, const Dmabuf& buffer,
                                   const DmabufImageRequest& request) {
  switch (result) {
  case VK_ERROR_DEVICE_LOST:
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
  case VK_ERROR_TOO_MANY_OBJECTS:
    return vulkanError(operation, describePlane(buffer, request), result);
  default:
    return importFailed(operation, buffer, request, vkResultName(result));
  }
}

/** The same for an Error made by vulkanError(). */
std::unexpected<Error> refusalFrom(const Error& error, const Dmabuf& buffer, const DmabufImageRequest& request) {
  return refusalFrom(error.operation.c_str(), static_cast<VkResult>(error.number), buffer, request);
}

Result<Image> createImage(Device& device, const Dmabuf& buffer, const DmabufImageRequest& request) {
  std::array<VkSubresourceLayout, 4> layouts{};
  for (unsigned i = 0; i < request.memoryPlanes; ++i) {
    const DmabufPlane& plane = buffer.plane(request.firstPlane + i);
    layouts[i].offset = plane.offsetBytes;
    layouts[i].rowPitch = plane.strideBytes;
  }
  const VkImageDrmFormatModifierExplicitCreateInfoEXT modifier{
      .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
      .drmFormatModifier = request.kind.modifier,
      .drmFormatModifierPlaneCount = request.memoryPlanes,
      .pPlaneLayouts = layouts.data()};
  const bool explicitModifier = device.physical().explicitModifiers;
  const VkExternalMemoryImageCreateInfo external{.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
                                                 .pNext = explicitModifier ? &modifier : nullptr,
                                                 .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
  const VkImageCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
      .pNext = &external,
      .flags = request.kind.isProtected ? VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT} : 0,
      .imageType = VK_IMAGE_TYPE_2D,
      .format = request.kind.format,
      .extent = {request.size.width, request.size.height, 1},
      .mipLevels = 1,
      .arrayLayers = 1,
      .samples = VK_SAMPLE_COUNT_1_BIT,
      .tiling = explicitModifier ? VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT : VK_IMAGE_TILING_LINEAR,
      .usage = request.kind.usage,
      .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
      .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED};
  auto image = makeObject<Image>(device.vk(), device.vk().CreateImage, info, "vkCreateImage");
  if (!image) return refusalFrom(image.error(), buffer, request);
  return image;
}

/** Offset of the image's memory in the dma-buf. With explicit modifiers it is 0, since the layout has the offset. */
Result<VkDeviceSize> bindOffset(Device& device, const Dmabuf& buffer, const DmabufImageRequest& request, VkImage image,
                                const VkMemoryRequirements& requirements) {
  if (device.physical().explicitModifiers) return 0;
  const DmabufPlane& plane = buffer.plane(request.firstPlane);
  const VkImageSubresource subresource{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};
  VkSubresourceLayout layout{};
  device.vk().GetImageSubresourceLayout(device.vk().device, image, &subresource, &layout);
  if (layout.rowPitch != plane.strideBytes || layout.offset != 0 || plane.offsetBytes % requirements.alignment != 0) {
    return refused(Refusal::GpuFormatUnsupported, "vkGetImageSubresourceLayout",
                   std::format("{}: the driver's stride is {}, its alignment {}", describePlane(buffer, request),
                               layout.rowPitch, requirements.alignment),
                   "a driver with VK_EXT_image_drm_format_modifier accepts other strides");
  }
  return VkDeviceSize{plane.offsetBytes};
}

VkMemoryRequirements requirementsOf(const Device& device, VkImage image) {
  const VkImageMemoryRequirementsInfo2 info{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
                                            .image = image};
  VkMemoryRequirements2 requirements{.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
  device.vk().GetImageMemoryRequirements2(device.vk().device, &info, &requirements);
  return requirements.memoryRequirements;
}

/** Memory types that both the image and the fd allow. */
Result<uint32_t> memoryTypeBits(const Device& device, const Dmabuf& buffer, const DmabufImageRequest& request, int fd,
                                uint32_t imageBits) {
  // Zeroed first: one driver (Vulkan's mock ICD) returns success without writing it. Zero means that nothing is known.
  VkMemoryFdPropertiesKHR properties{.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
  const VkResult result = device.vk().GetMemoryFdPropertiesKHR(
      device.vk().device, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, fd, &properties);
  if (result != VK_SUCCESS) return refusalFrom("vkGetMemoryFdPropertiesKHR", result, buffer, request);
  return properties.memoryTypeBits == 0 ? imageBits : imageBits & properties.memoryTypeBits;
}

Result<Memory> importMemory(Device& device, const Dmabuf& buffer, const DmabufImageRequest& request, VkImage image,
                            const VkMemoryRequirements& requirements, VkDeviceSize offset) {
  if ((request.kind.usage & VK_IMAGE_USAGE_SAMPLED_BIT) != 0 && !device.memory().hasRoomForTexture()) {
    return vulkanError("vkAllocateMemory",
                       std::format("{}: textures may not use more of the driver's {} allocations",
                                   describePlane(buffer, request), device.physical().maximumAllocations),
                       VK_ERROR_TOO_MANY_OBJECTS);
  }
  auto fd = duplicateFd(buffer.plane(request.firstPlane).fd.get());
  if (!fd) return std::unexpected(fd.error());
  const off_t bufferSize = lseek(fd->get(), 0, SEEK_END);
  if (bufferSize < 0 || static_cast<VkDeviceSize>(bufferSize) < offset + requirements.size) {
    return importFailed(
        "import dma-buf", buffer, request,
        std::format("the driver needs {} bytes at offset {}, there are {}", requirements.size, offset, bufferSize));
  }
  const auto bits = memoryTypeBits(device, buffer, request, fd->get(), requirements.memoryTypeBits);
  if (!bits) return std::unexpected(bits.error());
  const auto type = device.memory().importType(*bits, request.kind.isProtected);
  if (!type) {
    return importFailed("vkGetMemoryFdPropertiesKHR", buffer, request,
                        request.kind.isProtected ? "no protected memory type takes it" : "no memory type takes it");
  }
  // A dedicated allocation holds the image at offset 0, so it is impossible with another bind offset.
  const bool dedicated = offset == 0;
  const VkMemoryDedicatedAllocateInfo dedication{.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
                                                 .image = image};
  const VkImportMemoryFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                       .pNext = dedicated ? &dedication : nullptr,
                                       .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                                       .fd = fd->get()};
  const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .pNext = &import,
                                  .allocationSize = offset + requirements.size,
                                  .memoryTypeIndex = *type};
  device.counters.imports += 1;
  auto memory = device.memory().import(info);
  if (!memory) return refusalFrom(memory.error(), buffer, request);
  static_cast<void>(fd->release()); // the driver owns it since the import succeeded
  return memory;
}

} // namespace

bool lieInOneBuffer(const Dmabuf& buffer, unsigned first, unsigned count) {
  for (unsigned i = 1; i < count; ++i) {
    if (!buffer.planesShareBuffer(first, first + i)) return false;
  }
  return true;
}

Result<ImageView> makeImageView(const Device& device, VkImage image, VkFormat format, const VkComponentMapping& swizzle,
                                VkSamplerYcbcrConversion conversion) {
  const VkSamplerYcbcrConversionInfo converted{.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO,
                                               .conversion = conversion};
  const VkImageViewCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                   .pNext = conversion != VK_NULL_HANDLE ? &converted : nullptr,
                                   .image = image,
                                   .viewType = VK_IMAGE_VIEW_TYPE_2D,
                                   .format = format,
                                   .components = swizzle,
                                   .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
  return makeObject<ImageView>(device.vk(), device.vk().CreateImageView, info, "vkCreateImageView");
}

Result<ImageWithMemory> importDmabufImage(Device& device, const Dmabuf& buffer, const DmabufImageRequest& request) {
  const auto importable = importableImage(device, request.kind);
  if (!importable || importable->maximum.width < request.size.width ||
      importable->maximum.height < request.size.height) {
    return refused(Refusal::GpuFormatUnsupported, "vkGetPhysicalDeviceImageFormatProperties2",
                   describePlane(buffer, request));
  }
  if (!lieInOneBuffer(buffer, request.firstPlane, request.memoryPlanes)) {
    return refused(Refusal::GpuFormatUnsupported, "import dma-buf",
                   describePlane(buffer, request) + ": its memory planes are in different buffers");
  }
  auto image = createImage(device, buffer, request);
  if (!image) return std::unexpected(image.error());
  const VkMemoryRequirements requirements = requirementsOf(device, image->get());
  const auto offset = bindOffset(device, buffer, request, image->get(), requirements);
  if (!offset) return std::unexpected(offset.error());
  auto memory = importMemory(device, buffer, request, image->get(), requirements, *offset);
  if (!memory) return std::unexpected(memory.error());
  const VkResult bound = device.vk().BindImageMemory(device.vk().device, image->get(), memory->imported(), *offset);
  if (bound != VK_SUCCESS) return refusalFrom("vkBindImageMemory", bound, buffer, request);
  auto view = makeImageView(device, image->get(), request.kind.format, request.swizzle, request.conversion);
  if (!view) return refusalFrom(view.error(), buffer, request);
  return ImageWithMemory{std::move(*memory), std::move(*image), std::move(*view)};
}

} // namespace vitrine::vulkan
