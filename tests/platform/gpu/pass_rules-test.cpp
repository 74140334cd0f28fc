#include "tests/platform/gpu/command_rule.h"

// Writes of passes: by clearing and resolving, and by draws. Tested with both versions of render passes, with and
// without images in the framebuffer, and with dynamic rendering.

namespace vitrine::gpu::test {
namespace {

const std::string draw = "VUID-vkCmdDraw-commandBuffer-";
const std::string clear = "VUID-vkCmdClearAttachments-commandBuffer-";

constexpr PassKind passKinds[] = {{},
                                  {.name = "Pass2", .second = true},
                                  {.name = "ImagelessPass", .imageless = true},
                                  {.name = "ImagelessPass2", .second = true, .imageless = true}};

void clearAttachment(VkCommandBuffer commands, VkImageAspectFlags aspect) {
  const VkClearAttachment attachment{.aspectMask = aspect};
  const VkClearRect rect{{{0, 0}, {side, side}}, 0, 1};
  vkCmdClearAttachments(commands, 1, &attachment, 1, &rect);
}

void addPasses(std::vector<Command>& list, const PassKind& kind) {
  const std::string name = kind.name;
  addTarget(list, name + "Draw", draw + "02707", draw + "02712",
            [kind](Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
              drawingPass(gpu, commands, target, [&] { vkCmdDraw(commands, 3, 1, 0, 0); }, kind);
            });
  addTarget(list, name + "Clear", accessRules, accessRules,
            [kind](Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
              inPass(gpu, commands, kind, prepared(gpu, commands, target), gpu.renderPass(VK_ATTACHMENT_LOAD_OP_CLEAR),
                     [] {});
            });
  addTarget(list, name + "ClearAttachments", clear + "02504", clear + "02505",
            [kind](Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
              drawingPass(gpu, commands, target, [&] { clearAttachment(commands, VK_IMAGE_ASPECT_COLOR_BIT); }, kind);
            });
}

/** The primary command buffer begins the pass, and the secondary draws. */
void executeDraw(Gpu& gpu, VkCommandBuffer commands, bool commandsProtected, bool targetProtected) {
  const VkRenderPass pass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD);
  VkCommandBuffer secondary = gpu.commands(commandsProtected, VK_COMMAND_BUFFER_LEVEL_SECONDARY, pass);
  bindWhite(gpu, secondary, pass);
  vkCmdDraw(secondary, 3, 1, 0, 0);
  ASSERT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
  inPass(
      gpu, commands, {}, prepared(gpu, commands, targetProtected), pass,
      [&] { vkCmdExecuteCommands(commands, 1, &secondary); }, VK_SUBPASS_CONTENTS_SECONDARY_COMMAND_BUFFERS);
}

// ---- Dynamic rendering ----

VkRenderingAttachmentInfo attachmentOf(const TestImage& image, VkAttachmentLoadOp load) {
  return {.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
          .imageView = image.view,
          .imageLayout = general,
          .loadOp = load,
          .storeOp = VK_ATTACHMENT_STORE_OP_STORE};
}

/** Renders into a colour or a depth attachment. */
void inRendering(VkCommandBuffer commands, VkImageAspectFlagBits aspect, const VkRenderingAttachmentInfo& attachment,
                 const std::function<void()>& inside) {
  const bool isColor = aspect == VK_IMAGE_ASPECT_COLOR_BIT;
  const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                             .renderArea = {{0, 0}, {side, side}},
                             .layerCount = 1,
                             .colorAttachmentCount = isColor ? 1U : 0U,
                             .pColorAttachments = isColor ? &attachment : nullptr,
                             .pDepthAttachment = isColor ? nullptr : &attachment};
  vkCmdBeginRendering(commands, &info);
  inside();
  vkCmdEndRendering(commands);
}

void drawInRendering(Gpu& gpu, VkCommandBuffer commands, bool, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  inRendering(commands, VK_IMAGE_ASPECT_COLOR_BIT, attachmentOf(target, VK_ATTACHMENT_LOAD_OP_LOAD), [&] {
    bindWhite(gpu, commands, VK_NULL_HANDLE);
    vkCmdDraw(commands, 3, 1, 0, 0);
  });
}

void clearByRendering(Gpu& gpu, VkCommandBuffer commands, bool, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  inRendering(commands, VK_IMAGE_ASPECT_COLOR_BIT, attachmentOf(target, VK_ATTACHMENT_LOAD_OP_CLEAR), [] {});
}

void clearDepthInRendering(Gpu& gpu, VkCommandBuffer commands, bool, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected, depthFormat);
  inRendering(commands, VK_IMAGE_ASPECT_DEPTH_BIT, attachmentOf(target, VK_ATTACHMENT_LOAD_OP_LOAD),
              [&] { clearAttachment(commands, VK_IMAGE_ASPECT_DEPTH_BIT); });
}

void resolveByRendering(Gpu& gpu, VkCommandBuffer commands, VkImageAspectFlagBits aspect, bool sourceProtected,
                        bool targetProtected) {
  const bool isColor = aspect == VK_IMAGE_ASPECT_COLOR_BIT;
  const VkFormat format = isColor ? colorFormat : depthFormat;
  const TestImage source = prepared(gpu, commands, sourceProtected, format, VK_SAMPLE_COUNT_4_BIT);
  VkRenderingAttachmentInfo attachment = attachmentOf(source, VK_ATTACHMENT_LOAD_OP_LOAD);
  attachment.resolveMode = isColor ? VK_RESOLVE_MODE_AVERAGE_BIT : VK_RESOLVE_MODE_SAMPLE_ZERO_BIT;
  attachment.resolveImageView = prepared(gpu, commands, targetProtected, format).view;
  attachment.resolveImageLayout = general;
  inRendering(commands, aspect, attachment, [] {});
}

// ---- Resolving passes ----

/** A pass that loads the multisampled attachment 0 and resolves it to attachment 1. */
VkRenderPass resolvingPass(Gpu& gpu) {
  VkAttachmentDescription attachments[2];
  for (VkAttachmentDescription& attachment : attachments) {
    attachment = {.format = colorFormat,
                  .samples = VK_SAMPLE_COUNT_4_BIT,
                  .loadOp = VK_ATTACHMENT_LOAD_OP_LOAD,
                  .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                  .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
                  .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
                  .initialLayout = general,
                  .finalLayout = general};
  }
  attachments[1].samples = VK_SAMPLE_COUNT_1_BIT;
  const VkAttachmentReference source{0, general};
  const VkAttachmentReference target{1, general};
  const VkSubpassDescription subpass{.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                     .colorAttachmentCount = 1,
                                     .pColorAttachments = &source,
                                     .pResolveAttachments = &target};
  const VkRenderPassCreateInfo info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                    .attachmentCount = 2,
                                    .pAttachments = attachments,
                                    .subpassCount = 1,
                                    .pSubpasses = &subpass};
  VkRenderPass pass = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateRenderPass(gpu.device, &info, nullptr, &pass), VK_SUCCESS);
  gpu.atEnd([&gpu, pass] { vkDestroyRenderPass(gpu.device, pass, nullptr); });
  return pass;
}

/**
 * The same with vkCreateRenderPass2, which can also resolve depth. With `count` 1, depth attachment 0 resolves to
 * itself.
 */
VkRenderPass pass2(Gpu& gpu, VkFormat format, uint32_t count) {
  VkAttachmentDescription2 attachments[2];
  for (VkAttachmentDescription2& attachment : attachments) {
    attachment = {.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
                  .format = format,
                  .samples = count == 2 ? VK_SAMPLE_COUNT_4_BIT : VK_SAMPLE_COUNT_1_BIT,
                  .loadOp = VK_ATTACHMENT_LOAD_OP_LOAD,
                  .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                  .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
                  .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
                  .initialLayout = general,
                  .finalLayout = general};
  }
  attachments[1].samples = VK_SAMPLE_COUNT_1_BIT;
  const bool isColor = format == colorFormat;
  const VkImageAspectFlags aspect = isColor ? VK_IMAGE_ASPECT_COLOR_BIT : VK_IMAGE_ASPECT_DEPTH_BIT;
  const VkAttachmentReference2 source{VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2, nullptr, 0, general, aspect};
  const VkAttachmentReference2 target{VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2, nullptr, 1, general, aspect};
  const VkSubpassDescriptionDepthStencilResolve resolve{.sType =
                                                            VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_DEPTH_STENCIL_RESOLVE,
                                                        .depthResolveMode = VK_RESOLVE_MODE_SAMPLE_ZERO_BIT,
                                                        .stencilResolveMode = VK_RESOLVE_MODE_NONE,
                                                        .pDepthStencilResolveAttachment = &target};
  const VkSubpassDescription2 subpass{.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
                                      .pNext = !isColor && count == 2 ? &resolve : nullptr,
                                      .pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                      .colorAttachmentCount = isColor ? 1U : 0U,
                                      .pColorAttachments = isColor ? &source : nullptr,
                                      .pResolveAttachments = isColor ? &target : nullptr,
                                      .pDepthStencilAttachment = isColor ? nullptr : &source};
  const VkRenderPassCreateInfo2 info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
                                     .attachmentCount = count,
                                     .pAttachments = attachments,
                                     .subpassCount = 1,
                                     .pSubpasses = &subpass};
  VkRenderPass pass = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateRenderPass2(gpu.device, &info, nullptr, &pass), VK_SUCCESS);
  gpu.atEnd([&gpu, pass] { vkDestroyRenderPass(gpu.device, pass, nullptr); });
  return pass;
}

void resolveByPass(Gpu& gpu, VkCommandBuffer commands, VkRenderPass pass, VkFormat format, bool sourceProtected,
                   bool targetProtected) {
  const TestImage source = prepared(gpu, commands, sourceProtected, format, VK_SAMPLE_COUNT_4_BIT);
  const TestImage target = prepared(gpu, commands, targetProtected, format);
  const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                    .renderPass = pass,
                                    .framebuffer = gpu.framebuffer(pass, {source.view, target.view}),
                                    .renderArea = {{0, 0}, {side, side}}};
  beginPass(commands, begin, false);
  endPass(commands, false);
}

void clearDepthInPass(Gpu& gpu, VkCommandBuffer commands, bool, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected, depthFormat);
  inPass(gpu, commands, {}, target, pass2(gpu, depthFormat, 1),
         [&] { clearAttachment(commands, VK_IMAGE_ASPECT_DEPTH_BIT); });
}

std::vector<Command> passes() {
  std::vector<Command> list;
  for (const PassKind& kind : passKinds)
    addPasses(list, kind);
  addTarget(list, "PassClearDepth", clear + "02504", clear + "02505", clearDepthInPass);
  addTarget(list, "SecondaryDraw", accessRules, accessRules, executeDraw);
  addTarget(list, "RenderingDraw", draw + "02707", draw + "02712", drawInRendering);
  addTarget(list, "RenderingClear", accessRules, accessRules, clearByRendering);
  addTarget(list, "RenderingClearDepth", clear + "02504", clear + "02505", clearDepthInRendering);
  addTarget(list, "PassResolve", accessRules, accessRules,
            [](Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
              resolveByPass(gpu, commands, resolvingPass(gpu), colorFormat, source, target);
            });
  for (const VkFormat format : {colorFormat, depthFormat}) {
    const std::string what = format == colorFormat ? "Resolve" : "ResolveDepth";
    addTarget(list, "Pass2" + what, accessRules, accessRules,
              [format](Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
                resolveByPass(gpu, commands, pass2(gpu, format, 2), format, source, target);
              });
    addTarget(list, "Rendering" + what, accessRules, accessRules,
              [format](Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
                resolveByRendering(gpu, commands,
                                   format == colorFormat ? VK_IMAGE_ASPECT_COLOR_BIT : VK_IMAGE_ASPECT_DEPTH_BIT,
                                   source, target);
              });
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(Passes, Commands, testing::ValuesIn(passes()), nameOf);

// ---- After a pass ----

void executeNothing(Gpu& gpu, VkCommandBuffer commands) {
  VkCommandBuffer secondary = gpu.commands(true, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
  ASSERT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
  vkCmdExecuteCommands(commands, 1, &secondary);
}

class EndOfPass : public testing::TestWithParam<bool> {};

/** Nothing is drawn to the unprotected target, so this is legal, unless the target is kept for later commands. */
TEST_P(EndOfPass, forgetsTheTarget) {
  Gpu gpu({.validation = true});
  VkCommandBuffer commands = gpu.commands(true);
  inPass(gpu, commands, {.second = GetParam()}, prepared(gpu, commands, false),
         gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD), [] {});
  executeNothing(gpu, commands);
  EXPECT_EQ(gpu.submit(commands, true), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(Generations, EndOfPass, testing::Bool());

TEST(EndOfRendering, forgetsTheTarget) {
  Gpu gpu({.validation = true});
  VkCommandBuffer commands = gpu.commands(true);
  inRendering(commands, VK_IMAGE_ASPECT_COLOR_BIT,
              attachmentOf(prepared(gpu, commands, false), VK_ATTACHMENT_LOAD_OP_LOAD), [] {});
  executeNothing(gpu, commands);
  EXPECT_EQ(gpu.submit(commands, true), VK_SUCCESS);
}

} // namespace
} // namespace vitrine::gpu::test
