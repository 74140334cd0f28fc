#include "protected-path/render/vulkan/instance.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "protected-path/base/log.h"
#include "protected-path/render/vulkan/vulkan_error.h"

namespace vitrine::vulkan {
namespace {

constexpr const char* validationLayer = "VK_LAYER_KHRONOS_validation";

Result<> requireValidationLayer(const GlobalFunctions& vk) {
  uint32_t count = 0;
  VkResult result = vk.EnumerateInstanceLayerProperties(&count, nullptr);
  std::vector<VkLayerProperties> layers(count);
  if (result == VK_SUCCESS) result = vk.EnumerateInstanceLayerProperties(&count, layers.data());
  if (result < VK_SUCCESS) return vulkanError("vkEnumerateInstanceLayerProperties", validationLayer, result);
  const bool found = std::ranges::any_of(
      layers, [](const VkLayerProperties& layer) { return std::string_view(layer.layerName) == validationLayer; });
  if (found) return {};
  return missing("vkCreateInstance", validationLayer, "the layer is not installed",
                 "install vulkan-validationlayers, or run without validation");
}

/** A function outside InstanceFunctions: one of an extension, or one that is needed before those are loaded. */
template<typename Function>
Function lookUp(VkInstance instance, const char* name) {
  return reinterpret_cast<Function>(vkGetInstanceProcAddr(instance, name));
}

Result<VkInstance> createHandle(const GlobalFunctions& vk, bool validation) {
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pApplicationName = "vitrine",
                                      .pEngineName = "vitrine",
                                      .apiVersion = VK_API_VERSION_1_2};
  const VkValidationFeatureEnableEXT enabled[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  const VkValidationFeaturesEXT features{.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                         .enabledValidationFeatureCount = 1,
                                         .pEnabledValidationFeatures = enabled};
  const char* extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
  VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
  if (validation) {
    info.pNext = &features;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &validationLayer;
    info.enabledExtensionCount = 2;
    info.ppEnabledExtensionNames = extensions;
  }
  VkInstance handle = VK_NULL_HANDLE;
  const VkResult result = vk.CreateInstance(&info, nullptr, &handle);
  if (result != VK_SUCCESS) return vulkanError("vkCreateInstance", "Vulkan 1.2", result);
  return handle;
}

} // namespace

Result<std::unique_ptr<Instance>> Instance::create(bool validation) {
  const auto global = loadGlobalFunctions();
  if (!global) return std::unexpected(global.error());
  if (validation) {
    if (auto layer = requireValidationLayer(*global); !layer) return std::unexpected(layer.error());
  }
  const auto handle = createHandle(*global, validation);
  if (!handle) return std::unexpected(handle.error());
  std::unique_ptr<Instance> instance(new Instance);
  instance->handle_ = *handle;
  auto functions = loadInstanceFunctions(*handle);
  if (!functions) return std::unexpected(functions.error());
  instance->functions_ = *functions;
  if (validation) {
    if (auto watched = instance->watchValidation(); !watched) return std::unexpected(watched.error());
  }
  return instance;
}

Instance::~Instance() {
  if (messenger_ != VK_NULL_HANDLE) {
    const auto destroy = lookUp<PFN_vkDestroyDebugUtilsMessengerEXT>(handle_, "vkDestroyDebugUtilsMessengerEXT");
    if (destroy != nullptr) destroy(handle_, messenger_, nullptr);
  }
  // Looked up here, because functions_ is empty if loading them failed.
  if (const auto destroy = lookUp<PFN_vkDestroyInstance>(handle_, "vkDestroyInstance")) destroy(handle_, nullptr);
}

Result<> Instance::watchValidation() {
  const auto create = lookUp<PFN_vkCreateDebugUtilsMessengerEXT>(handle_, "vkCreateDebugUtilsMessengerEXT");
  if (create == nullptr) {
    return missing("vkGetInstanceProcAddr", "vkCreateDebugUtilsMessengerEXT", "the loader lacks this function");
  }
  const VkDebugUtilsMessengerCreateInfoEXT info{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                                                .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                                                   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
                                                .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
                                                .pfnUserCallback = &Instance::onMessage,
                                                .pUserData = this};
  const VkResult result = create(handle_, &info, nullptr, &messenger_);
  if (result != VK_SUCCESS) return vulkanError("vkCreateDebugUtilsMessengerEXT", "", result);
  return {};
}

VkBool32 Instance::onMessage(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT,
                             const VkDebugUtilsMessengerCallbackDataEXT* data, void* self) {
  static_cast<Instance*>(self)->validationMessages_ += 1;
  const bool isError = (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT) != 0;
  log("vulkan").log(isError ? spdlog::level::err : spdlog::level::warn, "validation: {}", data->pMessage);
  return VK_FALSE;
}

} // namespace vitrine::vulkan
