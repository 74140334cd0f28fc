#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/platform/gpu/functions.h"
#include "tests/platform/gpu/render_node.h"

// What the driver remembers of the objects that lavapipe made, so that the rules of protected memory can be judged.

namespace vitrine::gpu {

/** A broken rule, in words that end up on stderr. */
struct Violation {
  std::string rule; ///< its VUID, or the section of the specification that has it
  std::string what; ///< command and objects
};

struct Device {
  VkDevice handle = VK_NULL_HANDLE;
  RenderNode node;
  uint32_t protectedType = 0;   ///< the memory type's index
  bool protectedMemory = false; ///< the feature is on
  bool pipelineProtectedAccess = false;
  bool protectedQueue = false; ///< its queue was created protected-capable
  bool lost = false;
};

struct Memory {
  bool isProtected = false;
  Fd original; ///< the protected dma-buf behind it; lavapipe has a view
};

/** An image or buffer, or a view of one. Copied into what refers to it: the answer never changes. */
struct Resource {
  uint64_t handle = 0; ///< of the image or buffer
  const char* kind = "image";
  bool isProtected = false;
};

struct RenderPass {
  std::vector<bool> written;  ///< of each attachment: some subpass writes it
  std::vector<bool> byItself; ///< of each attachment: the pass writes it without any draw, clearing or resolving
};

struct DescriptorSetLayout {
  std::map<uint32_t, uint32_t> counts; ///< descriptors of each binding
};

struct DescriptorSet {
  VkDescriptorPool pool = VK_NULL_HANDLE;
  DescriptorSetLayout layout;
  std::map<std::pair<uint32_t, uint32_t>, Resource>
      resources; ///< by binding and element; what was never written is absent
};

/** What shaders do with a binding of a set, as their code declares it. */
struct BindingUse {
  bool otherStage = false; ///< a shader of neither a framebuffer-space stage nor the compute stage declares it
  bool framebufferOrComputeWrites = false; ///< a fragment or compute shader declares it writable storage
  bool otherStageWrites = false;           ///< and there as writable storage
};

using BindingUses = std::map<std::pair<uint32_t, uint32_t>, BindingUse>; ///< by set and binding

struct Pipeline {
  VkPipelineCreateFlags flags = 0;
  BindingUses uses;
};

struct CommandBuffer {
  VkCommandPool pool = VK_NULL_HANDLE;
  bool isProtected = false;
  std::optional<Violation> violation;                 ///< the first one; strikes at the submit
  std::vector<std::pair<Resource, bool>> attachments; ///< of the running pass, each with whether draws write it
  std::map<VkPipelineBindPoint, VkPipeline> pipelines;
  std::map<std::pair<VkPipelineBindPoint, uint32_t>, VkDescriptorSet> sets;
  std::map<uint32_t, Resource> vertexBuffers;
  Resource indexBuffer;

  void restart();
};

struct State {
  // Devices are shared: a call that waits holds its device without the lock.
  std::mutex mutex; ///< protects all that follows
  std::unordered_map<VkDevice, std::shared_ptr<Device>> devices;
  std::unordered_map<VkQueue, std::shared_ptr<Device>> queues;
  std::unordered_map<VkDeviceMemory, Memory> memories;
  std::unordered_map<VkImage, Resource> images;
  std::unordered_map<VkBuffer, Resource> buffers;
  std::unordered_map<VkImageView, Resource> imageViews;
  std::unordered_map<VkBufferView, Resource> bufferViews;
  std::unordered_map<VkFramebuffer, std::vector<Resource>> framebuffers;
  std::unordered_map<VkRenderPass, RenderPass> renderPasses;
  std::unordered_map<VkDescriptorSetLayout, DescriptorSetLayout> setLayouts;
  std::unordered_map<VkDescriptorSet, DescriptorSet> sets;
  std::unordered_map<VkDescriptorUpdateTemplate, std::vector<VkDescriptorUpdateTemplateEntry>> templates;
  std::unordered_map<VkShaderModule, BindingUses> shaders;
  std::unordered_map<VkPipeline, Pipeline> pipelines;
  std::unordered_map<VkCommandPool, bool> protectedPools; ///< of every pool, whether it is
  std::unordered_map<VkCommandBuffer, CommandBuffer> commandBuffers;
  bool gone = false; ///< no device can be created any more (VITRINE_GPU_STAYS_GONE)

  /** Loses the device, with a line on stderr. Only the first violation of a device is told. */
  void lose(Device& device, const Violation& violation);
};

/** The one of this process: a driver is reached through C functions, which carry no context. */
State& state();

using Lock = std::scoped_lock<std::mutex>;

/** The entry of a map, or a default where the handle is null or not ours to know. */
template<typename Map>
typename Map::mapped_type lookUp(const Map& map, typename Map::key_type key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

/** A handle as resources have it. */
template<typename Handle>
uint64_t number(Handle handle) {
  return reinterpret_cast<uint64_t>(handle);
}

/** An image that this driver did not see made, as a swapchain's, is an unprotected one. */
Resource lookUpImage(VkImage image);

/** `image 0x1234`; `protected` or `unprotected` before it. */
std::string describe(const Resource& resource);
std::string describe(VkCommandBuffer handle, const CommandBuffer& buffer);

/** A structure of a pNext chain; null where there is none. */
template<typename Structure>
const Structure* findInChain(const void* chain, VkStructureType type) {
  for (auto* entry = static_cast<const VkBaseInStructure*>(chain); entry != nullptr; entry = entry->pNext) {
    if (entry->sType == type) return reinterpret_cast<const Structure*>(entry);
  }
  return nullptr;
}
template<typename Structure>
Structure* findInChain(void* chain, VkStructureType type) {
  return const_cast<Structure*>(findInChain<Structure>(static_cast<const void*>(chain), type));
}

} // namespace vitrine::gpu
