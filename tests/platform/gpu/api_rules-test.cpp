#include <cstdint>

#include "tests/platform/gpu/copying_comp.h"
#include "tests/platform/gpu/gpu_fixture.h"
#include "tests/platform/gpu/triangle_vert.h"
#include "tests/platform/gpu/white_frag.h"

// Rules whose violation takes effect in the call itself, and rules of submits. Each has a legal twin, which runs under
// the validation layer; any message of the layer fails the test.

namespace vitrine::gpu::test {
namespace {

constexpr GpuOptions legal{.validation = true};

VkResult bindImage(Gpu& gpu, bool imageProtected, bool memoryProtected, bool second) {
  VkImage image = gpu.unboundImage(imageProtected);
  VkMemoryRequirements requirements{};
  vkGetImageMemoryRequirements(gpu.device, image, &requirements);
  VkDeviceMemory memory = gpu.allocate(requirements, memoryProtected);
  if (!second) return vkBindImageMemory(gpu.device, image, memory, 0);
  const VkBindImageMemoryInfo info{.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, .image = image, .memory = memory};
  return vkBindImageMemory2(gpu.device, 1, &info);
}

VkResult bindBuffer(Gpu& gpu, bool bufferProtected, bool memoryProtected, bool second) {
  VkBuffer buffer = gpu.unboundBuffer(bufferProtected);
  VkMemoryRequirements requirements{};
  vkGetBufferMemoryRequirements(gpu.device, buffer, &requirements);
  VkDeviceMemory memory = gpu.allocate(requirements, memoryProtected);
  if (!second) return vkBindBufferMemory(gpu.device, buffer, memory, 0);
  const VkBindBufferMemoryInfo info{
      .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, .buffer = buffer, .memory = memory};
  return vkBindBufferMemory2(gpu.device, 1, &info);
}

struct Binding {
  const char* rule;
  VkResult (*bind)(Gpu& gpu, bool resourceProtected, bool memoryProtected, bool second);
  bool resourceProtected;
  bool second;
};

class Bindings : public testing::TestWithParam<Binding> {};

TEST_P(Bindings, acrossWorldsLosesTheDevice) {
  Gpu gpu;
  const Binding& binding = GetParam();
  expectLost(gpu, binding.rule,
             [&] { binding.bind(gpu, binding.resourceProtected, !binding.resourceProtected, binding.second); });
}

TEST_P(Bindings, withinAWorldIsFine) {
  Gpu gpu(legal);
  const Binding& binding = GetParam();
  EXPECT_EQ(binding.bind(gpu, binding.resourceProtected, binding.resourceProtected, binding.second), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(Rules, Bindings,
                         testing::Values(Binding{"VUID-vkBindImageMemory-None-01901", bindImage, true, false},
                                         Binding{"VUID-vkBindImageMemory-None-01902", bindImage, false, false},
                                         Binding{"VUID-VkBindImageMemoryInfo-None-01901", bindImage, true, true},
                                         Binding{"VUID-VkBindImageMemoryInfo-None-01902", bindImage, false, true},
                                         Binding{"VUID-vkBindBufferMemory-None-01898", bindBuffer, true, false},
                                         Binding{"VUID-vkBindBufferMemory-None-01899", bindBuffer, false, false},
                                         Binding{"VUID-VkBindBufferMemoryInfo-None-01898", bindBuffer, true, true},
                                         Binding{"VUID-VkBindBufferMemoryInfo-None-01899", bindBuffer, false, true}));

VkResult map(Gpu& gpu, bool isProtected) {
  void* data = nullptr;
  return vkMapMemory(gpu.device, gpu.buffer(isProtected).memory, 0, VK_WHOLE_SIZE, 0, &data);
}

TEST(Mapping, ofProtectedMemoryLosesTheDevice) {
  Gpu gpu;
  expectLost(gpu, "VUID-vkMapMemory-memory-00682", [&] { EXPECT_EQ(map(gpu, true), VK_ERROR_MEMORY_MAP_FAILED); });
}

TEST(Mapping, ofOrdinaryMemoryIsFine) {
  Gpu gpu(legal);
  EXPECT_EQ(map(gpu, false), VK_SUCCESS);
}

// Without the feature. Every other test here shows that the same calls are legal with it.

constexpr GpuOptions featureless{.protectedMemory = false, .protectedQueue = false};

TEST(Featureless, protectedImage) {
  Gpu gpu(featureless);
  expectLost(gpu, "VUID-VkImageCreateInfo-flags-01890", [&] { gpu.unboundImage(true); });
}

TEST(Featureless, protectedBuffer) {
  Gpu gpu(featureless);
  expectLost(gpu, "VUID-VkBufferCreateInfo-flags-01887", [&] { gpu.unboundBuffer(true); });
}

TEST(Featureless, protectedMemory) {
  Gpu gpu(featureless);
  expectLost(gpu, "VUID-VkMemoryAllocateInfo-memoryTypeIndex-01872",
             [&] { gpu.allocate({.size = bufferBytes, .alignment = 1, .memoryTypeBits = ~0U}, true); });
}

TEST(Featureless, protectedPool) {
  Gpu gpu(featureless);
  expectLost(gpu, "VUID-VkCommandPoolCreateInfo-flags-02860", [&] {
    const VkCommandPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                       .flags = VK_COMMAND_POOL_CREATE_PROTECTED_BIT};
    VkCommandPool pool = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateCommandPool(gpu.device, &info, nullptr, &pool), VK_SUCCESS);
    gpu.atEnd([&gpu, pool] { vkDestroyCommandPool(gpu.device, pool, nullptr); });
  });
}

TEST(Featureless, protectedQueue) {
  testing::internal::CaptureStderr();
  Gpu gpu({.protectedMemory = false});
  EXPECT_TRUE(
      testing::internal::GetCapturedStderr().starts_with("vitrine-gpu: VUID-VkDeviceQueueCreateInfo-flags-02861"));
  EXPECT_EQ(vkDeviceWaitIdle(gpu.device), VK_ERROR_DEVICE_LOST);
}

// The driver does not offer sparse memory, so there are no legal twins.

TEST(Sparse, protectedImage) {
  Gpu gpu;
  const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .flags = VK_IMAGE_CREATE_PROTECTED_BIT | VK_IMAGE_CREATE_SPARSE_BINDING_BIT,
                               .imageType = VK_IMAGE_TYPE_2D,
                               .format = colorFormat,
                               .extent = {side, side, 1},
                               .mipLevels = 1,
                               .arrayLayers = 1,
                               .samples = VK_SAMPLE_COUNT_1_BIT,
                               .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT};
  VkImage image = VK_NULL_HANDLE;
  expectLost(gpu, "VUID-VkImageCreateInfo-None-01891",
             [&] { EXPECT_EQ(vkCreateImage(gpu.device, &info, nullptr, &image), VK_SUCCESS); });
  vkDestroyImage(gpu.device, image, nullptr);
}

TEST(Sparse, protectedBuffer) {
  Gpu gpu;
  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .flags = VK_BUFFER_CREATE_PROTECTED_BIT | VK_BUFFER_CREATE_SPARSE_BINDING_BIT,
                                .size = bufferBytes,
                                .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT};
  VkBuffer buffer = VK_NULL_HANDLE;
  expectLost(gpu, "VUID-VkBufferCreateInfo-None-01888",
             [&] { EXPECT_EQ(vkCreateBuffer(gpu.device, &info, nullptr, &buffer), VK_SUCCESS); });
  vkDestroyBuffer(gpu.device, buffer, nullptr);
}

TEST(Queues, withoutTheFlagAProtectedQueueIsNotToBeHad) {
  Gpu gpu;
  VkQueue queue = VK_NULL_HANDLE;
  expectLost(gpu, "VUID-vkGetDeviceQueue-flags-01841", [&] { vkGetDeviceQueue(gpu.device, 0, 0, &queue); });
}

TEST(Queues, flagsMustBeThoseOfTheCreation) {
  Gpu gpu;
  VkQueue queue = VK_NULL_HANDLE;
  const VkDeviceQueueInfo2 info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2};
  expectLost(gpu, "VUID-VkDeviceQueueInfo2-flags-06225", [&] { vkGetDeviceQueue2(gpu.device, &info, &queue); });
}

void graphicsPipeline(Gpu& gpu, VkPipelineCreateFlags flags) {
  gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)), gpu.shader(white_frag, sizeof(white_frag)),
                       gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD), gpu.pipelineLayout(VK_NULL_HANDLE), flags);
}

void computePipeline(Gpu& gpu, VkPipelineCreateFlags flags) {
  const auto set = gpu.setLayout({VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                                 VK_SHADER_STAGE_COMPUTE_BIT);
  gpu.computePipeline(gpu.shader(copying_comp, sizeof(copying_comp)), gpu.pipelineLayout(set), flags);
}

struct PipelineAccess {
  void (*make)(Gpu& gpu, VkPipelineCreateFlags flags);
  const char* needFeature;
  const char* excludeEachOther;
};

class PipelineAccessFlags : public testing::TestWithParam<PipelineAccess> {};

constexpr VkPipelineCreateFlags accessFlags[] = {VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT,
                                                 VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT};

TEST_P(PipelineAccessFlags, needTheFeature) {
  for (const VkPipelineCreateFlags flag : accessFlags) {
    Gpu gpu({.pipelineProtectedAccess = false});
    expectLost(gpu, GetParam().needFeature, [&] { GetParam().make(gpu, flag); });
  }
}

TEST_P(PipelineAccessFlags, excludeEachOther) {
  Gpu gpu;
  expectLost(gpu, GetParam().excludeEachOther, [&] { GetParam().make(gpu, accessFlags[0] | accessFlags[1]); });
}

TEST_P(PipelineAccessFlags, areFineOneAtATime) {
  Gpu gpu(legal);
  for (const VkPipelineCreateFlags flag : accessFlags)
    GetParam().make(gpu, flag);
  EXPECT_EQ(vkDeviceWaitIdle(gpu.device), VK_SUCCESS);
}

// The specification has no VUIDs for compute pipelines, but their flags have the same meaning.
INSTANTIATE_TEST_SUITE_P(
    Rules, PipelineAccessFlags,
    testing::Values(PipelineAccess{graphicsPipeline, "VUID-VkGraphicsPipelineCreateInfo-pipelineProtectedAccess-07368",
                                   "VUID-VkGraphicsPipelineCreateInfo-flags-07369"},
                    PipelineAccess{computePipeline, "VkPipelineCreateFlagBits", "VkPipelineCreateFlagBits"}));

struct Submit {
  const char* rule;
  VkResult (Gpu::*submit)(VkCommandBuffer commands, bool isProtected);
  bool commandsProtected;
};

class Submits : public testing::TestWithParam<Submit> {};

TEST_P(Submits, ofTheOtherWorldsCommandsLosesTheDevice) {
  Gpu gpu;
  const Submit& submit = GetParam();
  VkCommandBuffer commands = gpu.commands(submit.commandsProtected);
  expectLost(gpu, submit.rule,
             [&] { EXPECT_EQ((gpu.*submit.submit)(commands, !submit.commandsProtected), VK_ERROR_DEVICE_LOST); });
}

TEST_P(Submits, ofItsOwnWorldsCommandsIsFine) {
  Gpu gpu(legal);
  const Submit& submit = GetParam();
  EXPECT_EQ((gpu.*submit.submit)(gpu.commands(submit.commandsProtected), submit.commandsProtected), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(Rules, Submits,
                         testing::Values(Submit{"VUID-VkSubmitInfo-pNext-04120", &Gpu::submit, true},
                                         Submit{"VUID-VkSubmitInfo-pNext-04148", &Gpu::submit, false},
                                         Submit{"VUID-VkSubmitInfo2-flags-03887", &Gpu::submit2, true},
                                         Submit{"VUID-VkSubmitInfo2-flags-03886", &Gpu::submit2, false}));

TEST(ProtectedSubmits, needsAProtectedQueue) {
  Gpu gpu({.protectedQueue = false});
  VkCommandBuffer commands = gpu.commands(true);
  expectLost(gpu, "VUID-vkQueueSubmit-queue-06448", [&] { gpu.submit(commands, true); });
}

TEST(ProtectedSubmits, needsAProtectedQueue2) {
  Gpu gpu({.protectedQueue = false});
  VkCommandBuffer commands = gpu.commands(true);
  expectLost(gpu, "VUID-vkQueueSubmit2-queue-06447", [&] { gpu.submit2(commands, true); });
}

} // namespace
} // namespace vitrine::gpu::test
