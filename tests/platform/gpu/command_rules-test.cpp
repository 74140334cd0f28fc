#include "tests/platform/gpu/command_rule.h"

namespace vitrine::gpu::test {

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

namespace {

// ---- Transfers ----

constexpr VkImageSubresourceLayers layers{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
constexpr VkExtent3D extent{side, side, 1};

/** Source and target of a transfer, each protected or not. */
using Transfer = void (*)(Gpu& gpu, VkCommandBuffer commands, bool sourceProtected, bool targetProtected);

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
  vkCmdResolveImage(commands, prepared(gpu, commands, source, colorFormat, VK_SAMPLE_COUNT_4_BIT).image, general,
                    prepared(gpu, commands, target).image, general, 1, &region);
}

void resolveImage2(Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
  const VkImageResolve2 region{VK_STRUCTURE_TYPE_IMAGE_RESOLVE_2, nullptr, layers, {}, layers, {}, extent};
  const VkResolveImageInfo2 info{.sType = VK_STRUCTURE_TYPE_RESOLVE_IMAGE_INFO_2,
                                 .srcImage = prepared(gpu, commands, source, colorFormat, VK_SAMPLE_COUNT_4_BIT).image,
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
  const TestImage image = prepared(gpu, commands, target, depthFormat);
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

/** The result of a query of an unprotected submit. */
void copyQueryPoolResults(Gpu& gpu, VkCommandBuffer commands, bool, bool target) {
  VkCommandBuffer before = gpu.commands(false);
  const VkQueryPool pool = recordQuery(gpu, before);
  ASSERT_EQ(gpu.submit(before, false), VK_SUCCESS);
  ASSERT_EQ(vkDeviceWaitIdle(gpu.device), VK_SUCCESS);
  vkCmdCopyQueryPoolResults(commands, pool, 0, 1, gpu.buffer(target).buffer, 0, sizeof(uint32_t), 0);
}

/**
 * The rules of one transfer: no protected source or target in unprotected commands, no unprotected target in protected
 * commands.
 */
void addTransfer(std::vector<Command>& list, const std::string& command, Transfer transfer, const char* source,
                 const char* target, const char* unprotectedTarget) {
  const std::string prefix = "VUID-vk" + command + "-commandBuffer-";
  if (source != nullptr) {
    list.push_back({command + "Source", prefix + source, false,
                    [=](Gpu& gpu, VkCommandBuffer commands, bool broken) { transfer(gpu, commands, broken, false); }});
  }
  addTarget(list, command, prefix + target, prefix + unprotectedTarget, transfer);
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
  addTarget(list, "CmdCopyQueryPoolResults", accessRules, accessRules, copyQueryPoolResults);
  return list;
}

INSTANTIATE_TEST_SUITE_P(Transfers, Commands, testing::ValuesIn(transfers()), nameOf);

TEST(Recordings, beginAnewWithoutWhatWasWrongBefore) {
  Gpu gpu; // without the validation layer, which would complain about the first recording
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
