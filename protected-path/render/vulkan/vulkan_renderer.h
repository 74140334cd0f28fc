#pragma once

#include "protected-path/render/vulkan/pass_recorder.h"

namespace vitrine::vulkan {

/** The Renderer on Vulkan. Its files: renderer.cpp (creation, import, composition), upload.cpp, readback.cpp. */
class VulkanRenderer final : public Renderer {
public:
  [[nodiscard]] static Result<std::unique_ptr<VulkanRenderer>> create(const Options& options);
  ~VulkanRenderer() override;

  [[nodiscard]] const VulkanDeviceReport& device() const override { return device_->physical().report; }
  [[nodiscard]] const RendererCounters& counters() const override;
  [[nodiscard]] std::span<const FormatModifier> sampledFormats() const override { return support_.sampled(); }
  [[nodiscard]] std::span<const FormatModifier> targetFormats() const override { return support_.targets(); }
  [[nodiscard]] std::span<const uint32_t> uploadFormats() const override { return support_.uploads(); }

  [[nodiscard]] Result<std::unique_ptr<Texture>> import(const Dmabuf& buffer) override;
  [[nodiscard]] Result<std::unique_ptr<Texture>> upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                        std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<> update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                std::span<const Rect> changed) override;
  [[nodiscard]] Result<std::unique_ptr<RenderTarget>> importTarget(const Dmabuf& buffer) override;
  [[nodiscard]] Result<UniqueFd> compose(RenderTarget& target, std::span<const DrawCommand> commands,
                                         std::span<const Rect> damage, std::span<UniqueFd> waitFor) override;
  [[nodiscard]] Result<std::unique_ptr<Readback>> startReading(const RenderTarget& source) override;
  [[nodiscard]] Result<> readPixels(const RenderTarget& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) override;
  [[nodiscard]] Result<> readPixels(const Texture& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) override;
  [[nodiscard]] bool prepare() override;
  void waitIdle() override;
  [[nodiscard]] Result<> recover() override;
  [[nodiscard]] uint64_t generation() const override { return generation_; }

private:
  VulkanRenderer(Options options, std::shared_ptr<Device> device)
      : options_(std::move(options)), device_(std::move(device)), support_(*device_, options_.yccImport) {}
  /** Error: Refused only if the driver refuses this buffer itself. */
  [[nodiscard]] Result<std::shared_ptr<TextureResources>> importBy(const SampledImport& way, const Dmabuf& buffer);
  [[nodiscard]] Result<> importOneImage(const Dmabuf& buffer, const SampledImport& way, TextureResources& resources);
  [[nodiscard]] Result<> importPlanes(const Dmabuf& buffer, const SampledImport& way, TextureResources& resources);
  [[nodiscard]] Result<> finishTexture(TextureResources& resources);
  [[nodiscard]] Result<> finishTarget(TargetResources& resources);

  // Uploads collect in a frame of their own. The next pass is recorded into it, and both are submitted together.
  [[nodiscard]] Result<Frame*> frameFor(bool isProtected);
  [[nodiscard]] Result<Frame*> uploadFrame();
  [[nodiscard]] Result<> flushUploads();
  [[nodiscard]] Result<ImageWithMemory> makeOwnImage(VkFormat format, Size size, VkImageUsageFlags usage,
                                                     const VkComponentMapping& swizzle);
  [[nodiscard]] Result<> recordUpload(const std::shared_ptr<TextureResources>& resources, Size size,
                                      uint32_t strideBytes, std::span<const std::byte> bytes,
                                      std::span<const Rect> changed);

  [[nodiscard]] Result<std::shared_ptr<TargetResources>> makePicture(Size size);
  /** Records the copy of a whole target and submits the frame. On error, the frame is submitted without the copy. */
  [[nodiscard]] Result<std::unique_ptr<Readback>> copyOut(const std::shared_ptr<TargetResources>& source, Frame& frame);

  Options options_;
  uint64_t generation_ = 1;
  std::shared_ptr<Device> device_; ///< declared before the rest, so that it outlives them
  FormatSupport support_;
  std::shared_ptr<DescriptorAllocator> descriptors_;
  std::unique_ptr<Pipelines> pipelines_;
  std::shared_ptr<FramePool> frames_; ///< shared so that textures can find out in their destructors if it still exists
  std::unique_ptr<PassRecorder> recorder_;
  Frame* uploads_ = nullptr; ///< recording, or null
  mutable RendererCounters counters_;
};

} // namespace vitrine::vulkan
