#pragma once

#include <atomic>
#include <memory>

#include "protected-path/render/vulkan/vulkan_functions.h"

namespace vitrine::vulkan {

/** A VkInstance, with the validation layer if requested. */
class Instance {
public:
  /** Errors: Missing if the loader or the validation layer is absent; Vulkan otherwise. */
  [[nodiscard]] static Result<std::unique_ptr<Instance>> create(bool validation);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  [[nodiscard]] const InstanceFunctions& vk() const { return functions_; }
  [[nodiscard]] VkInstance handle() const { return handle_; }
  /** Warnings and errors of the validation layer so far. */
  [[nodiscard]] uint64_t validationMessages() const { return validationMessages_; }

private:
  Instance() = default;
  [[nodiscard]] Result<> watchValidation();
  static VKAPI_ATTR VkBool32 VKAPI_CALL onMessage(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                  VkDebugUtilsMessageTypeFlagsEXT types,
                                                  const VkDebugUtilsMessengerCallbackDataEXT* data, void* self);
  VkInstance handle_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  InstanceFunctions functions_;
  std::atomic<uint64_t> validationMessages_ = 0; ///< atomic: drivers may call back from their own threads
};

} // namespace vitrine::vulkan
