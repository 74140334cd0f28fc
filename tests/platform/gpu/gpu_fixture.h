#pragma once

#include <gtest/gtest.h>
#include <vulkan/vulkan.h>

#include <functional>
#include <string>
#include <vector>

namespace vitrine::gpu::test {

/** Throws if the condition is false. For set-up that is not the subject of a test. */
void require(bool holds, const char* what);

/** What a test requests from a device. */
struct GpuOptions {
  bool validation = false;
  bool protectedMemory = true;
  bool protectedQueue = true;
  bool pipelineProtectedAccess = true;
  bool everything = false; ///< the newest Vulkan version and all extensions of the device
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
 * A raw Vulkan device, with helpers for breaking rules. It destroys everything that it created in its destructor. Tests
 * pass its Vulkan handles to Vulkan themselves.
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

  /** A memory type of those in `bits`: a protected one, or a host-visible one. */
  [[nodiscard]] uint32_t memoryType(uint32_t bits, bool isProtected) const;
  VkDeviceMemory allocate(const VkMemoryRequirements& requirements, bool isProtected);

  VkImage unboundImage(bool isProtected, VkFormat format = colorFormat,
                       VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT);
  TestImage image(bool isProtected, VkFormat format = colorFormat,
                  VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT);
  VkBuffer unboundBuffer(bool isProtected);
  /** Unprotected memory is zeroed. */
  TestBuffer buffer(bool isProtected);

  /** A command buffer that is recording. With `pass`: a secondary one, within that pass. */
  VkCommandBuffer commands(bool isProtected, VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                           VkRenderPass pass = VK_NULL_HANDLE);
  [[nodiscard]] VkCommandPool pool(bool isProtected) const { return pools_[isProtected]; }
  /** Transitions an image from undefined to GENERAL. */
  void prepare(VkCommandBuffer commands, const TestImage& image, VkImageAspectFlags aspect = VK_IMAGE_ASPECT_COLOR_BIT);

  /** A pass with colour attachment 0 and, if requested, input attachment 1. */
  VkRenderPass renderPass(VkAttachmentLoadOp load, bool hasInput = false);
  VkFramebuffer framebuffer(VkRenderPass pass, const std::vector<VkImageView>& views);
  /** A framebuffer for one colour image, protected or not. */
  VkFramebuffer imagelessFramebuffer(VkRenderPass pass, bool isProtected);
  VkShaderModule shader(const uint32_t* code, size_t bytes);
  VkPipeline graphicsPipeline(VkShaderModule vertex, VkShaderModule fragment, VkRenderPass pass,
                              VkPipelineLayout layout, VkPipelineCreateFlags flags = 0);
  VkPipeline computePipeline(VkShaderModule code, VkPipelineLayout layout, VkPipelineCreateFlags flags = 0);
  /** A layout of bindings from 0, with one descriptor each. */
  VkDescriptorSetLayout setLayout(const std::vector<VkDescriptorType>& types, VkShaderStageFlags stages);
  VkPipelineLayout pipelineLayout(VkDescriptorSetLayout set);
  VkDescriptorSet descriptorSet(VkDescriptorSetLayout layout);
  /** The whole buffer as unsigned words. */
  VkBufferView texels(const TestBuffer& buffer);
  void write(VkDescriptorSet set, uint32_t binding, const TestBuffer& buffer,
             VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);
  /** Includes a sampler; descriptor types without one ignore it. VK_DESCRIPTOR_TYPE_SAMPLER ignores the image. */
  void write(VkDescriptorSet set, uint32_t binding, const TestImage& image,
             VkDescriptorType type = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER);

  /** A pool of one occlusion query. */
  VkQueryPool queryPool();

  /** Ends the command buffer and submits it. */
  VkResult submit(VkCommandBuffer commands, bool isProtected);
  VkResult submit2(VkCommandBuffer commands, bool isProtected);

  /** Registers something to destroy in the destructor, in reverse order. */
  void atEnd(std::function<void()> destroy) { ends_.push_back(std::move(destroy)); }

private:
  void makeInstance(const GpuOptions& options);
  void makeDevice(const GpuOptions& options);
  std::vector<std::function<void()>> ends_;
  VkCommandPool pools_[2] = {}; ///< [isProtected]
};

/** Draws `source` (sampled) over all of `target`, in a pass of its own. Both images are in GENERAL. */
void recordCopyingDraw(Gpu& gpu, VkCommandBuffer commands, const TestImage& source, const TestImage& target);

/** Calls `broken`, and expects that the device is lost and that one line on stderr names `rule`. */
void expectLost(Gpu& gpu, const std::string& rule, const std::function<void()>& broken);

} // namespace vitrine::gpu::test
