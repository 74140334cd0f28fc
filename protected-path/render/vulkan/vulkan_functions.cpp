#include "protected-path/render/vulkan/vulkan_functions.h"

namespace vitrine::vulkan {
namespace {

std::unexpected<Error> lacks(const char* getter, const char* name) {
  return missing(getter, name, "the Vulkan loader or driver lacks this function", "update the Vulkan driver");
}

} // namespace

#define VITRINE_LOAD(name)                                                                                             \
  functions.name = reinterpret_cast<PFN_vk##name>(load("vk" #name));                                                   \
  if (functions.name == nullptr) return lacks(getter, "vk" #name);

Result<GlobalFunctions> loadGlobalFunctions() {
  constexpr const char* getter = "vkGetInstanceProcAddr";
  const auto load = [](const char* name) { return vkGetInstanceProcAddr(VK_NULL_HANDLE, name); };
  GlobalFunctions functions;
  VITRINE_GLOBAL_FUNCTIONS(VITRINE_LOAD)
  return functions;
}

Result<InstanceFunctions> loadInstanceFunctions(VkInstance instance) {
  constexpr const char* getter = "vkGetInstanceProcAddr";
  const auto load = [&](const char* name) { return vkGetInstanceProcAddr(instance, name); };
  InstanceFunctions functions;
  VITRINE_INSTANCE_FUNCTIONS(VITRINE_LOAD)
  return functions;
}

Result<DeviceFunctions> loadDeviceFunctions(const InstanceFunctions& vk, VkDevice device) {
  constexpr const char* getter = "vkGetDeviceProcAddr";
  const auto load = [&](const char* name) { return vk.GetDeviceProcAddr(device, name); };
  DeviceFunctions functions;
  functions.device = device;
  VITRINE_DEVICE_FUNCTIONS(VITRINE_LOAD)
  return functions;
}

#undef VITRINE_LOAD

} // namespace vitrine::vulkan
