#pragma once

#include <memory>

#include "protected-path/render/vulkan/memory_allocator.h"
#include "protected-path/render/vulkan/vulkan_handle.h"

namespace vitrine::vulkan {

/**
 * The VkDevice with its one queue. Shared by the renderer and by every texture and target, because those may outlive
 * the renderer. The last owner destroys it.
 */
class Device {
public:
  [[nodiscard]] static Result<std::shared_ptr<Device>> create(std::unique_ptr<Instance> instance,
                                                              PhysicalDevice physical);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  [[nodiscard]] const DeviceFunctions& vk() const { return functions_; }
  [[nodiscard]] const Instance& instance() const { return *instance_; }
  [[nodiscard]] const PhysicalDevice& physical() const { return physical_; }
  [[nodiscard]] bool hasProtectedMemory() const { return physical_.report.gpu.protectedMemory; }
  [[nodiscard]] uint32_t queueFamily() const { return physical_.queueFamily; }

  [[nodiscard]] MemoryAllocator& memory() { return *memory_; }
  /** vkQueueSubmit of one batch, counted. */
  [[nodiscard]] Result<> submit(const VkSubmitInfo& info);

  RendererCounters counters;

private:
  Device(std::unique_ptr<Instance> instance, PhysicalDevice physical)
      : instance_(std::move(instance)), physical_(std::move(physical)) {}
  [[nodiscard]] Result<VkDevice> createHandle() const;
  std::unique_ptr<Instance> instance_;
  PhysicalDevice physical_;
  DeviceFunctions functions_;
  VkQueue queue_ = VK_NULL_HANDLE;
  std::unique_ptr<MemoryAllocator> memory_;
};

} // namespace vitrine::vulkan
