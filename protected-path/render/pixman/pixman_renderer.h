#pragma once

#include <vector>

#include "protected-path/render/pixman/pixman_resources.h"

namespace vitrine::pixman {

/**
 * The Renderer on the CPU, for machines without a GPU. Ordinary content only: protected content has no pixels here and draws as the
 * placeholder (R1, R2); it is shown on planes or not at all. All work is done when a call returns; there are no
 * fences to wait for.
 */
class PixmanRenderer final : public Renderer {
public:
  PixmanRenderer();

  [[nodiscard]] const VulkanDeviceReport& device() const override { return report_; }
  [[nodiscard]] const RendererCounters& counters() const override { return counters_; }
  [[nodiscard]] std::span<const FormatModifier> sampledFormats() const override { return sampled_; }
  [[nodiscard]] std::span<const FormatModifier> targetFormats() const override { return targets_; }
  [[nodiscard]] std::span<const uint32_t> uploadFormats() const override { return pixmanFourccs(); }

  [[nodiscard]] Result<std::unique_ptr<Texture>> import(const Dmabuf& buffer) override;
  [[nodiscard]] Result<std::unique_ptr<Texture>> upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                        std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<> update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                std::span<const Rect> changed) override;
  [[nodiscard]] Result<std::unique_ptr<RenderTarget>> importTarget(const Dmabuf& buffer) override;
  /** A sync file that has not signalled is an error (System, EBUSY): the CPU waits for none. */
  [[nodiscard]] Result<UniqueFd> compose(RenderTarget& target, std::span<const DrawCommand> commands,
                                         std::span<const Rect> damage, std::span<UniqueFd> waitFor) override;
  [[nodiscard]] Result<std::unique_ptr<Readback>> startReading(const RenderTarget& source) override;
  [[nodiscard]] Result<> readPixels(const RenderTarget& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) override;
  [[nodiscard]] Result<> readPixels(const Texture& source, const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                    std::span<std::byte> bytes) override;
  [[nodiscard]] bool prepare() override { return false; }
  void waitIdle() override {}
  [[nodiscard]] Result<> recover() override { return {}; }
  [[nodiscard]] uint64_t generation() const override { return 1; }

private:
  [[nodiscard]] Image texelsOf(const PixmanTexture& texture, const Rect& box, const DrawCommand& command);
  enum class Drawn : uint8_t { Content, Nothing };
  void draw(pixman_image_t* target, const DrawCommand& command, std::span<const Rect> parts);
  Drawn drawTexture(pixman_image_t* target, const DrawCommand& command, std::span<const Rect> parts);
  void drawPlaceholder(pixman_image_t* target, const DrawCommand& command, std::span<const Rect> parts);

  VulkanDeviceReport report_;
  RendererCounters counters_;
  std::vector<FormatModifier> sampled_;
  std::vector<FormatModifier> targets_;
  std::vector<uint32_t> patternPixels_;
  Image pattern_;                   ///< one period of the placeholder, repeated
  std::vector<Rect> parts_;         ///< of the command that is drawn
  std::vector<uint32_t> converted_; ///< YCbCr texels as a8r8g8b8
};

} // namespace vitrine::pixman
