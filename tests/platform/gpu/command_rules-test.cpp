#include <cstdint>

#include "tests/platform/gpu/copying_comp.h"
#include "tests/platform/gpu/gpu_fixture.h"
#include "tests/platform/gpu/reading_vert.h"
#include "tests/platform/gpu/storing_vert.h"
#include "tests/platform/gpu/triangle_vert.h"
#include "tests/platform/gpu/white_frag.h"

// Rules of commands, which strike when what was recorded is submitted. Each is broken once, and once its legal twin runs
// under the validation layer, which fails the test if it speaks.

namespace vitrine::gpu::test {
namespace {

constexpr const char* accessRules = "memory-protected-access-rules";

struct Command {
  std::string name;
  std::string rule;
  bool commandsProtected;
  std::function<void(Gpu& gpu, VkCommandBuffer commands, bool broken)> record;
};

void PrintTo(const Command& command, std::ostream* out) {
  *out << command.rule;
}

class Commands : public testing::TestWithParam<Command> {};

TEST_P(Commands, brokenLosesTheDevice) {
  Gpu gpu;
  const Command& command = GetParam();
  VkCommandBuffer commands = gpu.commands(command.commandsProtected);
  command.record(gpu, commands, true);
  expectLost(gpu, command.rule,
             [&] { EXPECT_EQ(gpu.submit(commands, command.commandsProtected), VK_ERROR_DEVICE_LOST); });
}

TEST_P(Commands, legalTwinIsFine) {
  Gpu gpu({.validation = true});
  const Command& command = GetParam();
  VkCommandBuffer commands = gpu.commands(command.commandsProtected);
  command.record(gpu, commands, false);
  EXPECT_EQ(gpu.submit(commands, command.commandsProtected), VK_SUCCESS);
  EXPECT_EQ(vkDeviceWaitIdle(gpu.device), VK_SUCCESS);
}

std::string nameOf(const testing::TestParamInfo<Command>& info) {
  return info.param.name;
}

// ---- Transfers ----

constexpr VkImageSubresourceLayers layers{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
constexpr VkExtent3D extent{side, side, 1};
constexpr VkImageLayout general = VK_IMAGE_LAYOUT_GENERAL;

/** A transfer's two ends, each in one of the worlds. */
using Transfer = void (*)(Gpu& gpu, VkCommandBuffer commands, bool sourceProtected, bool targetProtected);

TestImage prepared(Gpu& gpu, VkCommandBuffer commands, bool isProtected,
                   VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT) {
  const TestImage image = gpu.image(isProtected, colorFormat, samples);
  gpu.prepare(commands, image);
  return image;
}

void copyBuffer(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkBufferCopy region{0, 0, bufferBytes};
  vkCmdCopyBuffer(commands, gpu.buffer(source).buffer, gpu.buffer(target).buffer, 1, &region);
}

void copyBuffer2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkBufferCopy2 region{.sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2, .size = bufferBytes};
  const VkCopyBufferInfo2 info{
      VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2, nullptr, gpu.buffer(source).buffer, gpu.buffer(target).buffer, 1, &region};
  vkCmdCopyBuffer2(commands, &info);
}

void copyImage(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageCopy region{layers, {}, layers, {}, extent};
  vkCmdCopyImage(commands, prepared(gpu, commands, source).image, general, prepared(gpu, commands, target).image,
                 general, 1, &region);
}

void copyImage2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageCopy2 region{VK_STRUCTURE_TYPE_IMAGE_COPY_2, nullptr, layers, {}, layers, {}, extent};
  const VkCopyImageInfo2 info{.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_INFO_2,
                              .srcImage = prepared(gpu, commands, source).image,
                              .srcImageLayout = general,
                              .dstImage = prepared(gpu, commands, target).image,
                              .dstImageLayout = general,
                              .regionCount = 1,
                              .pRegions = &region};
  vkCmdCopyImage2(commands, &info);
}

constexpr VkBufferImageCopy wholeImage{.imageSubresource = layers, .imageExtent = extent};
constexpr VkBufferImageCopy2 wholeImage2{
    .sType = VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2, .imageSubresource = layers, .imageExtent = extent};

void copyBufferToImage(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  vkCmdCopyBufferToImage(commands, gpu.buffer(source).buffer, prepared(gpu, commands, target).image, general, 1,
                         &wholeImage);
}

void copyBufferToImage2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkCopyBufferToImageInfo2 info{.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_TO_IMAGE_INFO_2,
                                      .srcBuffer = gpu.buffer(source).buffer,
                                      .dstImage = prepared(gpu, commands, target).image,
                                      .dstImageLayout = general,
                                      .regionCount = 1,
                                      .pRegions = &wholeImage2};
  vkCmdCopyBufferToImage2(commands, &info);
}

void copyImageToBuffer(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  vkCmdCopyImageToBuffer(commands, prepared(gpu, commands, source).image, general, gpu.buffer(target).buffer, 1,
                         &wholeImage);
}

void copyImageToBuffer2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkCopyImageToBufferInfo2 info{.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_BUFFER_INFO_2,
                                      .srcImage = prepared(gpu, commands, source).image,
                                      .srcImageLayout = general,
                                      .dstBuffer = gpu.buffer(target).buffer,
                                      .regionCount = 1,
                                      .pRegions = &wholeImage2};
  vkCmdCopyImageToBuffer2(commands, &info);
}

void blitImage(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageBlit region{layers, {{}, {side, side, 1}}, layers, {{}, {side, side, 1}}};
  vkCmdBlitImage(commands, prepared(gpu, commands, source).image, general, prepared(gpu, commands, target).image,
                 general, 1, &region, VK_FILTER_NEAREST);
}

void blitImage2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageBlit2 region{VK_STRUCTURE_TYPE_IMAGE_BLIT_2, nullptr, layers,
                            {{}, {side, side, 1}},          layers,  {{}, {side, side, 1}}};
  const VkBlitImageInfo2 info{.sType = VK_STRUCTURE_TYPE_BLIT_IMAGE_INFO_2,
                              .srcImage = prepared(gpu, commands, source).image,
                              .srcImageLayout = general,
                              .dstImage = prepared(gpu, commands, target).image,
                              .dstImageLayout = general,
                              .regionCount = 1,
                              .pRegions = &region,
                              .filter = VK_FILTER_NEAREST};
  vkCmdBlitImage2(commands, &info);
}

void resolveImage(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageResolve region{layers, {}, layers, {}, extent};
  vkCmdResolveImage(commands, prepared(gpu, commands, source, VK_SAMPLE_COUNT_4_BIT).image, general,
                    prepared(gpu, commands, target).image, general, 1, &region);
}

void resolveImage2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageResolve2 region{VK_STRUCTURE_TYPE_IMAGE_RESOLVE_2, nullptr, layers, {}, layers, {}, extent};
  const VkResolveImageInfo2 info{.sType = VK_STRUCTURE_TYPE_RESOLVE_IMAGE_INFO_2,
                                 .srcImage = prepared(gpu, commands, source, VK_SAMPLE_COUNT_4_BIT).image,
                                 .srcImageLayout = general,
                                 .dstImage = prepared(gpu, commands, target).image,
                                 .dstImageLayout = general,
                                 .regionCount = 1,
                                 .pRegions = &region};
  vkCmdResolveImage2(commands, &info);
}

void clearColorImage(Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
  const VkClearColorValue color{};
  const VkImageSubresourceRange range{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  vkCmdClearColorImage(commands, prepared(gpu, commands, target).image, general, &color, 1, &range);
}

void clearDepthStencilImage(Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
  const TestImage image = gpu.image(target, depthFormat);
  gpu.prepare(commands, image, VK_IMAGE_ASPECT_DEPTH_BIT);
  const VkClearDepthStencilValue value{1, 0};
  const VkImageSubresourceRange range{VK_IMAGE_ASPECT_DEPTH_BIT, 0, 1, 0, 1};
  vkCmdClearDepthStencilImage(commands, image.image, general, &value, 1, &range);
}

void fillBuffer(Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
  vkCmdFillBuffer(commands, gpu.buffer(target).buffer, 0, VK_WHOLE_SIZE, 1);
}

void updateBuffer(Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
  const uint32_t data = 1;
  vkCmdUpdateBuffer(commands, gpu.buffer(target).buffer, 0, sizeof(data), &data);
}

/** The rules of one transfer: protected source or target in unprotected commands, unprotected target in protected ones. */
void addTransfer(std::vector<Command>& list, const std::string& command, Transfer transfer, const char* source,
                 const char* target, const char* unprotectedTarget) {
  const std::string prefix = "VUID-vk" + command + "-commandBuffer-";
  if (source != nullptr) {
    list.push_back({command + "Source", prefix + source, false,
                    [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { transfer(gpu, commands, broken, false); }});
  }
  list.push_back({command + "Target", prefix + target, false,
                  [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { transfer(gpu, commands, false, broken); }});
  list.push_back({command + "UnprotectedTarget", prefix + unprotectedTarget, true,
                  [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { transfer(gpu, commands, true, !broken); }});
}

std::vector<Command> transfers() {
  std::vector<Command> list;
  addTransfer(list, "CmdCopyBuffer", copyBuffer, "01822", "01823", "01824");
  addTransfer(list, "CmdCopyBuffer2", copyBuffer2, "01822", "01823", "01824");
  addTransfer(list, "CmdCopyImage", copyImage, "01825", "01826", "01827");
  addTransfer(list, "CmdCopyImage2", copyImage2, "01825", "01826", "01827");
  addTransfer(list, "CmdCopyBufferToImage", copyBufferToImage, "01828", "01829", "01830");
  addTransfer(list, "CmdCopyBufferToImage2", copyBufferToImage2, "01828", "01829", "01830");
  addTransfer(list, "CmdCopyImageToBuffer", copyImageToBuffer, "01831", "01832", "01833");
  addTransfer(list, "CmdCopyImageToBuffer2", copyImageToBuffer2, "01831", "01832", "01833");
  addTransfer(list, "CmdBlitImage", blitImage, "01834", "01835", "01836");
  addTransfer(list, "CmdBlitImage2", blitImage2, "01834", "01835", "01836");
  addTransfer(list, "CmdResolveImage", resolveImage, "01837", "01838", "01839");
  addTransfer(list, "CmdResolveImage2", resolveImage2, "01837", "01838", "01839");
  addTransfer(list, "CmdClearColorImage", clearColorImage, nullptr, "01805", "01806");
  addTransfer(list, "CmdClearDepthStencilImage", clearDepthStencilImage, nullptr, "01807", "01808");
  addTransfer(list, "CmdFillBuffer", fillBuffer, nullptr, "01811", "01812");
  addTransfer(list, "CmdUpdateBuffer", updateBuffer, nullptr, "01813", "01814");
  return list;
}

INSTANTIATE_TEST_SUITE_P(Transfers, Commands, testing::ValuesIn(transfers()), nameOf);

// ---- Passes and draws ----

void beginPass(Gpu& gpu, VkCommandBuffer commands, const TestImage& target, VkRenderPass pass) {
  const VkClearValue clear{};
  const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                    .renderPass = pass,
                                    .framebuffer = gpu.framebuffer(pass, target.view),
                                    .renderArea = {{0, 0}, {side, side}},
                                    .clearValueCount = 1,
                                    .pClearValues = &clear};
  vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
}

void beginRendering(VkCommandBuffer commands, const TestImage& target, VkAttachmentLoadOp load) {
  const VkRenderingAttachmentInfo attachment{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                             .imageView = target.view,
                                             .imageLayout = general,
                                             .loadOp = load,
                                             .storeOp = VK_ATTACHMENT_STORE_OP_STORE};
  const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                             .renderArea = {{0, 0}, {side, side}},
                             .layerCount = 1,
                             .colorAttachmentCount = 1,
                             .pColorAttachments = &attachment};
  vkCmdBeginRendering(commands, &info);
}

void bindWhite(Gpu& gpu, VkCommandBuffer commands, VkRenderPass pass) {
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                    gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)),
                                         gpu.shader(white_frag, sizeof(white_frag)), pass,
                                         gpu.pipelineLayout(VK_NULL_HANDLE)));
}

/** A pass into a target, with `inside` recorded within; whatever it draws is white. */
void pass(Gpu& gpu, VkCommandBuffer commands, bool targetProtected, const std::function<void()>& inside) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  const VkRenderPass renderPass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD);
  beginPass(gpu, commands, target, renderPass);
  bindWhite(gpu, commands, renderPass);
  inside();
  vkCmdEndRenderPass(commands);
}

void drawInPass(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  pass(gpu, commands, targetProtected, [&] { vkCmdDraw(commands, 3, 1, 0, 0); });
}

void drawInRendering(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  beginRendering(commands, target, VK_ATTACHMENT_LOAD_OP_LOAD);
  bindWhite(gpu, commands, VK_NULL_HANDLE);
  vkCmdDraw(commands, 3, 1, 0, 0);
  vkCmdEndRendering(commands);
}

void clearByPass(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  beginPass(gpu, commands, target, gpu.renderPass(VK_ATTACHMENT_LOAD_OP_CLEAR));
  vkCmdEndRenderPass(commands);
}

void clearByRendering(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  beginRendering(commands, target, VK_ATTACHMENT_LOAD_OP_CLEAR);
  vkCmdEndRendering(commands);
}

void clearAttachments(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  pass(gpu, commands, targetProtected, [&] {
    const VkClearAttachment attachment{.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT};
    const VkClearRect rect{{{0, 0}, {side, side}}, 0, 1};
    vkCmdClearAttachments(commands, 1, &attachment, 1, &rect);
  });
}

void sample(Gpu& gpu, VkCommandBuffer commands, bool textureProtected, bool targetProtected) {
  const TestImage texture = prepared(gpu, commands, textureProtected);
  const TestImage target = prepared(gpu, commands, targetProtected);
  recordCopyingDraw(gpu, commands, texture, target);
}

void drawWithVertexBuffer(Gpu& gpu, VkCommandBuffer commands, bool isProtected, bool targetProtected) {
  const TestBuffer vertices = gpu.buffer(isProtected);
  pass(gpu, commands, targetProtected, [&] {
    const VkDeviceSize offset = 0;
    vkCmdBindVertexBuffers(commands, 0, 1, &vertices.buffer, &offset);
    vkCmdDraw(commands, 3, 1, 0, 0);
  });
}

void drawIndexed(Gpu& gpu, VkCommandBuffer commands, bool isProtected, bool targetProtected) {
  const TestBuffer indices = gpu.buffer(isProtected);
  pass(gpu, commands, targetProtected, [&] {
    vkCmdBindIndexBuffer(commands, indices.buffer, 0, VK_INDEX_TYPE_UINT16);
    vkCmdDrawIndexed(commands, 3, 1, 0, 0, 0);
  });
}

void drawIndirect(Gpu& gpu, VkCommandBuffer commands, bool parametersProtected, bool targetProtected) {
  const TestBuffer parameters = gpu.buffer(parametersProtected);
  if (!parametersProtected) { // nothing, rather than whatever is in there
    void* data = nullptr;
    ASSERT_EQ(vkMapMemory(gpu.device, parameters.memory, 0, VK_WHOLE_SIZE, 0, &data), VK_SUCCESS);
    *static_cast<VkDrawIndirectCommand*>(data) = {};
    vkUnmapMemory(gpu.device, parameters.memory);
  }
  pass(gpu, commands, targetProtected, [&] { vkCmdDrawIndirect(commands, parameters.buffer, 0, 1, 0); });
}

/** A draw whose vertex shader reads or writes a storage buffer. */
template<size_t Words>
void drawTouching(Gpu& gpu, VkCommandBuffer commands, const uint32_t (&vertexShader)[Words], bool bufferProtected,
                  bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  const VkRenderPass renderPass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD);
  const auto layout = gpu.setLayout(VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_VERTEX_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);
  gpu.write(set, 0, gpu.buffer(bufferProtected));
  beginPass(gpu, commands, target, renderPass);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                    gpu.graphicsPipeline(gpu.shader(vertexShader, sizeof(vertexShader)),
                                         gpu.shader(white_frag, sizeof(white_frag)), renderPass, pipelineLayout));
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipelineLayout, 0, 1, &set, 0, nullptr);
  vkCmdDraw(commands, 3, 1, 0, 0);
  vkCmdEndRenderPass(commands);
}

/** A dispatch that reads one storage buffer and writes another. */
void dispatch(Gpu& gpu, VkCommandBuffer commands, bool sourceProtected, bool targetProtected) {
  const auto layout = gpu.setLayout(VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2, VK_SHADER_STAGE_COMPUTE_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);
  gpu.write(set, 0, gpu.buffer(sourceProtected));
  gpu.write(set, 1, gpu.buffer(targetProtected));
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                    gpu.computePipeline(gpu.shader(copying_comp, sizeof(copying_comp)), pipelineLayout));
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipelineLayout, 0, 1, &set, 0, nullptr);
  vkCmdDispatch(commands, 1, 1, 1);
}

void bindPipelineWith(Gpu& gpu, VkCommandBuffer commands, VkPipelineCreateFlags flags) {
  vkCmdBindPipeline(
      commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
      gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)), gpu.shader(white_frag, sizeof(white_frag)),
                           gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD), gpu.pipelineLayout(VK_NULL_HANDLE), flags));
}

void query(Gpu& gpu, VkCommandBuffer commands) {
  const VkQueryPoolCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_OCCLUSION, .queryCount = 1};
  VkQueryPool pool = VK_NULL_HANDLE;
  ASSERT_EQ(vkCreateQueryPool(gpu.device, &info, nullptr, &pool), VK_SUCCESS);
  gpu.atEnd([&gpu, pool] { vkDestroyQueryPool(gpu.device, pool, nullptr); });
  vkCmdResetQueryPool(commands, pool, 0, 1);
  vkCmdBeginQuery(commands, pool, 0, 0);
  vkCmdEndQuery(commands, pool, 0);
}

void execute(Gpu& gpu, VkCommandBuffer commands, bool secondaryProtected) {
  VkCommandBuffer secondary = gpu.commands(secondaryProtected, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
  ASSERT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
  vkCmdExecuteCommands(commands, 1, &secondary);
}

/** What a secondary command buffer does wrong is its primary's doing. */
void executeFill(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  VkCommandBuffer secondary = gpu.commands(false, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
  fillBuffer(gpu, secondary, false, targetProtected);
  ASSERT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
  vkCmdExecuteCommands(commands, 1, &secondary);
}

std::vector<Command> draws() {
  const auto target = [](auto record) {
    return [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { record(gpu, commands, broken); };
  };
  const auto unprotectedTarget = [](auto record) {
    return [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { record(gpu, commands, !broken); };
  };
  const std::string draw = "VUID-vkCmdDraw-commandBuffer-";
  return {
      {"PassTarget", draw + "02707", false, target(drawInPass)},
      {"PassUnprotectedTarget", draw + "02712", true, unprotectedTarget(drawInPass)},
      {"RenderingTarget", draw + "02707", false, target(drawInRendering)},
      {"RenderingUnprotectedTarget", draw + "02712", true, unprotectedTarget(drawInRendering)},
      {"PassClear", accessRules, false, target(clearByPass)},
      {"PassClearUnprotected", accessRules, true, unprotectedTarget(clearByPass)},
      {"RenderingClear", accessRules, false, target(clearByRendering)},
      {"RenderingClearUnprotected", accessRules, true, unprotectedTarget(clearByRendering)},
      {"ClearAttachments", "VUID-vkCmdClearAttachments-commandBuffer-02504", false, target(clearAttachments)},
      {"ClearAttachmentsUnprotected", "VUID-vkCmdClearAttachments-commandBuffer-02505", true,
       unprotectedTarget(clearAttachments)},
      {"Texture", draw + "02707", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { sample(gpu, commands, broken, false); }},
      {"TextureIntoUnprotected", draw + "02712", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { sample(gpu, commands, true, !broken); }},
      {"VertexBuffer", draw + "02707", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { drawWithVertexBuffer(gpu, commands, broken, false); }},
      {"VertexBufferInProtected", accessRules, true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { drawWithVertexBuffer(gpu, commands, broken, true); }},
      {"IndexBuffer", "VUID-vkCmdDrawIndexed-commandBuffer-02707", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { drawIndexed(gpu, commands, broken, false); }},
      {"IndexBufferInProtected", accessRules, true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { drawIndexed(gpu, commands, broken, true); }},
      {"IndirectInProtected", "VUID-vkCmdDrawIndirect-commandBuffer-02711", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         broken ? drawIndirect(gpu, commands, false, true) : drawInPass(gpu, commands, true);
       }},
      {"IndirectParameters", accessRules, false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { drawIndirect(gpu, commands, broken, false); }},
      {"VertexShaderReads", draw + "02707", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         drawTouching(gpu, commands, reading_vert, broken, false);
       }},
      {"VertexShaderReadsInProtected", accessRules, true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         drawTouching(gpu, commands, reading_vert, broken, true);
       }},
      {"VertexShaderWrites", draw + "02713", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         broken ? drawTouching(gpu, commands, storing_vert, false, true)
                : drawTouching(gpu, commands, reading_vert, false, true);
       }},
      {"DispatchReads", "VUID-vkCmdDispatch-commandBuffer-02707", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, broken, false); }},
      {"DispatchWritesProtected", "VUID-vkCmdDispatch-commandBuffer-02707", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, false, broken); }},
      {"DispatchWritesUnprotected", "VUID-vkCmdDispatch-commandBuffer-02712", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, true, !broken); }},
      {"DispatchReadsUnprotected", "VUID-vkCmdDispatch-commandBuffer-02712", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, false, !broken); }},
      {"PipelineNoProtectedAccess", "VUID-vkCmdBindPipeline-pipelineProtectedAccess-07408", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         bindPipelineWith(gpu, commands,
                          broken ? VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT
                                 : VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT);
       }},
      {"PipelineProtectedAccessOnly", "VUID-vkCmdBindPipeline-pipelineProtectedAccess-07409", false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         bindPipelineWith(gpu, commands,
                          broken ? VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT
                                 : VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT);
       }},
      {"Query", "VUID-vkCmdBeginQuery-commandBuffer-01885", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         if (broken) query(gpu, commands);
       }},
      {"ExecuteUnprotected", "VUID-vkCmdExecuteCommands-commandBuffer-01820", true, unprotectedTarget(execute)},
      {"ExecuteProtected", "VUID-vkCmdExecuteCommands-commandBuffer-01821", false, target(execute)},
      {"ExecuteViolation", "VUID-vkCmdFillBuffer-commandBuffer-01811", false, target(executeFill)},
  };
}

INSTANTIATE_TEST_SUITE_P(Draws, Commands, testing::ValuesIn(draws()), nameOf);

TEST(Queries, inUnprotectedCommandsAreFine) {
  Gpu gpu({.validation = true});
  VkCommandBuffer commands = gpu.commands(false);
  query(gpu, commands);
  EXPECT_EQ(gpu.submit(commands, false), VK_SUCCESS);
}

/** Alone, so that it is the first violation. Its query was never begun; what is refused is never executed. */
TEST(Queries, toEndOneInProtectedCommandsLosesTheDevice) {
  Gpu gpu;
  const VkQueryPoolCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_OCCLUSION, .queryCount = 1};
  VkQueryPool pool = VK_NULL_HANDLE;
  ASSERT_EQ(vkCreateQueryPool(gpu.device, &info, nullptr, &pool), VK_SUCCESS);
  gpu.atEnd([&gpu, pool] { vkDestroyQueryPool(gpu.device, pool, nullptr); });
  VkCommandBuffer commands = gpu.commands(true);
  vkCmdEndQuery(commands, pool, 0);
  expectLost(gpu, "VUID-vkCmdEndQuery-commandBuffer-01886", [&] { gpu.submit(commands, true); });
}

TEST(Recordings, beginAnewWithoutWhatWasWrongBefore) {
  Gpu gpu; // without the layer, which speaks of the first recording
  VkCommandBuffer commands = gpu.commands(true);
  fillBuffer(gpu, commands, false, false);
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  ASSERT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
  ASSERT_EQ(vkResetCommandPool(gpu.device, gpu.pool(true), 0), VK_SUCCESS);
  ASSERT_EQ(vkBeginCommandBuffer(commands, &begin), VK_SUCCESS);
  EXPECT_EQ(gpu.submit(commands, true), VK_SUCCESS);
}

} // namespace
} // namespace vitrine::gpu::test
