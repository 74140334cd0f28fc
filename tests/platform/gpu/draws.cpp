// Checks draws and dispatches: the bound pipeline's shaders, the pass's attachments, and the bound buffers.

#include <span>

#include "tests/platform/gpu/rules.h"

namespace vitrine::gpu {
namespace {

// The VUID numbers that all draws and dispatches share.
constexpr const char* touchesProtected = "02707";
constexpr const char* writesUnprotected = "02712";
constexpr const char* otherStageWrites = "02713";
constexpr const char* indirectInProtected = "02711";

void judge(Recording& recording, const BindingUse& use, const Resource& resource) {
  if (use.framebufferOrComputeWrites) {
    recording.writes(resource, touchesProtected, writesUnprotected);
  } else {
    recording.reads(resource, touchesProtected);
  }
  if (use.otherStageWrites && recording.isProtected())
    recording.violates(otherStageWrites, "another stage writes to " + describe(resource));
  if (use.otherStage) recording.readsInOtherStage(resource, touchesProtected);
}

/** Checks the resources that the bound pipeline's shaders can access through the bound sets. */
void shadersRun(Recording& recording, VkPipelineBindPoint point) {
  const CommandBuffer& buffer = recording.buffer();
  const auto pipeline = state().pipelines.find(lookUp(buffer.pipelines, point));
  if (pipeline == state().pipelines.end()) return;
  for (const auto& [place, use] : pipeline->second.uses) {
    const auto set = state().sets.find(lookUp(buffer.sets, {point, place.first}));
    if (set == state().sets.end()) continue;
    auto at = set->second.resources.lower_bound({place.second, 0});
    for (; at != set->second.resources.end() && at->first.first == place.second; ++at)
      judge(recording, use, at->second);
  }
}

void draws(Recording& recording) {
  recording.drawsToAttachments(touchesProtected, writesUnprotected);
  shadersRun(recording, VK_PIPELINE_BIND_POINT_GRAPHICS);
  for (const auto& [binding, buffer] : recording.buffer().vertexBuffers)
    recording.readsInOtherStage(buffer, touchesProtected);
}

void drawsIndexed(Recording& recording) {
  draws(recording);
  recording.readsInOtherStage(recording.buffer().indexBuffer, touchesProtected);
}

void dispatches(Recording& recording) {
  shadersRun(recording, VK_PIPELINE_BIND_POINT_COMPUTE);
}

/** Checks a buffer of indirect parameters. No VUID covers a protected one. */
void isIndirect(Recording& recording, VkBuffer parameters) {
  recording.onlyUnprotected(indirectInProtected);
  recording.reads(parameters, accessRules);
}

/** Checks attachments that the pass itself writes. The others are checked at the first draw. */
void beginPass(Recording& recording, const VkRenderPassBeginInfo& info) {
  auto images = lookUp(state().framebuffers, info.framebuffer);
  if (const auto* named =
          findInChain<VkRenderPassAttachmentBeginInfo>(info.pNext, VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO);
      named != nullptr && named->attachmentCount > 0) {
    images.clear();
    for (VkImageView view : std::span(named->pAttachments, named->attachmentCount))
      images.push_back(lookUp(state().imageViews, view));
  }
  const RenderPass& pass = state().renderPasses.at(info.renderPass);
  auto& attachments = recording.buffer().attachments;
  attachments.clear();
  for (size_t i = 0; i < images.size() && i < pass.written.size(); ++i) {
    attachments.emplace_back(images[i], pass.written[i]);
    if (pass.byItself[i]) recording.writes(images[i], accessRules, accessRules);
  }
}

void addAttachment(Recording& recording, const VkRenderingAttachmentInfo* info) {
  if (info == nullptr || info->imageView == VK_NULL_HANDLE) return;
  const Resource image = lookUp(state().imageViews, info->imageView);
  recording.buffer().attachments.emplace_back(image, true);
  if (info->loadOp == VK_ATTACHMENT_LOAD_OP_CLEAR) recording.writes(image, accessRules, accessRules);
  if (info->resolveMode == VK_RESOLVE_MODE_NONE || info->resolveImageView == VK_NULL_HANDLE) return;
  const Resource target = lookUp(state().imageViews, info->resolveImageView);
  recording.buffer().attachments.emplace_back(target, true);
  recording.writes(target, accessRules, accessRules);
}

} // namespace

VKAPI_ATTR void VKAPI_CALL entry::CmdBindPipeline(VkCommandBuffer commands, VkPipelineBindPoint point,
                                                  VkPipeline pipeline) {
  {
    Recording recording(commands, "vkCmdBindPipeline");
    recording.buffer().pipelines[point] = pipeline;
    const VkPipelineCreateFlags flags = lookUp(state().pipelines, pipeline).flags;
    if (recording.isProtected() && (flags & VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT) != 0)
      recording.violates("VUID-vkCmdBindPipeline-pipelineProtectedAccess-07408", "a pipeline without protected access");
    if (!recording.isProtected() && (flags & VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT) != 0)
      recording.violates("VUID-vkCmdBindPipeline-pipelineProtectedAccess-07409",
                         "a pipeline for protected access only");
  }
  lavapipe().CmdBindPipeline(commands, point, pipeline);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBindDescriptorSets(VkCommandBuffer commands, VkPipelineBindPoint point,
                                                        VkPipelineLayout layout, uint32_t first, uint32_t count,
                                                        const VkDescriptorSet* sets, uint32_t offsetCount,
                                                        const uint32_t* offsets) {
  {
    Recording recording(commands, "vkCmdBindDescriptorSets");
    for (uint32_t i = 0; i < count; ++i)
      recording.buffer().sets[{point, first + i}] = sets[i];
  }
  lavapipe().CmdBindDescriptorSets(commands, point, layout, first, count, sets, offsetCount, offsets);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBindVertexBuffers(VkCommandBuffer commands, uint32_t first, uint32_t count,
                                                       const VkBuffer* buffers, const VkDeviceSize* offsets) {
  {
    Recording recording(commands, "vkCmdBindVertexBuffers");
    for (uint32_t i = 0; i < count; ++i)
      recording.buffer().vertexBuffers[first + i] = lookUp(state().buffers, buffers[i]);
  }
  lavapipe().CmdBindVertexBuffers(commands, first, count, buffers, offsets);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBindVertexBuffers2(VkCommandBuffer commands, uint32_t first, uint32_t count,
                                                        const VkBuffer* buffers, const VkDeviceSize* offsets,
                                                        const VkDeviceSize* sizes, const VkDeviceSize* strides) {
  {
    Recording recording(commands, "vkCmdBindVertexBuffers2");
    for (uint32_t i = 0; i < count; ++i)
      recording.buffer().vertexBuffers[first + i] = lookUp(state().buffers, buffers[i]);
  }
  lavapipe().CmdBindVertexBuffers2(commands, first, count, buffers, offsets, sizes, strides);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBindIndexBuffer(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                     VkIndexType type) {
  {
    Recording recording(commands, "vkCmdBindIndexBuffer");
    recording.buffer().indexBuffer = lookUp(state().buffers, buffer);
  }
  lavapipe().CmdBindIndexBuffer(commands, buffer, offset, type);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBeginRenderPass(VkCommandBuffer commands, const VkRenderPassBeginInfo* info,
                                                     VkSubpassContents contents) {
  {
    Recording recording(commands, "vkCmdBeginRenderPass");
    beginPass(recording, *info);
  }
  lavapipe().CmdBeginRenderPass(commands, info, contents);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBeginRenderPass2(VkCommandBuffer commands, const VkRenderPassBeginInfo* info,
                                                      const VkSubpassBeginInfo* subpass) {
  {
    Recording recording(commands, "vkCmdBeginRenderPass2");
    beginPass(recording, *info);
  }
  lavapipe().CmdBeginRenderPass2(commands, info, subpass);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdBeginRendering(VkCommandBuffer commands, const VkRenderingInfo* info) {
  {
    Recording recording(commands, "vkCmdBeginRendering");
    recording.buffer().attachments.clear();
    for (uint32_t i = 0; i < info->colorAttachmentCount; ++i)
      addAttachment(recording, &info->pColorAttachments[i]);
    addAttachment(recording, info->pDepthAttachment);
    addAttachment(recording, info->pStencilAttachment);
  }
  lavapipe().CmdBeginRendering(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdEndRenderPass(VkCommandBuffer commands) {
  Recording(commands, "vkCmdEndRenderPass").buffer().attachments.clear();
  lavapipe().CmdEndRenderPass(commands);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdEndRenderPass2(VkCommandBuffer commands, const VkSubpassEndInfo* info) {
  Recording(commands, "vkCmdEndRenderPass2").buffer().attachments.clear();
  lavapipe().CmdEndRenderPass2(commands, info);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdEndRendering(VkCommandBuffer commands) {
  Recording(commands, "vkCmdEndRendering").buffer().attachments.clear();
  lavapipe().CmdEndRendering(commands);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdClearAttachments(VkCommandBuffer commands, uint32_t count,
                                                      const VkClearAttachment* attachments, uint32_t rectCount,
                                                      const VkClearRect* rects) {
  Recording(commands, "vkCmdClearAttachments").drawsToAttachments("02504", "02505");
  lavapipe().CmdClearAttachments(commands, count, attachments, rectCount, rects);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDraw(VkCommandBuffer commands, uint32_t vertices, uint32_t instances,
                                          uint32_t firstVertex, uint32_t firstInstance) {
  {
    Recording recording(commands, "vkCmdDraw");
    draws(recording);
  }
  lavapipe().CmdDraw(commands, vertices, instances, firstVertex, firstInstance);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDrawIndexed(VkCommandBuffer commands, uint32_t indices, uint32_t instances,
                                                 uint32_t firstIndex, int32_t vertexOffset, uint32_t firstInstance) {
  {
    Recording recording(commands, "vkCmdDrawIndexed");
    drawsIndexed(recording);
  }
  lavapipe().CmdDrawIndexed(commands, indices, instances, firstIndex, vertexOffset, firstInstance);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDrawIndirect(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                  uint32_t count, uint32_t stride) {
  {
    Recording recording(commands, "vkCmdDrawIndirect");
    isIndirect(recording, buffer);
    draws(recording);
  }
  lavapipe().CmdDrawIndirect(commands, buffer, offset, count, stride);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDrawIndexedIndirect(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                         uint32_t count, uint32_t stride) {
  {
    Recording recording(commands, "vkCmdDrawIndexedIndirect");
    isIndirect(recording, buffer);
    drawsIndexed(recording);
  }
  lavapipe().CmdDrawIndexedIndirect(commands, buffer, offset, count, stride);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDrawIndirectCount(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                       VkBuffer countBuffer, VkDeviceSize countOffset, uint32_t limit,
                                                       uint32_t stride) {
  {
    Recording recording(commands, "vkCmdDrawIndirectCount");
    isIndirect(recording, buffer);
    isIndirect(recording, countBuffer);
    draws(recording);
  }
  lavapipe().CmdDrawIndirectCount(commands, buffer, offset, countBuffer, countOffset, limit, stride);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDrawIndexedIndirectCount(VkCommandBuffer commands, VkBuffer buffer,
                                                              VkDeviceSize offset, VkBuffer countBuffer,
                                                              VkDeviceSize countOffset, uint32_t limit,
                                                              uint32_t stride) {
  {
    Recording recording(commands, "vkCmdDrawIndexedIndirectCount");
    isIndirect(recording, buffer);
    isIndirect(recording, countBuffer);
    drawsIndexed(recording);
  }
  lavapipe().CmdDrawIndexedIndirectCount(commands, buffer, offset, countBuffer, countOffset, limit, stride);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDispatch(VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z) {
  {
    Recording recording(commands, "vkCmdDispatch");
    dispatches(recording);
  }
  lavapipe().CmdDispatch(commands, x, y, z);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDispatchBase(VkCommandBuffer commands, uint32_t baseX, uint32_t baseY,
                                                  uint32_t baseZ, uint32_t x, uint32_t y, uint32_t z) {
  {
    Recording recording(commands, "vkCmdDispatchBase");
    dispatches(recording);
  }
  lavapipe().CmdDispatchBase(commands, baseX, baseY, baseZ, x, y, z);
}

VKAPI_ATTR void VKAPI_CALL entry::CmdDispatchIndirect(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset) {
  {
    Recording recording(commands, "vkCmdDispatchIndirect");
    isIndirect(recording, buffer);
    dispatches(recording);
  }
  lavapipe().CmdDispatchIndirect(commands, buffer, offset);
}

} // namespace vitrine::gpu
