#pragma once

#include <climits>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protected-path/render/vulkan/vulkan_include.h"

/**
 * Linking vulkan_interposer.cpp replaces libvulkan's vkGetInstanceProcAddr for this process, so that what is said about
 * the driver is what it was really asked, not what our counters say. A pass that need not keep what was in its area
 * begins with that area in a colour that no test draws, as on a GPU that draws in tiles. A pixel left out is seen.
 */
namespace vitrine::test {

struct DriverCalls {
  uint64_t queueSubmits = 0;
  uint64_t protectedSubmits = 0;       ///< of them
  uint64_t devicesLost = 0;            ///< VK_ERROR_DEVICE_LOST by the driver, not by failCall()
  uint64_t memoryImports = 0;          ///< vkAllocateMemory with VkImportMemoryFdInfoKHR
  uint64_t dedicatedImports = 0;       ///< of them, with VkMemoryDedicatedAllocateInfo
  uint64_t protectedImports = 0;       ///< of them, into a memory type that is protected
  uint64_t fdQueries = 0;              ///< vkGetMemoryFdPropertiesKHR
  uint64_t imageCreations = 0;         ///< vkCreateImage, failed ones too
  uint64_t allocations = 0;            ///< vkAllocateMemory of any kind
  uint64_t allocationsBeyondLimit = 0; ///< refused by Pretence::maximumAllocations
  uint64_t pipelines = 0;              ///< vkCreateGraphicsPipelines, and of them:
  uint64_t protectedOnlyPipelines = 0; ///< with VK_PIPELINE_CREATE_PROTECTED_ACCESS_ONLY_BIT
  uint64_t noProtectedPipelines = 0;   ///< with VK_PIPELINE_CREATE_NO_PROTECTED_ACCESS_BIT
  uint64_t pipelineCacheBytes = 0;     ///< given to vkCreatePipelineCache
  uint64_t linearSamplers = 0;         ///< vkCreateSampler with VK_FILTER_LINEAR
  uint64_t semaphoresWaited = 0;       ///< by all vkQueueSubmit
  uint64_t cpuWaits = 0;               ///< vkWaitSemaphores
  uint64_t passes = 0;                 ///< vkCmdBeginRenderPass, and of them:
  uint64_t replacingPasses = 0;        ///< that need not keep what was there (VK_ATTACHMENT_LOAD_OP_DONT_CARE)
  uint64_t foreignAcquires = 0;        ///< image barriers from VK_QUEUE_FAMILY_FOREIGN_EXT
  uint64_t foreignReleases = 0;        ///< and to it
  int64_t liveObjects = 0;             ///< made and not yet destroyed, of all kinds from the instance on
};
[[nodiscard]] DriverCalls& driverCalls();

/** What a renderer calls, over and over, that may fail. */
inline constexpr const char* failingCalls[] = {"vkAllocateMemory",
                                               "vkQueueSubmit",
                                               "vkGetMemoryFdPropertiesKHR",
                                               "vkCreateImage",
                                               "vkBindImageMemory",
                                               "vkCreateImageView",
                                               "vkAllocateDescriptorSets",
                                               "vkCreateFramebuffer",
                                               "vkCreateBuffer",
                                               "vkMapMemory",
                                               "vkBindBufferMemory",
                                               "vkGetSemaphoreFdKHR",
                                               "vkBeginCommandBuffer",
                                               "vkEndCommandBuffer",
                                               "vkResetCommandPool",
                                               "vkWaitSemaphores",
                                               "vkCreateSemaphore",
                                               "vkCreateCommandPool",
                                               "vkCreateGraphicsPipelines",
                                               "vkAllocateCommandBuffers",
                                               "vkCreateRenderPass",
                                               "vkCreateShaderModule",
                                               "vkCreateDescriptorSetLayout",
                                               "vkCreateDescriptorPool",
                                               "vkCreatePipelineLayout",
                                               "vkCreateSampler",
                                               "vkCreateSamplerYcbcrConversion",
                                               "vkImportSemaphoreFdKHR"};

/** From any thread: lets `skip` calls of `function` (`vkAllocateMemory`) pass, then makes one fail with `result` without asking the
 * driver. */
void failCall(std::string_view function, VkResult result, unsigned skip = 0);
/** The same of several calls one after another. */
void failCalls(std::string_view function, std::vector<VkResult> results, unsigned skip = 0);
/** What vkGetMemoryFdPropertiesKHR answers where it succeeds. */
enum class FdTypes {
  Asked,     ///< the driver's word
  All,       ///< every type there is, for any fd, as anv does
  Unwritten, ///< nothing: the structure is left as it is, as the mock ICD does
  Protected, ///< those that are protected and no others
  None       ///< a type that no image takes
};
/**
 * For the next so many calls. vkGetImageMemoryRequirements2 names every type, too, with All and Unwritten, so that the choice is the
 * renderer's alone; with Protected it names the protected types.
 */
void answerFdTypes(FdTypes types, unsigned times = UINT_MAX);
/** Whether all failures asked for have happened; forgets them otherwise. */
[[nodiscard]] bool failureHappened();

/**
 * From the next renderer on, these formats seem to take `modifier` too, with `extraPlanes` more memory planes than
 * LINEAR. To the driver it is LINEAR, and it is not told of the extra planes: what is drawn says whether the others
 * got there. Formats that are offered may only be used for dma-bufs meanwhile.
 */
void offerModifier(uint64_t modifier, unsigned extraPlanes, std::vector<VkFormat> formats);

/** What physical devices seem to say from the next renderer on; empty: what they do say. */
struct Pretence {
  std::optional<bool> pipelineProtectedAccess; ///< VkPhysicalDevicePipelineProtectedAccessFeatures
  std::optional<bool> protectedNoFault;        ///< VkPhysicalDeviceProtectedMemoryProperties
  std::optional<uint32_t> maximumExtent;       ///< VkPhysicalDeviceLimits::maxImageDimension2D
  /** VkPhysicalDeviceLimits::maxMemoryAllocationCount. A device that has as many refuses the next. */
  std::optional<uint32_t> maximumAllocations;
  std::optional<uint32_t> vendorId;         ///< VkPhysicalDeviceProperties
  VkFormatFeatureFlags lackingFeatures = 0; ///< of every format and modifier
  VkFormatFeatureFlags grantedFeatures = 0; ///< that the driver has without saying so; validation must be off
  std::string lackingFunction;              ///< that loader and driver do not have
};
[[nodiscard]] Pretence& pretence();

/** What becomes of vkCmdPipelineBarrier. */
enum class Barriers {
  Kept,
  Weakened, ///< layouts change as they should, but nothing waits
  Dropped
};
void setBarriers(Barriers barriers);

/** Sync files that the driver exports from now on signal when this one does, as if the GPU were at work until then; -1: when they do. */
void setFence(int syncFile);

/** Called by vkQueueSubmit before the driver is; null for nothing. */
void setSubmitHook(void (*hook)());

} // namespace vitrine::test
