// Pipelines: the resources that their shaders use, and whether they are for protected command buffers.

#include "tests/platform/gpu/shader_uses.h"

namespace vitrine::gpu {
namespace {

constexpr VkPipelineCreateFlags accessFlags =
    VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT | VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT;

void add(BindingUses& to, const BindingUses& from) {
  for (const auto& [place, use] : from) {
    to[place].framebufferOrComputeWrites |= use.framebufferOrComputeWrites;
    to[place].otherStage |= use.otherStage;
    to[place].otherStageWrites |= use.otherStageWrites;
  }
}

/** The caller holds the lock. */
void addStage(Pipeline& pipeline, const VkPipelineShaderStageCreateInfo& stage) {
  add(pipeline.uses, lookUp(state().shaders, stage.module));
}

/** The rules for the flags. Compute pipelines have no VUIDs, but their flags have the same meaning. */
struct FlagRules {
  const char* command;
  const char* needFeature;
  const char* excludeEachOther;
};
constexpr FlagRules graphicsRules{"vkCreateGraphicsPipelines",
                                  "VUID-VkGraphicsPipelineCreateInfo-pipelineProtectedAccess-07368",
                                  "VUID-VkGraphicsPipelineCreateInfo-flags-07369"};
constexpr FlagRules computeRules{"vkCreateComputePipelines", "VkPipelineCreateFlagBits", "VkPipelineCreateFlagBits"};

void note(VkDevice handle, VkPipeline made, Pipeline pipeline, const FlagRules& rules) {
  Device& device = *state().devices.at(handle);
  const VkPipelineCreateFlags access = pipeline.flags & accessFlags;
  if (access != 0 && !device.pipelineProtectedAccess) {
    state().lose(device,
                 {rules.needFeature,
                  std::string(rules.command) + ": protected access flags without the pipelineProtectedAccess feature"});
  }
  if (access == accessFlags)
    state().lose(device, {rules.excludeEachOther, std::string(rules.command) + ": both protected access flags"});
  state().pipelines[made] = std::move(pipeline);
}

/** The flags without those that lavapipe does not know. */
template<typename CreateInfo>
std::vector<CreateInfo> ordinary(uint32_t count, const CreateInfo* infos) {
  std::vector<CreateInfo> copies(infos, infos + count);
  for (CreateInfo& info : copies)
    info.flags &= ~accessFlags;
  return copies;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateShaderModule(VkDevice device, const VkShaderModuleCreateInfo* info,
                                                         const VkAllocationCallbacks* callbacks,
                                                         VkShaderModule* shader) {
  const VkResult result = lavapipe().CreateShaderModule(device, info, callbacks, shader);
  if (result != VK_SUCCESS) return result;
  BindingUses uses = bindingUses({info->pCode, info->codeSize / sizeof(uint32_t)});
  const Lock lock(state().mutex);
  state().shaders[*shader] = std::move(uses);
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyShaderModule(VkDevice device, VkShaderModule shader,
                                                      const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().shaders.erase(shader);
  }
  lavapipe().DestroyShaderModule(device, shader, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateGraphicsPipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                              const VkGraphicsPipelineCreateInfo* infos,
                                                              const VkAllocationCallbacks* callbacks,
                                                              VkPipeline* pipelines) {
  const auto copies = ordinary(count, infos);
  const VkResult result = lavapipe().CreateGraphicsPipelines(device, cache, count, copies.data(), callbacks, pipelines);
  const Lock lock(state().mutex);
  for (uint32_t i = 0; i < count; ++i) {
    if (pipelines[i] == VK_NULL_HANDLE) continue;
    Pipeline pipeline{infos[i].flags, {}};
    for (uint32_t stage = 0; stage < infos[i].stageCount; ++stage)
      addStage(pipeline, infos[i].pStages[stage]);
    note(device, pipelines[i], std::move(pipeline), graphicsRules);
  }
  return result;
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateComputePipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                             const VkComputePipelineCreateInfo* infos,
                                                             const VkAllocationCallbacks* callbacks,
                                                             VkPipeline* pipelines) {
  const auto copies = ordinary(count, infos);
  const VkResult result = lavapipe().CreateComputePipelines(device, cache, count, copies.data(), callbacks, pipelines);
  const Lock lock(state().mutex);
  for (uint32_t i = 0; i < count; ++i) {
    if (pipelines[i] == VK_NULL_HANDLE) continue;
    Pipeline pipeline{infos[i].flags, {}};
    addStage(pipeline, infos[i].stage);
    note(device, pipelines[i], std::move(pipeline), computeRules);
  }
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyPipeline(VkDevice device, VkPipeline pipeline,
                                                  const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().pipelines.erase(pipeline);
  }
  lavapipe().DestroyPipeline(device, pipeline, callbacks);
}

} // namespace vitrine::gpu
