#pragma once

#include <utility>

#include "protected-path/render/vulkan/vulkan_error.h"
#include "protected-path/render/vulkan/vulkan_functions.h"

namespace vitrine::vulkan {

/**
 * The one owner of a device-level object. `Destroy` is the member of DeviceFunctions that destroys it; as a template
 * argument it also makes each type distinct, even if non-dispatchable handles are all uint64_t. The Device must outlive
 * it.
 */
template<typename HandleType, auto Destroy>
class DeviceObject {
public:
  using Handle = HandleType;
  DeviceObject() = default;
  DeviceObject(const DeviceFunctions& vk, Handle handle) : vk_(&vk), handle_(handle) {}
  DeviceObject(DeviceObject&& other) noexcept
      : vk_(other.vk_), handle_(std::exchange(other.handle_, Handle(VK_NULL_HANDLE))) {}
  DeviceObject& operator=(DeviceObject&& other) noexcept {
    if (this != &other) {
      reset();
      vk_ = other.vk_;
      handle_ = std::exchange(other.handle_, Handle(VK_NULL_HANDLE));
    }
    return *this;
  }
  DeviceObject(const DeviceObject&) = delete;
  DeviceObject& operator=(const DeviceObject&) = delete;
  ~DeviceObject() { reset(); }

  [[nodiscard]] Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != VK_NULL_HANDLE; }

  void reset() {
    if (handle_ != VK_NULL_HANDLE) (vk_->*Destroy)(vk_->device, handle_, nullptr);
    handle_ = VK_NULL_HANDLE;
  }

private:
  const DeviceFunctions* vk_ = nullptr;
  Handle handle_ = VK_NULL_HANDLE;
};

using Image = DeviceObject<VkImage, &DeviceFunctions::DestroyImage>;
using ImageView = DeviceObject<VkImageView, &DeviceFunctions::DestroyImageView>;
using Buffer = DeviceObject<VkBuffer, &DeviceFunctions::DestroyBuffer>;
using Semaphore = DeviceObject<VkSemaphore, &DeviceFunctions::DestroySemaphore>;
using CommandPool = DeviceObject<VkCommandPool, &DeviceFunctions::DestroyCommandPool>;
using DescriptorPool = DeviceObject<VkDescriptorPool, &DeviceFunctions::DestroyDescriptorPool>;
using DescriptorSetLayout = DeviceObject<VkDescriptorSetLayout, &DeviceFunctions::DestroyDescriptorSetLayout>;
using PipelineLayout = DeviceObject<VkPipelineLayout, &DeviceFunctions::DestroyPipelineLayout>;
using Pipeline = DeviceObject<VkPipeline, &DeviceFunctions::DestroyPipeline>;
using PipelineCacheObject = DeviceObject<VkPipelineCache, &DeviceFunctions::DestroyPipelineCache>;
using RenderPass = DeviceObject<VkRenderPass, &DeviceFunctions::DestroyRenderPass>;
using Framebuffer = DeviceObject<VkFramebuffer, &DeviceFunctions::DestroyFramebuffer>;
using Sampler = DeviceObject<VkSampler, &DeviceFunctions::DestroySampler>;
using SamplerYcbcrConversion = DeviceObject<VkSamplerYcbcrConversion, &DeviceFunctions::DestroySamplerYcbcrConversion>;
using ShaderModule = DeviceObject<VkShaderModule, &DeviceFunctions::DestroyShaderModule>;

/** Calls `create` (a vkCreate…) and owns the new object. */
template<typename Object, typename Function, typename Info>
[[nodiscard]] Result<Object> makeObject(const DeviceFunctions& vk, Function create, const Info& info,
                                        const char* operation, std::string_view object = {}) {
  typename Object::Handle handle = VK_NULL_HANDLE;
  const VkResult result = create(vk.device, &info, nullptr, &handle);
  if (result != VK_SUCCESS) return vulkanError(operation, object, result);
  return Object(vk, handle);
}

} // namespace vitrine::vulkan
