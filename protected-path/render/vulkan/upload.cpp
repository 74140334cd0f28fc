#include <algorithm>
#include <cstring>
#include <format>

#include "protected-path/render/vulkan/vulkan_renderer.h"

namespace vitrine::vulkan {
namespace {

/** A frame with more uploads than this is submitted at once, so that staging memory stays bounded. */
constexpr VkDeviceSize flushBytes = 64 << 20;

std::string describeUpload(Size size, uint32_t fourcc, uint32_t strideBytes) {
  return std::format("{}x{} {} with stride {}", size.width, size.height, fourccName(fourcc), strideBytes);
}

Result<> checkBytes(Size size, const FormatInfo& format, uint32_t strideBytes, std::span<const std::byte> bytes) {
  const uint64_t row = minimumStrideBytes(format, size, 0);
  if (size.width == 0 || size.height == 0 || size.width > Dmabuf::maximumExtent ||
      size.height > Dmabuf::maximumExtent) {
    return refused(Refusal::SizeInvalid, "upload", describeUpload(size, format.fourcc, strideBytes));
  }
  if (strideBytes < row)
    return refused(Refusal::StrideTooSmall, "upload", describeUpload(size, format.fourcc, strideBytes));
  if (bytes.size() < uint64_t{strideBytes} * (size.height - 1) + row) {
    return refused(Refusal::LayoutOutOfBounds, "upload",
                   std::format("{} in {} bytes", describeUpload(size, format.fourcc, strideBytes), bytes.size()));
  }
  return {};
}

/** Copies the rows of `box`, without gaps. */
void copyRows(std::byte* to, std::span<const std::byte> from, uint32_t strideBytes, size_t texelBytes,
              const Rect& box) {
  const size_t rowBytes = static_cast<size_t>(box.width) * texelBytes;
  for (int32_t row = 0; row < box.height; ++row) {
    const size_t start = static_cast<size_t>(box.y + row) * strideBytes + static_cast<size_t>(box.x) * texelBytes;
    std::memcpy(to + static_cast<size_t>(row) * rowBytes, from.data() + start, rowBytes);
  }
}

} // namespace

Result<Frame*> VulkanRenderer::frameFor(bool isProtected) {
  // A protected command buffer must not contain copies of ordinary memory.
  if (isProtected) {
    if (auto flushed = flushUploads(); !flushed) return std::unexpected(flushed.error());
  }
  if (uploads_ != nullptr) return std::exchange(uploads_, nullptr);
  return frames_->begin(isProtected);
}

Result<Frame*> VulkanRenderer::uploadFrame() {
  if (uploads_ != nullptr && uploads_->staging.takenBytes() > flushBytes) {
    if (auto flushed = flushUploads(); !flushed) return std::unexpected(flushed.error());
  }
  if (uploads_ == nullptr) {
    const auto frame = frames_->begin(false);
    if (!frame) return frame;
    uploads_ = *frame;
  }
  return uploads_;
}

Result<> VulkanRenderer::flushUploads() {
  if (uploads_ == nullptr) return {};
  return frames_->submit(*std::exchange(uploads_, nullptr));
}

Result<ImageWithMemory> VulkanRenderer::makeOwnImage(VkFormat format, Size size, VkImageUsageFlags usage,
                                                     const VkComponentMapping& swizzle) {
  const DeviceFunctions& vk = device_->vk();
  const std::string object = std::format("{}x{} image", size.width, size.height);
  const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .imageType = VK_IMAGE_TYPE_2D,
                               .format = format,
                               .extent = {size.width, size.height, 1},
                               .mipLevels = 1,
                               .arrayLayers = 1,
                               .samples = VK_SAMPLE_COUNT_1_BIT,
                               .tiling = VK_IMAGE_TILING_OPTIMAL,
                               .usage = usage};
  auto image = makeObject<Image>(vk, vk.CreateImage, info, "vkCreateImage", object);
  if (!image) return std::unexpected(image.error());
  auto memory = device_->memory().bindImage(image->get(), object);
  if (!memory) return std::unexpected(memory.error());
  auto view = makeImageView(*device_, image->get(), format, swizzle);
  if (!view) return std::unexpected(view.error());
  return ImageWithMemory{std::move(*memory), std::move(*image), std::move(*view)};
}

Result<std::unique_ptr<Texture>> VulkanRenderer::upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                        std::span<const std::byte> bytes) {
  const auto uploads = support_.uploads();
  if (std::ranges::find(uploads, fourcc) == uploads.end()) {
    return refused(Refusal::GpuFormatUnsupported, "upload", describeUpload(size, fourcc, strideBytes));
  }
  if (auto checked = checkBytes(size, *formatInfo(fourcc), strideBytes, bytes); !checked) {
    return std::unexpected(checked.error());
  }
  const uint32_t most = device_->physical().maximumTextureExtent;
  if (size.width > most || size.height > most)
    return refused(Refusal::GpuSizeUnsupported, "upload", describeUpload(size, fourcc, strideBytes));
  auto resources = std::make_shared<TextureResources>(device_, vulkanFormat(fourcc));
  auto image = makeOwnImage(resources->format->planeFormats[0], size,
                            VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT, resources->format->swizzle);
  if (!image) return std::unexpected(image.error());
  resources->images[0] = std::move(*image);
  resources->extent = size;
  resources->filtersLinearly = support_.filtersUploads(fourcc);
  if (auto finished = finishTexture(*resources); !finished) return std::unexpected(finished.error());
  const Rect whole{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  if (auto recorded = recordUpload(resources, size, strideBytes, bytes, {&whole, 1}); !recorded) {
    return std::unexpected(recorded.error());
  }
  return std::make_unique<VulkanTexture>(size, fourcc, false, std::move(resources), frames_);
}

Result<> VulkanRenderer::update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                std::span<const Rect> changed) {
  const auto& resources = static_cast<VulkanTexture&>(texture).resources();
  if (resources == nullptr || resources->foreign) {
    return invalid("update texture", describeUpload(texture.size(), texture.fourcc(), strideBytes),
                   "only an uploaded texture can be updated");
  }
  if (resources->content.lost) {
    return invalid("update texture", describeUpload(texture.size(), texture.fourcc(), strideBytes),
                   "an upload into it has failed", "upload it again");
  }
  if (resources->device != device_) {
    return invalid("update texture", describeUpload(texture.size(), texture.fourcc(), strideBytes),
                   "it was made before the GPU was reset");
  }
  if (auto checked = checkBytes(texture.size(), *formatInfo(texture.fourcc()), strideBytes, bytes); !checked) {
    return checked;
  }
  return recordUpload(resources, texture.size(), strideBytes, bytes, changed);
}

Result<> VulkanRenderer::recordUpload(const std::shared_ptr<TextureResources>& resources, Size size,
                                      uint32_t strideBytes, std::span<const std::byte> bytes,
                                      std::span<const Rect> changed) {
  const auto found = uploadFrame();
  if (!found) return std::unexpected(found.error());
  Frame& frame = **found;
  const DeviceFunctions& vk = device_->vk();
  const VkImage image = resources->images[0].image.get();
  const size_t texelBytes = formatInfo(resources->format->fourcc)->bytesPerSample[0];
  const Rect whole{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  const VkImageMemoryBarrier before =
      imageBarrier(image, resources->written ? VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL : VK_IMAGE_LAYOUT_UNDEFINED,
                   VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_ACCESS_SHADER_READ_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
  vk.CmdPipelineBarrier(frame.commands, VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0,
                        nullptr, 0, nullptr, 1, &before);
  Result<> staged;
  for (const Rect& region : changed) {
    const Rect box = intersect(region, whole);
    if (box.empty()) continue;
    const auto piece = frame.staging.take(*device_, static_cast<VkDeviceSize>(box.width) *
                                                        static_cast<VkDeviceSize>(box.height) * texelBytes);
    if (!piece) {
      staged = std::unexpected(piece.error());
      break;
    }
    copyRows(piece->bytes, bytes, strideBytes, texelBytes, box);
    const VkBufferImageCopy copy{
        .bufferOffset = piece->offset,
        .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
        .imageOffset = {box.x, box.y, 0},
        .imageExtent = {static_cast<uint32_t>(box.width), static_cast<uint32_t>(box.height), 1}};
    vk.CmdCopyBufferToImage(frame.commands, piece->buffer, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
  }
  const VkImageMemoryBarrier after =
      imageBarrier(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
                   VK_ACCESS_TRANSFER_WRITE_BIT, VK_ACCESS_SHADER_READ_BIT);
  vk.CmdPipelineBarrier(frame.commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, 0, 0,
                        nullptr, 0, nullptr, 1, &after);
  resources->written = true;
  frame.keepAlive.push_back(resources);
  frame.writes.emplace_back(resources, &resources->content);
  return staged;
}

} // namespace vitrine::vulkan
