#include "protected-path/render/vulkan/pipelines.h"

#include <span>
#include <utility>

#include "protected-path/render/placeholder.h"
#include "protected-path/render/vulkan/draw_constants.h"
#include "shaders/fullscreen_vert.h"
#include "shaders/placeholder_frag.h"
#include "shaders/solid_frag.h"
#include "shaders/texture_frag.h"
#include "shaders/ycc_image_frag.h"

namespace vitrine::vulkan {
namespace {

Result<ShaderModule> makeShader(const DeviceFunctions& vk, std::span<const uint32_t> code, const char* name) {
  const VkShaderModuleCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = code.size_bytes(), .pCode = code.data()};
  return makeObject<ShaderModule>(vk, vk.CreateShaderModule, info, "vkCreateShaderModule", name);
}

Result<PipelineLayout> makeLayout(const DeviceFunctions& vk, VkDescriptorSetLayout textures) {
  const VkPushConstantRange constants{VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(DrawConstants)};
  const VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                        .setLayoutCount = 1,
                                        .pSetLayouts = &textures,
                                        .pushConstantRangeCount = 1,
                                        .pPushConstantRanges = &constants};
  return makeObject<PipelineLayout>(vk, vk.CreatePipelineLayout, info, "vkCreatePipelineLayout");
}

/** The fixed-function state of all pipelines. */
struct FixedState {
  VkPipelineVertexInputStateCreateInfo vertexInput{.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
  VkPipelineInputAssemblyStateCreateInfo assembly{.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
                                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
  VkPipelineViewportStateCreateInfo viewport{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO, .viewportCount = 1, .scissorCount = 1};
  VkPipelineRasterizationStateCreateInfo rasterization{.sType =
                                                           VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
                                                       .polygonMode = VK_POLYGON_MODE_FILL,
                                                       .cullMode = VK_CULL_MODE_NONE,
                                                       .lineWidth = 1};
  VkPipelineMultisampleStateCreateInfo multisample{.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
                                                   .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
  std::array<VkDynamicState, 2> dynamicStates{VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
  VkPipelineDynamicStateCreateInfo dynamic{.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
                                           .dynamicStateCount = 2,
                                           .pDynamicStates = dynamicStates.data()};
};

VkPipelineColorBlendAttachmentState blending(bool blend) {
  return {.blendEnable = blend ? VK_TRUE : VK_FALSE,
          .srcColorBlendFactor = VK_BLEND_FACTOR_ONE,
          .dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
          .colorBlendOp = VK_BLEND_OP_ADD,
          .srcAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
          .dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
          .alphaBlendOp = VK_BLEND_OP_ADD,
          .colorWriteMask = VK_COLOR_COMPONENT_R_BIT | VK_COLOR_COMPONENT_G_BIT | VK_COLOR_COMPONENT_B_BIT |
                            VK_COLOR_COMPONENT_A_BIT};
}

} // namespace

Result<std::unique_ptr<Pipelines>> Pipelines::create(std::shared_ptr<Device> device, VkDescriptorSetLayout textures) {
  std::unique_ptr<Pipelines> pipelines(new Pipelines(std::move(device)));
  auto cache = PipelineCache::create(pipelines->device_);
  if (!cache) return std::unexpected(cache.error());
  pipelines->cache_ = std::move(*cache);
  auto layout = makeLayout(pipelines->device_->vk(), textures);
  if (!layout) return std::unexpected(layout.error());
  pipelines->layout_ = std::move(*layout);
  if (auto shaders = pipelines->createShaders(); !shaders) return std::unexpected(shaders.error());
  return pipelines;
}

Result<> Pipelines::createShaders() {
  struct Wanted {
    ShaderModule& module;
    std::span<const uint32_t> code;
    const char* name;
  };
  const Wanted all[] = {{vertex_, fullscreen_vert, "fullscreen.vert"},
                        {solid_, solid_frag, "solid.frag"},
                        {placeholder_, placeholder_frag, "placeholder.frag"},
                        {texture_, texture_frag, "texture.frag"},
                        {yccImage_, ycc_image_frag, "ycc_image.frag"}};
  for (const Wanted& wanted : all) {
    auto module = makeShader(device_->vk(), wanted.code, wanted.name);
    if (!module) return std::unexpected(module.error());
    wanted.module = std::move(*module);
  }
  return {};
}

Result<const TargetPipelines*> Pipelines::forFormat(VkFormat format, bool isProtected) {
  const auto target = targetFor(format, isProtected);
  if (!target) return std::unexpected(target.error());
  for (bool more = true; more;) {
    const auto made = makeMissing(**target, true);
    if (!made) return std::unexpected(made.error());
    more = *made;
  }
  return *target;
}

Result<TargetPipelines*> Pipelines::targetFor(VkFormat format, bool isProtected) {
  const VkPipelineCreateFlags access =
      isProtected ? VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT_EXT : VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT_EXT;
  const VkPipelineCreateFlags flags = device_->physical().pipelineProtectedAccess ? access : 0;
  for (TargetPipelines& target : targets_) {
    if (target.format == format && target.flags == flags) return &target;
  }
  TargetPipelines target{.format = format, .flags = flags};
  for (const auto& [pass, load] : {std::pair{&target.renderPass, VK_ATTACHMENT_LOAD_OP_LOAD},
                                   {&target.replacingPass, VK_ATTACHMENT_LOAD_OP_DONT_CARE}}) {
    auto made = createRenderPass(format, load);
    if (!made) return std::unexpected(made.error());
    *pass = std::move(*made);
  }
  return &targets_.emplace_back(std::move(target));
}

Result<RenderPass> Pipelines::createRenderPass(VkFormat format, VkAttachmentLoadOp load) const {
  const VkAttachmentDescription attachment{.format = format,
                                           .samples = VK_SAMPLE_COUNT_1_BIT,
                                           .loadOp = load,
                                           .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                           .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
                                           .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
                                           .initialLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                                           .finalLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
  const VkAttachmentReference reference{0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
  const VkSubpassDescription subpass{
      .pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS, .colorAttachmentCount = 1, .pColorAttachments = &reference};
  const VkRenderPassCreateInfo info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                    .attachmentCount = 1,
                                    .pAttachments = &attachment,
                                    .subpassCount = 1,
                                    .pSubpasses = &subpass};
  return makeObject<RenderPass>(device_->vk(), device_->vk().CreateRenderPass, info, "vkCreateRenderPass");
}

Result<std::shared_ptr<const YccSampler>> Pipelines::sampler(const YccSamplerKey& key) {
  const auto converted = convertedFor(key);
  if (!converted) return std::unexpected(converted.error());
  (*converted)->used = true;
  for (TargetPipelines& target : targets_) {
    target.converted.resize(converted_.size());
    for (bool more = true; more;) {
      const auto made =
          makeMissing(target, target.converted[(*converted)->sampler->number()], convertedRecipe(**converted));
      if (!made) return std::unexpected(made.error());
      more = *made;
    }
  }
  return (*converted)->sampler;
}

Result<Pipelines::Converted*> Pipelines::convertedFor(const YccSamplerKey& key) {
  for (Converted& converted : converted_) {
    if (converted.sampler->key() == key) return &converted;
  }
  auto sampler = YccSampler::create(device_, key, converted_.size());
  if (!sampler) return std::unexpected(sampler.error());
  auto layout = makeLayout(device_->vk(), (*sampler)->descriptors().layout());
  if (!layout) return std::unexpected(layout.error());
  return &converted_.emplace_back(std::move(*sampler), std::move(*layout));
}

Result<bool> Pipelines::makeAhead(std::span<const YccSamplerKey> samplers) {
  for (const YccSamplerKey& key : samplers) {
    if (auto added = convertedFor(key); !added) return std::unexpected(added.error());
  }
  for (TargetPipelines& target : targets_) {
    if (device_->hasProtectedMemory()) {
      if (auto added = targetFor(target.format, true); !added) return std::unexpected(added.error());
    }
    if (auto made = makeMissing(target, false); !made || *made) return made;
  }
  return false;
}

Result<bool> Pipelines::makeMissing(TargetPipelines& target, bool onlyUsed) const {
  const VkPipelineLayout layout = layout_.get();
  const Recipe recipes[fixedDrawKinds] = {{solid_.get(), 0, layout},
                                          {placeholder_.get(), PlaceholderPattern::stripeWidth, layout},
                                          {texture_.get(), 1, layout}, // number of planes
                                          {texture_.get(), 2, layout},
                                          {texture_.get(), 3, layout}};
  for (size_t kind = 0; kind < fixedDrawKinds; ++kind) {
    if (auto made = makeMissing(target, target.fixed[kind], recipes[kind]); !made || *made) return made;
  }
  target.converted.resize(converted_.size());
  for (const Converted& converted : converted_) {
    if (onlyUsed && !converted.used) continue;
    PipelinePair& pair = target.converted[converted.sampler->number()];
    if (auto made = makeMissing(target, pair, convertedRecipe(converted)); !made || *made) return made;
  }
  return false;
}

Result<bool> Pipelines::makeMissing(const TargetPipelines& target, PipelinePair& pair, const Recipe& recipe) const {
  for (const auto& [pipeline, blend] : {std::pair{&pair.blended, true}, {&pair.replacing, false}}) {
    if (*pipeline) continue;
    auto made = createPipeline(target, recipe, blend);
    if (!made) return std::unexpected(made.error());
    *pipeline = std::move(*made);
    return true;
  }
  return false;
}

Result<Pipeline> Pipelines::createPipeline(const TargetPipelines& target, const Recipe& recipe, bool blend) const {
  const FixedState fixed;
  const VkSpecializationMapEntry entry{0, 0, sizeof(int32_t)};
  const VkSpecializationInfo constants{1, &entry, sizeof(recipe.constant), &recipe.constant};
  const std::array<VkPipelineShaderStageCreateInfo, 2> stages{
      VkPipelineShaderStageCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                      .stage = VK_SHADER_STAGE_VERTEX_BIT,
                                      .module = vertex_.get(),
                                      .pName = "main"},
      VkPipelineShaderStageCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                      .stage = VK_SHADER_STAGE_FRAGMENT_BIT,
                                      .module = recipe.fragment,
                                      .pName = "main",
                                      .pSpecializationInfo = &constants}};
  const VkPipelineColorBlendAttachmentState attachment = blending(blend);
  const VkPipelineColorBlendStateCreateInfo blendState{.sType =
                                                           VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
                                                       .attachmentCount = 1,
                                                       .pAttachments = &attachment};
  const VkGraphicsPipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                          .flags = target.flags,
                                          .stageCount = 2,
                                          .pStages = stages.data(),
                                          .pVertexInputState = &fixed.vertexInput,
                                          .pInputAssemblyState = &fixed.assembly,
                                          .pViewportState = &fixed.viewport,
                                          .pRasterizationState = &fixed.rasterization,
                                          .pMultisampleState = &fixed.multisample,
                                          .pColorBlendState = &blendState,
                                          .pDynamicState = &fixed.dynamic,
                                          .layout = recipe.layout,
                                          .renderPass = target.renderPass.get()};
  VkPipeline handle = VK_NULL_HANDLE;
  const DeviceFunctions& vk = device_->vk();
  device_->counters.pipelines += 1;
  const VkResult result = vk.CreateGraphicsPipelines(vk.device, cache_->get(), 1, &info, nullptr, &handle);
  if (result != VK_SUCCESS) return vulkanError("vkCreateGraphicsPipelines", "", result);
  return Pipeline(vk, handle);
}

} // namespace vitrine::vulkan
