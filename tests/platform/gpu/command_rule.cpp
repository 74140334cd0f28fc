#include "tests/platform/gpu/command_rule.h"

#include "tests/platform/gpu/triangle_vert.h"
#include "tests/platform/gpu/white_frag.h"

namespace vitrine::gpu::test {

TestImage prepared(Gpu& gpu, VkCommandBuffer commands, bool isProtected, VkFormat format,
                   VkSampleCountFlagBits samples) {
  const TestImage image = gpu.image(isProtected, format, samples);
  gpu.prepare(commands, image, format == depthFormat ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT);
  return image;
}

void beginPass(VkCommandBuffer commands, const VkRenderPassBeginInfo& info, bool second, VkSubpassContents contents) {
  if (!second) return vkCmdBeginRenderPass(commands, &info, contents);
  const VkSubpassBeginInfo subpass{.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO, .contents = contents};
  vkCmdBeginRenderPass2(commands, &info, &subpass);
}

void endPass(VkCommandBuffer commands, bool second) {
  if (!second) return vkCmdEndRenderPass(commands);
  const VkSubpassEndInfo info{.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
  vkCmdEndRenderPass2(commands, &info);
}

void inPass(Gpu& gpu, VkCommandBuffer commands, const PassKind& kind, const TestImage& target, VkRenderPass pass,
            const std::function<void()>& inside, VkSubpassContents contents) {
  const VkRenderPassAttachmentBeginInfo named{
      .sType = VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO, .attachmentCount = 1, .pAttachments = &target.view};
  const VkClearValue clear{};
  const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                    .pNext = kind.imageless ? &named : nullptr,
                                    .renderPass = pass,
                                    .framebuffer = kind.imageless ? gpu.imagelessFramebuffer(pass, target.isProtected)
                                                                  : gpu.framebuffer(pass, {target.view}),
                                    .renderArea = {{0, 0}, {side, side}},
                                    .clearValueCount = 1,
                                    .pClearValues = &clear};
  beginPass(commands, begin, kind.second, contents);
  inside();
  endPass(commands, kind.second);
}

void drawingPass(Gpu& gpu, VkCommandBuffer commands, bool targetProtected, const std::function<void()>& inside,
                 const PassKind& kind) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  const VkRenderPass pass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD);
  const auto drawing = [&] {
    bindWhite(gpu, commands, pass);
    inside();
  };
  inPass(gpu, commands, kind, target, pass, drawing);
}

VkQueryPool recordQuery(Gpu& gpu, VkCommandBuffer commands) {
  const VkQueryPool pool = gpu.queryPool();
  vkCmdResetQueryPool(commands, pool, 0, 1);
  vkCmdBeginQuery(commands, pool, 0, 0);
  vkCmdEndQuery(commands, pool, 0);
  return pool;
}

void bindWhite(Gpu& gpu, VkCommandBuffer commands, VkRenderPass pass) {
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                    gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)),
                                         gpu.shader(white_frag, sizeof(white_frag)), pass,
                                         gpu.pipelineLayout(VK_NULL_HANDLE)));
}

} // namespace vitrine::gpu::test
