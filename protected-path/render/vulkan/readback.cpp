#include <drm_fourcc.h>

#include <algorithm>
#include <format>

#include "protected-path/render/vulkan/vulkan_renderer.h"

namespace vitrine::vulkan {
namespace {

constexpr size_t texelBytes = 4; ///< of every format that can be read back

Result<> checkRequest(Size size, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                      std::span<const std::byte> bytes) {
  const std::string object = std::format("{}x{}+{}+{} of {}x{} as {}", box.width, box.height, box.x, box.y, size.width,
                                         size.height, fourccName(fourcc));
  const VulkanFormat* format = vulkanFormat(fourcc);
  if (format == nullptr || !format->isTarget()) return refused(Refusal::GpuFormatUnsupported, "read pixels", object);
  const Rect whole{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  if (box.empty() || !whole.contains(box)) return refused(Refusal::SizeInvalid, "read pixels", object);
  const size_t row = static_cast<size_t>(box.width) * texelBytes;
  if (strideBytes < row) return refused(Refusal::StrideTooSmall, "read pixels", object);
  if (bytes.size() < static_cast<size_t>(strideBytes) * static_cast<size_t>(box.height - 1) + row) {
    return refused(Refusal::LayoutOutOfBounds, "read pixels", object);
  }
  return {};
}

bool redFirst(const VulkanFormat& format) {
  return format.planeFormats[0] == VK_FORMAT_R8G8B8A8_UNORM;
}

/** Host memory into which the GPU copies a target's rows, without gaps. */
class LandedPixels final : public Readback {
public:
  LandedPixels(UniqueFd done, std::shared_ptr<Device> device, std::shared_ptr<const HostBuffer> landing,
               const VulkanFormat& format, Size size)
      : Readback(std::move(done)), device_(std::move(device)), landing_(std::move(landing)), format_(format),
        size_(size) {}

  /** Reorders the bytes for `fourcc`. Alpha is 255 if either format has none. */
  [[nodiscard]] Result<> read(const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                              std::span<std::byte> bytes) const override {
    if (auto checked = checkRequest(size_, box, fourcc, strideBytes, bytes); !checked) return checked;
    const VulkanFormat& wanted = *vulkanFormat(fourcc);
    const bool swap = redFirst(format_) != redFirst(wanted);
    const bool opaque = !formatInfo(format_.fourcc)->hasAlpha || !formatInfo(fourcc)->hasAlpha;
    for (int32_t row = 0; row < box.height; ++row) {
      const size_t first = static_cast<size_t>(box.y + row) * size_.width + static_cast<size_t>(box.x);
      const std::byte* from = landing_->bytes() + first * texelBytes;
      std::byte* out = bytes.data() + static_cast<size_t>(row) * strideBytes;
      for (int32_t column = 0; column < box.width; ++column) {
        out[0] = from[swap ? 2 : 0];
        out[1] = from[1];
        out[2] = from[swap ? 0 : 2];
        out[3] = opaque ? std::byte{0xff} : from[3];
        from += texelBytes;
        out += texelBytes;
      }
    }
    return {};
  }

private:
  std::shared_ptr<Device> device_; ///< declared first: outlives the host buffer, also after a GPU reset
  std::shared_ptr<const HostBuffer> landing_;
  const VulkanFormat& format_;
  Size size_;
};

} // namespace

Result<std::shared_ptr<TargetResources>> VulkanRenderer::makePicture(Size size) {
  auto picture = std::make_shared<TargetResources>(device_, vulkanFormat(DRM_FORMAT_ARGB8888), size);
  picture->readable = true;
  auto image = makeOwnImage(picture->format->planeFormats[0], size,
                            VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT, {});
  if (!image) return std::unexpected(image.error());
  picture->image = std::move(*image);
  if (auto finished = finishTarget(*picture); !finished) return std::unexpected(finished.error());
  return picture;
}

Result<> VulkanRenderer::readPixels(const Texture& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) {
  if (source.protectedContent() || source.isPlaceholder()) {
    return refused(Refusal::ViewPublic, "read pixels", "a protected texture");
  }
  if (source.contentLost()) return invalid("read pixels", "texture", "an upload into it has failed", "upload it again");
  if (auto checked = checkRequest(source.size(), box, fourcc, strideBytes, bytes); !checked) return checked;
  const Size size{static_cast<uint32_t>(box.width), static_cast<uint32_t>(box.height)};
  auto picture = makePicture(size);
  if (!picture) return std::unexpected(picture.error());
  // The texture is drawn into an image of our own first, so that all formats are read back the same way.
  const DrawCommand command{.kind = DrawCommand::Kind::Texture,
                            .destination = {0, 0, box.width, box.height},
                            .texture = &source,
                            .source = {Fixed16_16::fromInt(static_cast<uint32_t>(box.x)),
                                       Fixed16_16::fromInt(static_cast<uint32_t>(box.y)),
                                       Fixed16_16::fromInt(size.width), Fixed16_16::fromInt(size.height)},
                            .blend = false,
                            .nearest = true};
  auto frame = frameFor(false);
  if (!frame) return std::unexpected(frame.error());
  recorder_->record(**frame, *picture, {&command, 1}, {&command.destination, 1});
  auto reading = copyOut(*picture, **frame);
  if (!reading) return std::unexpected(reading.error());
  if (auto waited = frames_->waitIdle(); !waited) return waited;
  return (*reading)->read(command.destination, fourcc, strideBytes, bytes);
}

Result<> VulkanRenderer::readPixels(const RenderTarget& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) {
  auto reading = startReading(source);
  if (!reading) return std::unexpected(reading.error());
  if (auto waited = frames_->waitIdle(); !waited) return waited;
  return (*reading)->read(box, fourcc, strideBytes, bytes);
}

Result<std::unique_ptr<Readback>> VulkanRenderer::startReading(const RenderTarget& source) {
  if (source.isProtected()) return refused(Refusal::ViewPublic, "read pixels", "a protected target");
  const auto& resources = static_cast<const VulkanTarget&>(source).resources();
  if (resources->device != device_) return invalid("read pixels", "target", "it was imported before the GPU was reset");
  if (!resources->readable) {
    return refused(Refusal::GpuFormatUnsupported, "read pixels", "a target that the driver does not copy from");
  }
  auto frame = frameFor(false);
  if (!frame) return std::unexpected(frame.error());
  return copyOut(resources, **frame);
}

Result<std::unique_ptr<Readback>> VulkanRenderer::copyOut(const std::shared_ptr<TargetResources>& source,
                                                          Frame& frame) {
  const DeviceFunctions& vk = device_->vk();
  const VkDeviceSize size = static_cast<VkDeviceSize>(source->size.width) * source->size.height * texelBytes;
  auto buffer =
      HostBuffer::create(*device_, size, VK_BUFFER_USAGE_TRANSFER_DST_BIT, VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  if (!buffer) {
    // The frame may contain uploads that textures need, so it is submitted all the same.
    if (auto submitted = frames_->submit(frame); !submitted) return std::unexpected(submitted.error());
    return std::unexpected(buffer.error());
  }
  const VkImage image = source->image.image.get();
  constexpr VkPipelineStageFlags passStages = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT |
                                              VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  if (source->foreign) {
    const VkImageMemoryBarrier acquire =
        imageBarrier(image, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 0,
                     VK_ACCESS_TRANSFER_READ_BIT, VK_QUEUE_FAMILY_FOREIGN_EXT, device_->queueFamily());
    vk.CmdPipelineBarrier(frame.commands, passStages, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, nullptr, 0, nullptr, 1,
                          &acquire);
  }
  const VkBufferImageCopy copy{.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                               .imageExtent = {source->size.width, source->size.height, 1}};
  vk.CmdCopyImageToBuffer(frame.commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, buffer->handle(), 1, &copy);
  if (source->foreign) {
    const VkImageMemoryBarrier release =
        imageBarrier(image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL, VK_ACCESS_TRANSFER_READ_BIT,
                     0, device_->queueFamily(), VK_QUEUE_FAMILY_FOREIGN_EXT);
    vk.CmdPipelineBarrier(frame.commands, VK_PIPELINE_STAGE_TRANSFER_BIT, passStages, 0, 0, nullptr, 0, nullptr, 1,
                          &release);
  }
  const VkMemoryBarrier toHost{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                               .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                               .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
  vk.CmdPipelineBarrier(frame.commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &toHost, 0,
                        nullptr, 0, nullptr);
  // The frame holds it, too: the reader may be destroyed while the GPU is still writing.
  const auto landing = std::make_shared<const HostBuffer>(std::move(*buffer));
  frame.keepAlive.push_back(landing);
  frame.keepAlive.push_back(source);
  auto done = frames_->submitWithFence(frame);
  if (!done) return std::unexpected(done.error());
  return std::make_unique<LandedPixels>(std::move(*done), device_, landing, *source->format, source->size);
}

} // namespace vitrine::vulkan
