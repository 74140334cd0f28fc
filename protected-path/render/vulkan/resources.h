#pragma once

#include <memory>

#include "protected-path/render/vulkan/descriptor_allocator.h"
#include "protected-path/render/vulkan/dmabuf_image.h"
#include "protected-path/render/vulkan/frame.h"
#include "protected-path/render/vulkan/pipelines.h"

namespace vitrine::vulkan {

/** The GPU's objects of a texture. Shared by the texture and the frames that use it; the last owner destroys them. */
struct TextureResources {
  std::shared_ptr<Device> device; ///< declared first: outlives the rest
  const VulkanFormat* format = nullptr;
  std::shared_ptr<const YccSampler>
      sampler; ///< for one multi-planar image; shared, because it may outlive the renderer
  std::array<ImageWithMemory, 3> images;
  unsigned imageCount = 1;
  Size extent;                  ///< of the first image; rounded up to whole chroma cells if that is multi-planar
  DescriptorSet set;            ///< planes 1 and 2 in the order Cb, Cr
  bool filtersLinearly = false; ///< with its sampler, so that the shader need not
  bool foreign = false;         ///< a dma-buf: VK_QUEUE_FAMILY_FOREIGN_EXT owns it between passes
  bool written = false;         ///< an upload that has content, and therefore a layout
  Content content;              ///< of an upload
  mutable uint64_t lastPass = 0;
};

class VulkanTexture final : public Texture {
public:
  VulkanTexture(Size size, uint32_t fourcc, bool protectedContent, std::shared_ptr<TextureResources> resources,
                std::weak_ptr<FramePool> frames)
      : Texture(size, fourcc, protectedContent, Refusal::None), resources_(std::move(resources)),
        frames_(std::move(frames)) {}
  /** A texture that draws as the placeholder. */
  VulkanTexture(Size size, uint32_t fourcc, Refusal refusal) : Texture(size, fourcc, true, refusal) {}
  ~VulkanTexture() override {
    resources_.reset();
    // Frees the memory now if the GPU is done with it, instead of with some later frame.
    if (const auto frames = frames_.lock()) frames->collect();
  }
  [[nodiscard]] bool contentLost() const override { return resources_ != nullptr && resources_->content.lost; }
  /** Null for a placeholder. */
  [[nodiscard]] const std::shared_ptr<TextureResources>& resources() const { return resources_; }

private:
  std::shared_ptr<TextureResources> resources_;
  std::weak_ptr<FramePool> frames_;
};

/** The GPU's objects of a target. Shared like TextureResources. */
struct TargetResources {
  std::shared_ptr<Device> device; ///< declared first: outlives the rest
  const VulkanFormat* format = nullptr;
  Size size;
  ImageWithMemory image;
  Framebuffer framebuffer;
  const TargetPipelines* pipelines = nullptr; ///< borrowed from the renderer
  bool foreign = false;                       ///< a dma-buf; otherwise an image of our own that is only read back
  bool isProtected = false;                   ///< in protected memory
  bool readable = false;                      ///< may be copied from
};

class VulkanTarget final : public RenderTarget {
public:
  VulkanTarget(std::shared_ptr<TargetResources> resources, std::weak_ptr<FramePool> frames)
      : RenderTarget(resources->size, resources->isProtected), resources_(std::move(resources)),
        frames_(std::move(frames)) {}
  ~VulkanTarget() override {
    resources_.reset();
    if (const auto frames = frames_.lock()) frames->collect();
  }
  [[nodiscard]] const std::shared_ptr<TargetResources>& resources() const { return resources_; }

private:
  std::shared_ptr<TargetResources> resources_;
  std::weak_ptr<FramePool> frames_;
};

/** A barrier on a whole colour image. VK_QUEUE_FAMILY_IGNORED: the owner does not change. */
[[nodiscard]] VkImageMemoryBarrier imageBarrier(VkImage image, VkImageLayout from, VkImageLayout to,
                                                VkAccessFlags before, VkAccessFlags after,
                                                uint32_t fromFamily = VK_QUEUE_FAMILY_IGNORED,
                                                uint32_t toFamily = VK_QUEUE_FAMILY_IGNORED);

} // namespace vitrine::vulkan
