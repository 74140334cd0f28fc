#pragma once

#include <array>
#include <list>
#include <span>
#include <vector>

#include "protected-path/render/vulkan/pipeline_cache.h"
#include "protected-path/render/vulkan/ycc_sampler.h"

namespace vitrine::vulkan {

/** How a fragment is coloured. */
enum class DrawKind : uint8_t { Solid, Placeholder, Rgb, YccSemiPlanar, YccPlanar, YccImage };
/** The number of kinds except YccImage, whose pipelines exist once per sampler. */
inline constexpr size_t fixedDrawKinds = 5;

/** The two pipelines of a kind of draw. */
struct PipelinePair {
  Pipeline blended; ///< premultiplied "over"
  Pipeline replacing;
};

/** Render passes and pipelines for targets of one VkFormat. */
struct TargetPipelines {
  VkFormat format = VK_FORMAT_UNDEFINED;
  VkPipelineCreateFlags flags = 0;
  RenderPass renderPass;    ///< keeps the target's content
  RenderPass replacingPass; ///< for a pass that draws each pixel of its area; compatible with the other
  std::array<PipelinePair, fixedDrawKinds> fixed;
  std::vector<PipelinePair> converted; ///< YccImage, by the sampler's number

  /** `sampler`: for YccImage only, else null. */
  [[nodiscard]] VkPipeline get(DrawKind kind, const YccSampler* sampler, bool blend) const {
    const PipelinePair& pair = sampler != nullptr ? converted[sampler->number()] : fixed[static_cast<size_t>(kind)];
    return (blend ? pair.blended : pair.replacing).get();
  }
};

/**
 * All pipelines. With the feature pipelineProtectedAccess, each pipeline is created either for protected or for
 * ordinary command buffers (VkPipelineCreateFlagBits), so that a driver need not prepare it for both. Without the
 * feature, the same pipelines are used in both.
 */
class Pipelines {
public:
  /** `textures`: the layout of set 0. */
  [[nodiscard]] static Result<std::unique_ptr<Pipelines>> create(std::shared_ptr<Device> device,
                                                                 VkDescriptorSetLayout textures);

  /** The layout for draws with this sampler; null: without a sampler. */
  [[nodiscard]] VkPipelineLayout layout(const YccSampler* sampler) const {
    return sampler != nullptr ? converted_[sampler->number()].layout.get() : layout_.get();
  }
  /** Created on first use of a format. The pointer stays valid. `isProtected`: for protected targets. */
  [[nodiscard]] Result<const TargetPipelines*> forFormat(VkFormat format, bool isProtected);
  /** Created on first use of a key, together with its pipelines for every known target: drawing never creates one. */
  [[nodiscard]] Result<std::shared_ptr<const YccSampler>> sampler(const YccSamplerKey& key);
  /**
   * Creates one pipeline that forFormat() or sampler() would create later: of the known formats for protected targets
   * too, and of images with one of `samplers`. False: there is none.
   */
  [[nodiscard]] Result<bool> makeAhead(std::span<const YccSamplerKey> samplers);

private:
  struct Converted {
    std::shared_ptr<const YccSampler> sampler;
    PipelineLayout layout;
    bool used = false; ///< by images: targets cannot be drawn into without its pipelines
  };
  /** What a pipeline is made from, apart from its target. */
  struct Recipe {
    VkShaderModule fragment;
    int32_t constant; ///< specialization constant 0 of the shader; 0 if it has none
    VkPipelineLayout layout;
  };
  explicit Pipelines(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  [[nodiscard]] Result<> createShaders();
  [[nodiscard]] Result<RenderPass> createRenderPass(VkFormat format, VkAttachmentLoadOp load) const;
  /** The entry of a format or key; added without pipelines if it is new. */
  [[nodiscard]] Result<TargetPipelines*> targetFor(VkFormat format, bool isProtected);
  [[nodiscard]] Result<Converted*> convertedFor(const YccSamplerKey& key);
  /** Creates the first pipeline that a target lacks; `onlyUsed`: without those of samplers that no image uses yet. */
  [[nodiscard]] Result<bool> makeMissing(TargetPipelines& target, bool onlyUsed) const;
  [[nodiscard]] Result<bool> makeMissing(const TargetPipelines& target, PipelinePair& pair, const Recipe& recipe) const;
  [[nodiscard]] Result<Pipeline> createPipeline(const TargetPipelines& target, const Recipe& recipe, bool blend) const;
  [[nodiscard]] Recipe convertedRecipe(const Converted& converted) const {
    return {yccImage_.get(), 0, converted.layout.get()};
  }
  std::shared_ptr<Device> device_;
  std::unique_ptr<PipelineCache> cache_;
  PipelineLayout layout_;
  ShaderModule vertex_;
  ShaderModule solid_;
  ShaderModule placeholder_;
  ShaderModule texture_;
  ShaderModule yccImage_;
  std::vector<Converted> converted_; ///< by the sampler's number
  std::list<TargetPipelines> targets_;
};

} // namespace vitrine::vulkan
