#include <span>

#include "tests/platform/gpu/command_rule.h"
#include "tests/platform/gpu/copying_comp.h"
#include "tests/platform/gpu/from_input_frag.h"
#include "tests/platform/gpu/from_sampled_image_comp.h"
#include "tests/platform/gpu/from_storage_image_comp.h"
#include "tests/platform/gpu/from_storage_texels_comp.h"
#include "tests/platform/gpu/from_uniform_buffer_comp.h"
#include "tests/platform/gpu/from_uniform_texels_comp.h"
#include "tests/platform/gpu/to_storage_image_comp.h"
#include "tests/platform/gpu/to_storage_texels_comp.h"
#include "tests/platform/gpu/triangle_vert.h"

// The driver follows each kind of descriptor to its resource, and assumes that a shader writes every binding that it
// may write, and no other. Tested with a dispatch that copies from binding 0 to binding 1, and with input attachments
// of a draw.

namespace vitrine::gpu::test {
namespace {

constexpr VkDescriptorType storageBuffer = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;

/** A dispatch whose source or target is one kind of descriptor, and whose other end is a storage buffer. */
struct Kind {
  const char* name;
  VkDescriptorType source;
  VkDescriptorType target;
  std::span<const uint32_t> shader;
};

constexpr Kind readKinds[] = {
    {"SampledImage", VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, storageBuffer, from_sampled_image_comp},
    {"StorageImage", VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, storageBuffer, from_storage_image_comp},
    {"UniformTexels", VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, storageBuffer, from_uniform_texels_comp},
    {"StorageTexels", VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, storageBuffer, from_storage_texels_comp},
    {"UniformBuffer", VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, storageBuffer, from_uniform_buffer_comp},
    {"UniformBufferDynamic", VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, storageBuffer, from_uniform_buffer_comp},
    {"StorageBufferDynamic", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, storageBuffer, copying_comp},
};

constexpr Kind writtenKinds[] = {
    {"StorageImage", storageBuffer, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, to_storage_image_comp},
    {"StorageTexels", storageBuffer, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, to_storage_texels_comp},
    {"StorageBufferDynamic", storageBuffer, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, copying_comp},
};

bool isImage(VkDescriptorType type) {
  return type == VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE || type == VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
}

bool isDynamic(VkDescriptorType type) {
  return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

void dispatch(Gpu& gpu, VkCommandBuffer commands, const Kind& kind, bool sourceProtected, bool targetProtected) {
  const auto layout =
      gpu.setLayout({kind.source, kind.target, VK_DESCRIPTOR_TYPE_SAMPLER}, VK_SHADER_STAGE_COMPUTE_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout);
  const auto write = [&](uint32_t binding, VkDescriptorType type, bool isProtected) {
    isImage(type) ? gpu.write(set, binding, prepared(gpu, commands, isProtected), type)
                  : gpu.write(set, binding, gpu.buffer(isProtected), type);
  };
  write(0, kind.source, sourceProtected);
  write(1, kind.target, targetProtected);
  gpu.write(set, 2, TestImage{}, VK_DESCRIPTOR_TYPE_SAMPLER);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                    gpu.computePipeline(gpu.shader(kind.shader.data(), kind.shader.size_bytes()), pipelineLayout));
  const uint32_t offset = 0;
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipelineLayout, 0, 1, &set,
                          isDynamic(kind.source) || isDynamic(kind.target) ? 1 : 0, &offset);
  vkCmdDispatch(commands, 1, 1, 1);
}

/**
 * The pass's own attachments are always checked, so the protected source is an image that only the descriptor names.
 */
void drawFromInput(Gpu& gpu, VkCommandBuffer commands, bool sourceProtected, bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  const TestImage input = prepared(gpu, commands, false);
  const VkRenderPass pass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD, true);
  const auto layout = gpu.setLayout({VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT}, VK_SHADER_STAGE_FRAGMENT_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout);
  gpu.write(set, 0, sourceProtected ? prepared(gpu, commands, true) : input, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT);
  const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                    .renderPass = pass,
                                    .framebuffer = gpu.framebuffer(pass, {target.view, input.view}),
                                    .renderArea = {{0, 0}, {side, side}}};
  beginPass(commands, begin, false);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                    gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)),
                                         gpu.shader(from_input_frag, sizeof(from_input_frag)), pass, pipelineLayout));
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipelineLayout, 0, 1, &set, 0, nullptr);
  vkCmdDraw(commands, 3, 1, 0, 0);
  endPass(commands, false);
}

/** Records commands with a source and a target, each protected or not. */
using Record = std::function<void(Gpu& gpu, VkCommandBuffer commands, bool sourceProtected, bool targetProtected)>;

/**
 * The rule of a source: it must not be protected in unprotected commands. Protected commands may read both kinds and
 * may write protected memory only. Their legal twin reads an unprotected source, which would be a violation if the
 * shader could write it.
 */
void addSource(std::vector<Command>& list, const std::string& name, const std::string& rule, const Record& record) {
  list.push_back({name + "Source", rule + "02707", false,
                  [record](Gpu& gpu, VkCommandBuffer commands, bool broken) { record(gpu, commands, broken, false); }});
  list.push_back(
      {name + "UnprotectedSource", rule + "02712", true,
       [record](Gpu& gpu, VkCommandBuffer commands, bool broken) { record(gpu, commands, false, !broken); }});
}

std::vector<Command> kinds() {
  std::vector<Command> list;
  const auto recordOf = [](const Kind& kind) {
    return [kind](Gpu& gpu, VkCommandBuffer commands, bool source, bool target) {
      dispatch(gpu, commands, kind, source, target);
    };
  };
  const std::string rule = "VUID-vkCmdDispatch-commandBuffer-";
  for (const Kind& kind : readKinds)
    addSource(list, kind.name, rule, recordOf(kind));
  for (const Kind& kind : writtenKinds)
    addTarget(list, kind.name, rule + "02707", rule + "02712", recordOf(kind));
  addSource(list, "InputAttachment", "VUID-vkCmdDraw-commandBuffer-", drawFromInput);
  return list;
}

INSTANTIATE_TEST_SUITE_P(DescriptorKinds, Commands, testing::ValuesIn(kinds()), nameOf);

} // namespace
} // namespace vitrine::gpu::test
