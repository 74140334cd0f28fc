#pragma once

#include <gtest/gtest.h>
#include <vulkan/vulkan.h>

#include <functional>
#include <string>
#include <vector>

namespace vitrine::gpu::test {

/** Throws unless it holds: for what is no test's matter. */
void require(bool holds, const char* what);

/** What is asked of a device. */
struct GpuOptions {
  bool validation = false;
  bool protectedMemory = true;
  bool protectedQueue = true;
  bool pipelineProtectedAccess = true;
  bool everything = false; ///< the newest Vulkan, and all extensions that the device has
};

struct TestImage {
  bool isProtected = false;
  VkImage image = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  VkImageView view = VK_NULL_HANDLE;
};

struct TestBuffer {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
};

inline constexpr uint32_t side = 16; ///< of all images, in pixels
inline constexpr VkDeviceSize bufferBytes = VkDeviceSize{side} * side * 4;
inline constexpr VkFormat colorFormat = VK_FORMAT_R8G8B8A8_UNORM;
inline constexpr VkFormat depthFormat = VK_FORMAT_D32_SFLOAT;

/**
 * A Vulkan device, raw, and things to have rules broken with. All it makes it destroys at its end. Members that are
 * Vulkan handles are what tests hand to Vulkan themselves.
 */
class Gpu {
public:
  explicit Gpu(const GpuOptions& options = {});
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;
  ~Gpu();

  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkPhysicalDeviceMemoryProperties memoryTypes{};
  bool queueIsProtected = false;
  unsigned validationMessages = 0;

  template<typename Function>
  Function function(const char* name) const {
    return reinterpret_cast<Function>(vkGetDeviceProcAddr(device, name));
  }

  /** A memory type of those in `bits` that is protected, or is host visible. */
  [[nodiscard]] uint32_t memoryType(uint32_t bits, bool isProtected) const;
  VkDeviceMemory allocate(const VkMemoryRequirements& requirements, bool isProtected);

  VkImage unboundImage(bool isProtected, VkFormat format = colorFormat,
                       VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT);
  TestImage image(bool isProtected, VkFormat format = colorFormat,
                  VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT);
  VkBuffer unboundBuffer(bool isProtected);
  /** An unprotected one is zeroed. */
  TestBuffer buffer(bool isProtected);

  /** Begun; a secondary one within `pass`, if given. */
  VkCommandBuffer commands(bool isProtected, VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                           VkRenderPass pass = VK_NULL_HANDLE);
  [[nodiscard]] VkCommandPool pool(bool isProtected) const { return pools_[isProtected]; }
  /** From undefined to GENERAL. */
  void prepare(VkCommandBuffer commands, const TestImage& image, VkImageAspectFlags aspect = VK_IMAGE_ASPECT_COLOR_BIT);

  /** Of a color attachment, 0, and if asked an input attachment, 1. */
  VkRenderPass renderPass(VkAttachmentLoadOp load, bool hasInput = false);
  VkFramebuffer framebuffer(VkRenderPass pass, const std::vector<VkImageView>& views);
  /** For one color image of either world. */
  VkFramebuffer imagelessFramebuffer(VkRenderPass pass, bool isProtected);
  VkShaderModule shader(const uint32_t* code, size_t bytes);
  VkPipeline graphicsPipeline(VkShaderModule vertex, VkShaderModule fragment, VkRenderPass pass,
                              VkPipelineLayout layout, VkPipelineCreateFlags flags = 0);
  VkPipeline computePipeline(VkShaderModule code, VkPipelineLayout layout, VkPipelineCreateFlags flags = 0);
  /** Bindings of one descriptor each, from 0 on. */
  VkDescriptorSetLayout setLayout(const std::vector<VkDescriptorType>& types, VkShaderStageFlags stages);
  VkPipelineLayout pipelineLayout(VkDescriptorSetLayout set);
  VkDescriptorSet descriptorSet(VkDescriptorSetLayout layout);
  /** All of it as unsigned words. */
  VkBufferView texels(const TestBuffer& buffer);
  void write(VkDescriptorSet set, uint32_t binding, const TestBuffer& buffer,
             VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);
  /** With a sampler, which kinds that have none ignore; VK_DESCRIPTOR_TYPE_SAMPLER ignores the image. */
  void write(VkDescriptorSet set, uint32_t binding, const TestImage& image,
             VkDescriptorType type = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER);

  /** Of one occlusion query. */
  VkQueryPool queryPool();

  /** Ends the command buffer and submits it. */
  VkResult submit(VkCommandBuffer commands, bool isProtected);
  VkResult submit2(VkCommandBuffer commands, bool isProtected);

  /** Has something destroyed at the end, in reverse order. */
  void atEnd(std::function<void()> destroy) { ends_.push_back(std::move(destroy)); }

private:
  void makeInstance(const GpuOptions& options);
  void makeDevice(const GpuOptions& options);
  std::vector<std::function<void()>> ends_;
  VkCommandPool pools_[2] = {}; ///< [isProtected]
};

/** Draws `source`, sampled, over all of `target`, in a pass of its own; both in GENERAL. */
void recordCopyingDraw(Gpu& gpu, VkCommandBuffer commands, const TestImage& source, const TestImage& target);

/** Runs `broken` and expects the device to be lost over `rule`, in one line on stderr. */
void expectLost(Gpu& gpu, const std::string& rule, const std::function<void()>& broken);

} // namespace vitrine::gpu::test
