#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/platform/gpu/command_rule.h"
#include "tests/platform/gpu/copying_comp.h"

// The driver follows descriptors to their resources, for every call that can write them. Tested with a dispatch that
// copies from a buffer at binding 0 to a buffer at binding 1.

namespace vitrine::gpu::test {
namespace {

using Buffers = std::array<TestBuffer, 2>;

void writeEach(Gpu& gpu, VkDescriptorSet set, VkDescriptorSetLayout, const Buffers& buffers) {
  gpu.write(set, 0, buffers[0]);
  gpu.write(set, 1, buffers[1]);
}

/** A write past the end of a binding continues in the next one. */
void writeConsecutive(Gpu& gpu, VkDescriptorSet set, VkDescriptorSetLayout, const Buffers& buffers) {
  const VkDescriptorBufferInfo infos[] = {{buffers[0].buffer, 0, VK_WHOLE_SIZE}, {buffers[1].buffer, 0, VK_WHOLE_SIZE}};
  const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = set,
                                   .descriptorCount = 2,
                                   .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                   .pBufferInfo = infos};
  vkUpdateDescriptorSets(gpu.device, 1, &write, 0, nullptr);
}

void copy(Gpu& gpu, VkDescriptorSet set, VkDescriptorSetLayout layout, const Buffers& buffers) {
  const VkDescriptorSet original = gpu.descriptorSet(layout);
  writeEach(gpu, original, layout, buffers);
  const VkCopyDescriptorSet both{
      .sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, .srcSet = original, .dstSet = set, .descriptorCount = 2};
  vkUpdateDescriptorSets(gpu.device, 0, nullptr, 1, &both);
}

/** The descriptors as part of a structure of the program. */
struct Spaced {
  uint64_t before = 0;
  VkDescriptorBufferInfo buffer{};
  uint64_t after = 0;
};

void updateWithTemplate(Gpu& gpu, VkDescriptorSet set, VkDescriptorSetLayout layout, const Buffers& buffers) {
  const VkDescriptorUpdateTemplateEntry both{.descriptorCount = 2,
                                             .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                             .offset = offsetof(Spaced, buffer),
                                             .stride = sizeof(Spaced)};
  const VkDescriptorUpdateTemplateCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
                                                  .descriptorUpdateEntryCount = 1,
                                                  .pDescriptorUpdateEntries = &both,
                                                  .templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET,
                                                  .descriptorSetLayout = layout};
  VkDescriptorUpdateTemplate made = VK_NULL_HANDLE;
  ASSERT_EQ(vkCreateDescriptorUpdateTemplate(gpu.device, &info, nullptr, &made), VK_SUCCESS);
  const Spaced data[] = {{.buffer = {buffers[0].buffer, 0, VK_WHOLE_SIZE}},
                         {.buffer = {buffers[1].buffer, 0, VK_WHOLE_SIZE}}};
  vkUpdateDescriptorSetWithTemplate(gpu.device, set, made, data);
  vkDestroyDescriptorUpdateTemplate(gpu.device, made, nullptr);
}

using WriteSet = void (*)(Gpu& gpu, VkDescriptorSet set, VkDescriptorSetLayout layout, const Buffers& buffers);

void dispatch(Gpu& gpu, VkCommandBuffer commands, WriteSet write, bool sourceProtected, bool targetProtected) {
  const auto layout = gpu.setLayout({VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                                    VK_SHADER_STAGE_COMPUTE_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout);
  write(gpu, set, layout, {gpu.buffer(sourceProtected), gpu.buffer(targetProtected)});
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                    gpu.computePipeline(gpu.shader(copying_comp, sizeof(copying_comp)), pipelineLayout));
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipelineLayout, 0, 1, &set, 0, nullptr);
  vkCmdDispatch(commands, 1, 1, 1);
}

std::vector<Command> descriptors() {
  const std::pair<const char*, WriteSet> ways[] = {
      {"Each", writeEach}, {"Consecutive", writeConsecutive}, {"Copied", copy}, {"Template", updateWithTemplate}};
  const std::string rule = "VUID-vkCmdDispatch-commandBuffer-";
  std::vector<Command> list;
  for (const auto& [name, write] : ways) {
    list.push_back(
        {std::string(name) + "Source", rule + "02707", false,
         [write](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, write, broken, false); }});
    addTarget(list, name, rule + "02707", rule + "02712",
              [write](Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
                dispatch(gpu, commands, write, source, target);
              });
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(Descriptors, Commands, testing::ValuesIn(descriptors()), nameOf);

} // namespace
} // namespace vitrine::gpu::test
