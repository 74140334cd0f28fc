#include "tests/platform/gpu/command_rule.h"
#include "tests/platform/gpu/copying_comp.h"
#include "tests/platform/gpu/reading_vert.h"
#include "tests/platform/gpu/storing_vert.h"
#include "tests/platform/gpu/triangle_vert.h"
#include "tests/platform/gpu/white_frag.h"

// Reads and writes of draws and dispatches apart from attachments, and other commands that must not be in protected
// command buffers.

namespace vitrine::gpu::test {
namespace {

std::string ruleOf(const std::string& command, const std::string& number) {
  return "VUID-vk" + command + "-commandBuffer-" + number;
}

void sample(Gpu& gpu, VkCommandBuffer commands, bool textureProtected, bool targetProtected) {
  const TestImage texture = prepared(gpu, commands, textureProtected);
  const TestImage target = prepared(gpu, commands, targetProtected);
  recordCopyingDraw(gpu, commands, texture, target);
}

using BindVertices = void (*)(VkCommandBuffer commands, VkBuffer buffer);

void bindVertices(VkCommandBuffer commands, VkBuffer buffer) {
  const VkDeviceSize offset = 0;
  vkCmdBindVertexBuffers(commands, 0, 1, &buffer, &offset);
}

void bindVertices2(VkCommandBuffer commands, VkBuffer buffer) {
  const VkDeviceSize offset = 0;
  vkCmdBindVertexBuffers2(commands, 0, 1, &buffer, &offset, nullptr, nullptr);
}

/** Protected vertices are a violation in both worlds: they are read before the framebuffer-space stages. */
void addVertices(std::vector<Command>& list, const std::string& name, BindVertices bind) {
  const auto draw = [bind](Gpu& gpu, VkCommandBuffer commands, bool verticesProtected, bool targetProtected) {
    drawingPass(gpu, commands, targetProtected, [&] {
      bind(commands, gpu.buffer(verticesProtected).buffer);
      vkCmdDraw(commands, 3, 1, 0, 0);
    });
  };
  list.push_back({name, ruleOf("CmdDraw", "02707"), false,
                  [draw](Gpu& gpu, VkCommandBuffer commands, bool broken) { draw(gpu, commands, broken, false); }});
  list.push_back({name + "InProtected", accessRules, true,
                  [draw](Gpu& gpu, VkCommandBuffer commands, bool broken) { draw(gpu, commands, broken, true); }});
}

/** Indirect draws. Their parameters are zero, so they draw nothing. */
struct Draw {
  const char* name;
  bool indexed;
  bool indirect;
  bool counted;
  void (*record)(VkCommandBuffer commands, VkBuffer parameters, VkBuffer count);
};

/** The resources that are protected. */
struct DrawWorlds {
  bool indices = false;
  bool parameters = false;
  bool count = false;
  bool target = false;
};

void record(Gpu& gpu, VkCommandBuffer commands, const Draw& draw, const DrawWorlds& isProtected) {
  drawingPass(gpu, commands, isProtected.target, [&] {
    if (draw.indexed) vkCmdBindIndexBuffer(commands, gpu.buffer(isProtected.indices).buffer, 0, VK_INDEX_TYPE_UINT16);
    draw.record(commands, gpu.buffer(isProtected.parameters).buffer, gpu.buffer(isProtected.count).buffer);
  });
}

constexpr uint32_t stride = sizeof(VkDrawIndexedIndirectCommand); // large enough for both kinds

constexpr Draw draws[] = {
    {"CmdDrawIndexed", true, false, false,
     [](VkCommandBuffer commands, VkBuffer, VkBuffer) { vkCmdDrawIndexed(commands, 3, 1, 0, 0, 0); }},
    {"CmdDrawIndirect", false, true, false,
     [](VkCommandBuffer commands, VkBuffer parameters, VkBuffer) {
       vkCmdDrawIndirect(commands, parameters, 0, 1, stride);
     }},
    {"CmdDrawIndexedIndirect", true, true, false,
     [](VkCommandBuffer commands, VkBuffer parameters, VkBuffer) {
       vkCmdDrawIndexedIndirect(commands, parameters, 0, 1, stride);
     }},
    {"CmdDrawIndirectCount", false, true, true,
     [](VkCommandBuffer commands, VkBuffer parameters, VkBuffer count) {
       vkCmdDrawIndirectCount(commands, parameters, 0, count, 0, 1, stride);
     }},
    {"CmdDrawIndexedIndirectCount", true, true, true,
     [](VkCommandBuffer commands, VkBuffer parameters, VkBuffer count) {
       vkCmdDrawIndexedIndirectCount(commands, parameters, 0, count, 0, 1, stride);
     }},
};

void addDraws(std::vector<Command>& list, const Draw& draw) {
  const std::string name = draw.name;
  const auto add = [&](const char* what, const std::string& rule, bool DrawWorlds::* resource) {
    list.push_back({name + what, rule, false, [draw, resource](Gpu& gpu, VkCommandBuffer commands, bool broken) {
                      DrawWorlds worlds;
                      worlds.*resource = broken;
                      record(gpu, commands, draw, worlds);
                    }});
  };
  add("Target", ruleOf(name, "02707"), &DrawWorlds::target);
  if (draw.indexed) add("Indices", ruleOf(name, "02707"), &DrawWorlds::indices);
  if (draw.indirect) add("Parameters", accessRules, &DrawWorlds::parameters);
  if (draw.counted) add("Count", accessRules, &DrawWorlds::count);
  if (draw.indirect) {
    list.push_back(
        {name + "InProtected", ruleOf(name, "02711"), true, [draw](Gpu& gpu, VkCommandBuffer commands, bool broken) {
           record(gpu, commands, broken ? draw : draws[0], {.target = true});
         }});
  } else {
    list.push_back({name + "UnprotectedTarget", ruleOf(name, "02712"), true,
                    [draw](Gpu& gpu, VkCommandBuffer commands, bool broken) {
                      record(gpu, commands, draw, {.target = !broken});
                    }});
    list.push_back(
        {name + "IndicesInProtected", accessRules, true, [draw](Gpu& gpu, VkCommandBuffer commands, bool broken) {
           record(gpu, commands, draw, {.indices = broken, .target = true});
         }});
  }
}

/** A draw whose vertex shader reads or writes a storage buffer. */
template<size_t Words>
void drawTouching(Gpu& gpu, VkCommandBuffer commands, const uint32_t (&vertexShader)[Words], bool bufferProtected,
                  bool targetProtected) {
  const TestImage target = prepared(gpu, commands, targetProtected);
  const VkRenderPass renderPass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD);
  const auto layout = gpu.setLayout({VK_DESCRIPTOR_TYPE_STORAGE_BUFFER}, VK_SHADER_STAGE_VERTEX_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout);
  gpu.write(set, 0, gpu.buffer(bufferProtected));
  inPass(gpu, commands, {}, target, renderPass, [&] {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                      gpu.graphicsPipeline(gpu.shader(vertexShader, sizeof(vertexShader)),
                                           gpu.shader(white_frag, sizeof(white_frag)), renderPass, pipelineLayout));
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipelineLayout, 0, 1, &set, 0, nullptr);
    vkCmdDraw(commands, 3, 1, 0, 0);
  });
}

using Dispatch = void (*)(VkCommandBuffer commands, VkBuffer parameters);

void dispatchPlain(VkCommandBuffer commands, VkBuffer) {
  vkCmdDispatch(commands, 1, 1, 1);
}
void dispatchBase(VkCommandBuffer commands, VkBuffer) {
  vkCmdDispatchBase(commands, 0, 0, 0, 1, 1, 1);
}
void dispatchIndirect(VkCommandBuffer commands, VkBuffer parameters) {
  vkCmdDispatchIndirect(commands, parameters, 0);
}

/** A dispatch that reads one storage buffer and writes another. */
void dispatch(Gpu& gpu, VkCommandBuffer commands, Dispatch record, bool sourceProtected, bool targetProtected,
              bool parametersProtected = false) {
  const auto layout = gpu.setLayout({VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                                    VK_SHADER_STAGE_COMPUTE_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout);
  gpu.write(set, 0, gpu.buffer(sourceProtected));
  gpu.write(set, 1, gpu.buffer(targetProtected));
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                    gpu.computePipeline(gpu.shader(copying_comp, sizeof(copying_comp)), pipelineLayout));
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipelineLayout, 0, 1, &set, 0, nullptr);
  record(commands, gpu.buffer(parametersProtected).buffer);
}

void addDispatches(std::vector<Command>& list, const std::string& name, Dispatch record) {
  list.push_back(
      {name + "Reads", ruleOf(name, "02707"), false,
       [record](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, record, broken, false); }});
  list.push_back(
      {name + "WritesProtected", ruleOf(name, "02707"), false,
       [record](Gpu& gpu, VkCommandBuffer commands, bool broken) { dispatch(gpu, commands, record, false, broken); }});
  if (record == dispatchIndirect) {
    list.push_back({name + "Parameters", accessRules, false, [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
                      dispatch(gpu, commands, dispatchIndirect, false, false, broken);
                    }});
    list.push_back(
        {name + "InProtected", ruleOf(name, "02711"), true, [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
           dispatch(gpu, commands, broken ? dispatchIndirect : dispatchPlain, true, true);
         }});
    return;
  }
  for (const bool source : {false, true}) {
    list.push_back({name + (source ? "WritesUnprotected" : "CopiesUnprotected"), ruleOf(name, "02712"), true,
                    [record, source](Gpu& gpu, VkCommandBuffer commands, bool broken) {
                      dispatch(gpu, commands, record, source, !broken);
                    }});
  }
}

void bindPipelineWith(Gpu& gpu, VkCommandBuffer commands, VkPipelineCreateFlags flags) {
  vkCmdBindPipeline(
      commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
      gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)), gpu.shader(white_frag, sizeof(white_frag)),
                           gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD), gpu.pipelineLayout(VK_NULL_HANDLE), flags));
}

void execute(Gpu& gpu, VkCommandBuffer commands, bool secondaryProtected) {
  VkCommandBuffer secondary = gpu.commands(secondaryProtected, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
  ASSERT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
  vkCmdExecuteCommands(commands, 1, &secondary);
}

/** A violation in a secondary command buffer counts as one of its primary. */
void executeFill(Gpu& gpu, VkCommandBuffer commands, bool targetProtected) {
  VkCommandBuffer secondary = gpu.commands(false, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
  vkCmdFillBuffer(secondary, gpu.buffer(targetProtected).buffer, 0, VK_WHOLE_SIZE, 1);
  ASSERT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
  vkCmdExecuteCommands(commands, 1, &secondary);
}

std::vector<Command> commands() {
  std::vector<Command> list{
      {"Texture", ruleOf("CmdDraw", "02707"), false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { sample(gpu, commands, broken, false); }},
      {"TextureIntoUnprotected", ruleOf("CmdDraw", "02712"), true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { sample(gpu, commands, true, !broken); }},
      {"VertexShaderReads", ruleOf("CmdDraw", "02707"), false,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         drawTouching(gpu, commands, reading_vert, broken, false);
       }},
      {"VertexShaderReadsInProtected", accessRules, true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         drawTouching(gpu, commands, reading_vert, broken, true);
       }},
      {"VertexShaderWrites", ruleOf("CmdDraw", "02713"), true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) {
         broken ? drawTouching(gpu, commands, storing_vert, false, true)
                : drawTouching(gpu, commands, reading_vert, false, true);
       }},
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
         if (broken) recordQuery(gpu, commands);
       }},
      {"ExecuteUnprotected", "VUID-vkCmdExecuteCommands-commandBuffer-01820", true,
       [](Gpu& gpu, VkCommandBuffer commands, bool broken) { execute(gpu, commands, !broken); }},
      {"ExecuteProtected", "VUID-vkCmdExecuteCommands-commandBuffer-01821", false, execute},
      {"ExecuteViolation", "VUID-vkCmdFillBuffer-commandBuffer-01811", false, executeFill},
  };
  addVertices(list, "VertexBuffer", bindVertices);
  addVertices(list, "VertexBuffer2", bindVertices2);
  for (const Draw& draw : draws)
    addDraws(list, draw);
  addDispatches(list, "CmdDispatch", dispatchPlain);
  addDispatches(list, "CmdDispatchBase", dispatchBase);
  addDispatches(list, "CmdDispatchIndirect", dispatchIndirect);
  return list;
}

INSTANTIATE_TEST_SUITE_P(Draws, Commands, testing::ValuesIn(commands()), nameOf);

TEST(Queries, inUnprotectedCommandsAreFine) {
  Gpu gpu({.validation = true});
  VkCommandBuffer commands = gpu.commands(false);
  recordQuery(gpu, commands);
  EXPECT_EQ(gpu.submit(commands, false), VK_SUCCESS);
}

/** The only command, so that it is the first violation. Its query was never begun, but the submit is not executed. */
TEST(Queries, toEndOneInProtectedCommandsLosesTheDevice) {
  Gpu gpu;
  VkCommandBuffer commands = gpu.commands(true);
  vkCmdEndQuery(commands, gpu.queryPool(), 0);
  expectLost(gpu, "VUID-vkCmdEndQuery-commandBuffer-01886", [&] { gpu.submit(commands, true); });
}

} // namespace
} // namespace vitrine::gpu::test
