#pragma once

#include <array>
#include <list>
#include <vector>

#include "protected-path/render/vulkan/ycc_sampler.h"

namespace vitrine::vulkan {

/** What a draw does with a fragment. */
enum class DrawKind : uint8_t { Solid, Placeholder, Rgb, YccSemiPlanar, YccPlanar, YccImage };
/** All but YccImage, whose pipelines are there once for each sampler. */
inline constexpr size_t fixedDrawKinds = 5;

/** A draw's two pipelines. */
struct PipelinePair {
  Pipeline blended; ///< premultiplied over
  Pipeline replacing;
};

/** Render pass and pipelines for targets of one VkFormat. The pass keeps what the target holds. */
struct TargetPipelines {
  VkFormat format = VK_FORMAT_UNDEFINED;
  VkPipelineCreateFlags flags = 0;
  RenderPass renderPass;
  std::array<PipelinePair, fixedDrawKinds> fixed;
  std::vector<PipelinePair> converted; ///< YccImage, by the sampler's number

  /** `sampler`: of YccImage; null otherwise. */
  [[nodiscard]] VkPipeline get(DrawKind kind, const YccSampler* sampler, bool blend) const {
    const PipelinePair& pair = sampler != nullptr ? converted[sampler->number()] : fixed[static_cast<size_t>(kind)];
    return (blend ? pair.blended : pair.replacing).get();
  }
};

/**
 * All pipelines. With the feature pipelineProtectedAccess each is made for protected or for ordinary command buffers,
 * which spares a driver from being ready for both; without it the same ones are used in either
 * (VkPipelineCreateFlagBits).
 */
class Pipelines {
public:
  /** `textures` is the layout of set 0. */
  [[nodiscard]] static Result<std::unique_ptr<Pipelines>> create(std::shared_ptr<Device> device,
                                                                 VkDescriptorSetLayout textures);

  /** For draws with this sampler, or with none. */
  [[nodiscard]] VkPipelineLayout layout(const YccSampler* sampler) const {
    return sampler != nullptr ? converted_[sampler->number()].layout.get() : layout_.get();
  }
  /** Made on first use of a format; the pointer stays good. `isProtected`: for protected targets. */
  [[nodiscard]] Result<const TargetPipelines*> forFormat(VkFormat format, bool isProtected);
  /** Made on first use of a key, with pipelines for every target so far: drawing never has to make one. */
  [[nodiscard]] Result<std::shared_ptr<const YccSampler>> sampler(const YccSamplerKey& key);

private:
  struct Converted {
    std::shared_ptr<const YccSampler> sampler;
    PipelineLayout layout;
  };
  /** What a pipeline is made from, beside its target. */
  struct Recipe {
    VkShaderModule fragment;
    int32_t constant; ///< constant 0 of the shader; 0 where it has none
    VkPipelineLayout layout;
  };
  explicit Pipelines(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  [[nodiscard]] Result<> createShaders();
  [[nodiscard]] Result<RenderPass> createRenderPass(VkFormat format) const;
  [[nodiscard]] Result<> createAll(TargetPipelines& target) const;
  [[nodiscard]] Result<PipelinePair> createPair(const TargetPipelines& target, const Recipe& recipe) const;
  [[nodiscard]] Result<Pipeline> createPipeline(const TargetPipelines& target, const Recipe& recipe, bool blend) const;
  [[nodiscard]] Recipe convertedRecipe(const Converted& converted) const {
    return {yccImage_.get(), 0, converted.layout.get()};
  }
  std::shared_ptr<Device> device_;
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
