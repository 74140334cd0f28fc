#pragma once

#include <array>
#include <list>

#include "protected-path/vulkan/device.h"

namespace vitrine {

/** What a draw does with a fragment. */
enum class DrawKind : uint8_t { Solid, Placeholder, Rgb, YccSemiPlanar, YccPlanar };
inline constexpr size_t drawKinds = 5;

/** Render pass and pipelines for targets of one VkFormat. The pass keeps what the target holds. */
struct TargetPipelines {
  VkFormat format = VK_FORMAT_UNDEFINED;
  VkPipelineCreateFlags flags = 0;
  RenderPass renderPass;
  std::array<Pipeline, drawKinds> blended; ///< premultiplied over
  std::array<Pipeline, drawKinds> replacing;

  [[nodiscard]] VkPipeline get(DrawKind kind, bool blend) const {
    return (blend ? blended : replacing)[static_cast<size_t>(kind)].get();
  }
};

/**
 * All pipelines. With the feature pipelineProtectedAccess each is made for protected or for ordinary command buffers,
 * which spares a driver from being ready for both; without it the same ones are used in either
 * (VkPipelineCreateFlagBits).
 */
class Pipelines {
public:
  /** `textures` is the layout of set 0; the device must outlive this. */
  [[nodiscard]] static Result<std::unique_ptr<Pipelines>> create(const Device& device, VkDescriptorSetLayout textures);

  [[nodiscard]] VkPipelineLayout layout() const { return layout_.get(); }
  /** Made on first use of a format; the pointer stays good. `isProtected`: for protected targets. */
  [[nodiscard]] Result<const TargetPipelines*> forFormat(VkFormat format, bool isProtected);

private:
  explicit Pipelines(const Device& device) : device_(device) {}
  [[nodiscard]] Result<> createShaders();
  [[nodiscard]] Result<RenderPass> createRenderPass(VkFormat format) const;
  [[nodiscard]] Result<> createPipelines(TargetPipelines& target) const;
  const Device& device_;
  PipelineLayout layout_;
  ShaderModule vertex_;
  ShaderModule solid_;
  ShaderModule placeholder_;
  ShaderModule texture_;
  std::list<TargetPipelines> targets_;
};

} // namespace vitrine
