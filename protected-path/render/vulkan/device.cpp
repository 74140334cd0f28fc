#include "protected-path/render/vulkan/device.h"

#include <vector>

namespace vitrine::vulkan {

Result<std::shared_ptr<Device>> Device::create(std::unique_ptr<Instance> instance, PhysicalDevice physical) {
  std::shared_ptr<Device> device(new Device(std::move(instance), std::move(physical)));
  const auto handle = device->createHandle();
  if (!handle) return std::unexpected(handle.error());
  auto functions = loadDeviceFunctions(device->instance_->vk(), *handle);
  if (!functions) {
    const auto destroy = device->instance_->vk().GetDeviceProcAddr(*handle, "vkDestroyDevice");
    if (destroy != nullptr) reinterpret_cast<PFN_vkDestroyDevice>(destroy)(*handle, nullptr);
    return std::unexpected(functions.error());
  }
  device->functions_ = *functions;
  const VkDeviceQueueInfo2 queue{
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
      .flags = device->hasProtectedMemory() ? VkDeviceQueueCreateFlags{VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT} : 0,
      .queueFamilyIndex = device->queueFamily()};
  functions->GetDeviceQueue2(*handle, &queue, &device->queue_);
  auto memory = MemoryAllocator::create(*device->instance_, device->physical_, device->functions_, device->counters);
  if (!memory) return std::unexpected(memory.error());
  device->memory_ = std::move(*memory);
  return device;
}

Result<VkDevice> Device::createHandle() const {
  const float priority = 1;
  const VkDeviceQueueCreateInfo queue{
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
      .flags = hasProtectedMemory() ? VkDeviceQueueCreateFlags{VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT} : 0,
      .queueFamilyIndex = queueFamily(),
      .queueCount = 1,
      .pQueuePriorities = &priority};
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES, .timelineSemaphore = VK_TRUE};
  VkPhysicalDeviceProtectedMemoryFeatures protection{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES, .protectedMemory = VK_TRUE};
  VkPhysicalDevicePipelineProtectedAccessFeaturesEXT access{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT,
      .pipelineProtectedAccess = VK_TRUE};
  VkPhysicalDeviceSamplerYcbcrConversionFeatures conversion{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SAMPLER_YCBCR_CONVERSION_FEATURES, .samplerYcbcrConversion = VK_TRUE};
  VkPhysicalDeviceYcbcr2Plane444FormatsFeaturesEXT twoPlane444{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_YCBCR_2_PLANE_444_FORMATS_FEATURES_EXT,
      .ycbcr2plane444Formats = VK_TRUE};
  void** next = &timeline.pNext;
  const auto enable = [&next](bool wanted, auto& feature) {
    if (!wanted) return;
    *next = &feature;
    next = &feature.pNext;
  };
  enable(hasProtectedMemory(), protection);
  enable(physical_.pipelineProtectedAccess, access);
  enable(physical_.samplerYcbcrConversion, conversion);
  enable(physical_.twoPlane444Formats, twoPlane444);
  std::vector<const char*> extensions = {
      VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
      VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME};
  if (physical_.explicitModifiers) extensions.push_back(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
  if (physical_.pipelineProtectedAccess) extensions.push_back(VK_EXT_PIPELINE_PROTECTED_ACCESS_EXTENSION_NAME);
  if (physical_.twoPlane444Formats) extensions.push_back(VK_EXT_YCBCR_2PLANE_444_FORMATS_EXTENSION_NAME);
  const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                .pNext = &timeline,
                                .queueCreateInfoCount = 1,
                                .pQueueCreateInfos = &queue,
                                .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
                                .ppEnabledExtensionNames = extensions.data()};
  VkDevice handle = VK_NULL_HANDLE;
  const VkResult result = instance_->vk().CreateDevice(physical_.handle, &info, nullptr, &handle);
  if (result != VK_SUCCESS) return vulkanError("vkCreateDevice", physical_.report.name, result);
  return handle;
}

Device::~Device() {
  if (functions_.device == VK_NULL_HANDLE) return;
  functions_.DeviceWaitIdle(functions_.device);
  memory_.reset();
  functions_.DestroyDevice(functions_.device, nullptr);
}

Result<> Device::submit(const VkSubmitInfo& info) {
  counters.submits += 1;
  const VkResult result = functions_.QueueSubmit(queue_, 1, &info, VK_NULL_HANDLE);
  if (result != VK_SUCCESS) return vulkanError("vkQueueSubmit", physical_.report.name, result);
  return {};
}

} // namespace vitrine::vulkan
