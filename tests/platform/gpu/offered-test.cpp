#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <string_view>

#include "tests/platform/gpu/gpu_fixture.h"

#include "tests/platform/gpu/functions.h" // includes Vulkan without prototypes

// No function or feature bypasses the rules: everything of lavapipe that the driver offers is either checked or
// harmless.

namespace vitrine::gpu::test {
namespace {

constexpr GpuOptions everything{.everything = true};

// ---- Functions ----

// clang-format off
/** Functions that go to lavapipe directly, without their names as extensions. */
const std::set<std::string_view> harmless{
    // State of draws, not memory
    "vkCmdPushConstants", "vkCmdSetBlendConstants", "vkCmdSetCullMode", "vkCmdSetDepthBias", "vkCmdSetDepthBiasEnable",
    "vkCmdSetDepthBounds", "vkCmdSetDepthBoundsTestEnable", "vkCmdSetDepthCompareOp", "vkCmdSetDepthTestEnable",
    "vkCmdSetDepthWriteEnable", "vkCmdSetDeviceMask", "vkCmdSetFrontFace", "vkCmdSetLineWidth",
    "vkCmdSetPrimitiveRestartEnable", "vkCmdSetPrimitiveTopology", "vkCmdSetRasterizerDiscardEnable",
    "vkCmdSetScissor", "vkCmdSetScissorWithCount", "vkCmdSetStencilCompareMask", "vkCmdSetStencilOp",
    "vkCmdSetStencilReference", "vkCmdSetStencilTestEnable", "vkCmdSetStencilWriteMask", "vkCmdSetViewport",
    "vkCmdSetViewportWithCount",
    // Order and layouts
    "vkCmdPipelineBarrier", "vkCmdPipelineBarrier2", "vkCmdResetEvent", "vkCmdResetEvent2", "vkCmdSetEvent",
    "vkCmdSetEvent2", "vkCmdWaitEvents", "vkCmdWaitEvents2", "vkResetEvent", "vkSetEvent", "vkResetFences",
    // Write to attachments that the pass named when it began
    "vkCmdNextSubpass", "vkCmdNextSubpass2",
    // Queries contain counts and times. Queries about content are refused when they begin
    "vkCmdResetQueryPool", "vkCmdWriteTimestamp", "vkCmdWriteTimestamp2", "vkResetQueryPool",
    // Objects without memory
    "vkCreateDescriptorPool", "vkCreateEvent", "vkCreateFence", "vkCreatePipelineCache", "vkCreatePipelineLayout",
    "vkCreatePrivateDataSlot", "vkCreateQueryPool", "vkCreateSampler", "vkCreateSamplerYcbcrConversion",
    "vkCreateSemaphore", "vkDestroyEvent", "vkDestroyFence", "vkDestroyPipelineCache", "vkDestroyPipelineLayout",
    "vkDestroyPrivateDataSlot", "vkDestroyQueryPool", "vkDestroySampler", "vkDestroySamplerYcbcrConversion",
    "vkDestroySemaphore", "vkGetPipelineCacheData", "vkMergePipelineCaches", "vkGetPrivateData", "vkSetPrivateData",
    "vkGetFenceFdKHR", "vkImportFenceFdKHR", "vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR", "vkEndCommandBuffer",
    "vkTrimCommandPool",
    // Concern mapped memory, and protected memory is never mapped
    "vkFlushMappedMemoryRanges", "vkInvalidateMappedMemoryRanges", "vkUnmapMemory",
    // Queries about objects. An address is of no use, since shaders cannot use addresses
    "vkGetBufferDeviceAddress", "vkGetBufferOpaqueCaptureAddress", "vkGetDescriptorSetLayoutSupport",
    "vkGetDeviceGroupPeerMemoryFeatures", "vkGetDeviceImageSparseMemoryRequirements", "vkGetDeviceMemoryCommitment",
    "vkGetDeviceMemoryOpaqueCaptureAddress", "vkGetImageDrmFormatModifierPropertiesEXT",
    "vkGetImageSparseMemoryRequirements", "vkGetImageSparseMemoryRequirements2", "vkGetImageSubresourceLayout",
    "vkGetRenderAreaGranularity",
    // A swapchain's images are unprotected
    "vkAcquireNextImage2KHR", "vkAcquireNextImageKHR", "vkCreateSwapchainKHR", "vkDestroySwapchainKHR",
    "vkGetDeviceGroupPresentCapabilitiesKHR", "vkGetDeviceGroupSurfacePresentModesKHR", "vkGetSwapchainImagesKHR",
    "vkQueuePresentKHR"};
// clang-format on

/** Functions that the driver implements. */
const std::set<std::string_view> judged{
#define VITRINE_GPU_NAME(name) "vk" #name,
    VITRINE_GPU_FUNCTIONS(VITRINE_GPU_NAME)
#undef VITRINE_GPU_NAME
};

std::set<std::string> functionsOfVulkan() {
  std::ifstream header("/usr/include/vulkan/vulkan_core.h");
  const std::regex type("PFN_(vk\\w+)\\)");
  std::set<std::string> names;
  for (std::string line; std::getline(header, line);) {
    std::smatch match;
    if (std::regex_search(line, match, type)) names.insert(match[1]);
  }
  return names;
}

bool isAmong(const std::set<std::string_view>& names, std::string_view name) {
  if (names.contains(name)) return true;
  const std::string_view suffix = name.substr(name.size() - 3);
  return (suffix == "KHR" || suffix == "EXT") && names.contains(name.substr(0, name.size() - 3));
}

TEST(Functions, areJudgedOrHarmless) {
  Gpu gpu(everything);
  const auto names = functionsOfVulkan();
  unsigned there = 0;
  for (const std::string& name : names) {
    if (vkGetDeviceProcAddr(gpu.device, name.c_str()) == nullptr) continue;
    there += 1;
    EXPECT_TRUE(isAmong(judged, name) || isAmong(harmless, name)) << name;
  }
  EXPECT_GT(there, 200U) << "of " << names.size() << " in the header";
}

// ---- Features ----

TEST(Features, thatPassTheRulesByAreNotOffered) {
  Gpu gpu;
  VkPhysicalDeviceVulkan12Features vulkan12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceDescriptorIndexingFeatures indexing{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DESCRIPTOR_INDEXING_FEATURES, .pNext = &vulkan12};
  VkPhysicalDeviceBufferDeviceAddressFeatures address{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES, .pNext = &indexing};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &address};
  vkGetPhysicalDeviceFeatures2(gpu.physical, &features);
  VkPhysicalDeviceFeatures first{};
  vkGetPhysicalDeviceFeatures(gpu.physical, &first);
  for (const VkPhysicalDeviceFeatures& core : {features.features, first}) {
    EXPECT_FALSE(core.sparseBinding || core.sparseResidencyBuffer || core.sparseResidencyImage2D ||
                 core.sparseResidencyImage3D || core.sparseResidencyAliased);
    EXPECT_TRUE(core.geometryShader) << "the others stay";
  }
  EXPECT_FALSE(vulkan12.bufferDeviceAddress || address.bufferDeviceAddress || vulkan12.descriptorIndexing);
  const auto updatesAfterBind = [](const auto& of) {
    return of.descriptorBindingUniformBufferUpdateAfterBind || of.descriptorBindingSampledImageUpdateAfterBind ||
           of.descriptorBindingStorageImageUpdateAfterBind || of.descriptorBindingStorageBufferUpdateAfterBind ||
           of.descriptorBindingUniformTexelBufferUpdateAfterBind ||
           of.descriptorBindingStorageTexelBufferUpdateAfterBind;
  };
  EXPECT_FALSE(updatesAfterBind(vulkan12) || updatesAfterBind(indexing));
  EXPECT_TRUE(vulkan12.imagelessFramebuffer && indexing.runtimeDescriptorArray) << "the others stay";
}

TEST(Features, sparseBindingIsNoneOfTheQueues) {
  Gpu gpu;
  uint32_t count = 1;
  VkQueueFamilyProperties family{};
  vkGetPhysicalDeviceQueueFamilyProperties(gpu.physical, &count, &family);
  VkQueueFamilyProperties2 family2{.sType = VK_STRUCTURE_TYPE_QUEUE_FAMILY_PROPERTIES_2};
  vkGetPhysicalDeviceQueueFamilyProperties2(gpu.physical, &count, &family2);
  for (const VkQueueFlags flags : {family.queueFlags, family2.queueFamilyProperties.queueFlags})
    EXPECT_EQ(flags & (VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT), VkQueueFlags{VK_QUEUE_PROTECTED_BIT});
}

VkResult makeDevice(const Gpu& gpu, const void* chain, const VkPhysicalDeviceFeatures* core = nullptr) {
  const float priority = 1;
  const VkDeviceQueueCreateInfo queue{
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
  const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                .pNext = chain,
                                .queueCreateInfoCount = 1,
                                .pQueueCreateInfos = &queue,
                                .pEnabledFeatures = core};
  VkDevice device = VK_NULL_HANDLE;
  const VkResult result = vkCreateDevice(gpu.physical, &info, nullptr, &device);
  if (result == VK_SUCCESS) vkDestroyDevice(device, nullptr);
  return result;
}

TEST(Features, thatAreNotOfferedAreNotToBeHad) {
  Gpu gpu;
  const VkPhysicalDeviceFeatures sparse{.sparseBinding = VK_TRUE};
  EXPECT_EQ(makeDevice(gpu, nullptr, &sparse), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceFeatures2 sparse2{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .features = {.sparseBinding = VK_TRUE}};
  EXPECT_EQ(makeDevice(gpu, &sparse2), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceVulkan12Features address12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                                   .bufferDeviceAddress = VK_TRUE};
  EXPECT_EQ(makeDevice(gpu, &address12), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceBufferDeviceAddressFeatures address{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES, .bufferDeviceAddress = VK_TRUE};
  EXPECT_EQ(makeDevice(gpu, &address), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceDescriptorIndexingFeatures indexing{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DESCRIPTOR_INDEXING_FEATURES,
      .descriptorBindingSampledImageUpdateAfterBind = VK_TRUE};
  EXPECT_EQ(makeDevice(gpu, &indexing), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceFeatures geometry{.geometryShader = VK_TRUE};
  EXPECT_EQ(makeDevice(gpu, nullptr, &geometry), VK_SUCCESS);
}

// ---- Swapchains ----

/** The first image of a headless swapchain, with a view. */
TestImage swapchainImage(Gpu& gpu) {
  const auto createSurface = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
      vkGetInstanceProcAddr(gpu.instance, "vkCreateHeadlessSurfaceEXT"));
  const VkHeadlessSurfaceCreateInfoEXT surfaceInfo{.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
  VkSurfaceKHR surface = VK_NULL_HANDLE;
  EXPECT_EQ(createSurface(gpu.instance, &surfaceInfo, nullptr, &surface), VK_SUCCESS);
  gpu.atEnd([&gpu, surface] { vkDestroySurfaceKHR(gpu.instance, surface, nullptr); });
  VkBool32 supported = VK_FALSE;
  EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(gpu.physical, 0, surface, &supported), VK_SUCCESS);
  VkSurfaceCapabilitiesKHR capabilities{};
  EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(gpu.physical, surface, &capabilities), VK_SUCCESS);
  uint32_t formatCount = 1;
  VkSurfaceFormatKHR format{};
  vkGetPhysicalDeviceSurfaceFormatsKHR(gpu.physical, surface, &formatCount, &format);
  const VkSwapchainCreateInfoKHR info{.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                      .surface = surface,
                                      .minImageCount = capabilities.minImageCount,
                                      .imageFormat = format.format,
                                      .imageColorSpace = format.colorSpace,
                                      .imageExtent = {side, side},
                                      .imageArrayLayers = 1,
                                      .imageUsage =
                                          VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
                                      .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
                                      .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                      .presentMode = VK_PRESENT_MODE_FIFO_KHR};
  VkSwapchainKHR swapchain = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateSwapchainKHR(gpu.device, &info, nullptr, &swapchain), VK_SUCCESS);
  gpu.atEnd([&gpu, swapchain] { vkDestroySwapchainKHR(gpu.device, swapchain, nullptr); });
  uint32_t count = 1;
  TestImage made;
  EXPECT_EQ(vkGetSwapchainImagesKHR(gpu.device, swapchain, &count, &made.image), VK_INCOMPLETE);
  const VkImageViewCreateInfo view{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                   .image = made.image,
                                   .viewType = VK_IMAGE_VIEW_TYPE_2D,
                                   .format = format.format,
                                   .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
  EXPECT_EQ(vkCreateImageView(gpu.device, &view, nullptr, &made.view), VK_SUCCESS);
  gpu.atEnd([&gpu, handle = made.view] { vkDestroyImageView(gpu.device, handle, nullptr); });
  return made;
}

void clear(VkCommandBuffer commands, const TestImage& image) {
  const VkClearColorValue color{};
  const VkImageSubresourceRange range{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  vkCmdClearColorImage(commands, image.image, VK_IMAGE_LAYOUT_GENERAL, &color, 1, &range);
}

void clearByRendering(VkCommandBuffer commands, const TestImage& image) {
  const VkRenderingAttachmentInfo attachment{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                             .imageView = image.view,
                                             .imageLayout = VK_IMAGE_LAYOUT_GENERAL,
                                             .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                             .storeOp = VK_ATTACHMENT_STORE_OP_STORE};
  const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                             .renderArea = {{0, 0}, {side, side}},
                             .layerCount = 1,
                             .colorAttachmentCount = 1,
                             .pColorAttachments = &attachment};
  vkCmdBeginRendering(commands, &info);
  vkCmdEndRendering(commands);
}

struct ClearOfSwapchain {
  const char* rule;
  void (*record)(VkCommandBuffer commands, const TestImage& image);
};

class Swapchains : public testing::TestWithParam<ClearOfSwapchain> {};

TEST_P(Swapchains, areUnprotected) {
  Gpu gpu(everything);
  VkCommandBuffer commands = gpu.commands(true);
  GetParam().record(commands, swapchainImage(gpu));
  expectLost(gpu, GetParam().rule, [&] { EXPECT_EQ(gpu.submit(commands, true), VK_ERROR_DEVICE_LOST); });
}

TEST_P(Swapchains, areForUnprotectedCommands) {
  Gpu gpu(everything);
  VkCommandBuffer commands = gpu.commands(false);
  const TestImage image = swapchainImage(gpu);
  gpu.prepare(commands, image);
  GetParam().record(commands, image);
  EXPECT_EQ(gpu.submit(commands, false), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(Clears, Swapchains,
                         testing::Values(ClearOfSwapchain{"VUID-vkCmdClearColorImage-commandBuffer-01806", clear},
                                         ClearOfSwapchain{"memory-protected-access-rules", clearByRendering}));

} // namespace
} // namespace vitrine::gpu::test
