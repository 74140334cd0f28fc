// The driver's entry points for the Vulkan loader. Functions are looked up by name. Functions that this driver does not
// implement are lavapipe's, and so are all handles.

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/platform/gpu/facts.h"
#include "tests/platform/gpu/functions.h"

namespace vitrine::gpu {
namespace {

struct Named {
  std::string_view name;
  PFN_vkVoidFunction function;
};

#define VITRINE_GPU_ENTRY(name) Named{"vk" #name, reinterpret_cast<PFN_vkVoidFunction>(&entry::name)},
const std::array entries{VITRINE_GPU_FUNCTIONS(VITRINE_GPU_ENTRY)};
#undef VITRINE_GPU_ENTRY

PFN_vkVoidFunction find(std::string_view name) {
  for (const Named& entry : entries) {
    if (entry.name == name) return entry.function;
  }
  return nullptr;
}

/** This driver's function, if lavapipe has it. A promoted function is also found by its name as an extension. */
PFN_vkVoidFunction replaced(std::string_view name, PFN_vkVoidFunction lavapipes) {
  if (lavapipes == nullptr) return nullptr;
  // Lavapipe has it with VK_KHR_descriptor_update_template alone. It is for push descriptors, which are not offered.
  if (name.starts_with("vkCmdPushDescriptorSetWithTemplate")) return nullptr;
  if (const auto ours = find(name)) return ours;
  for (const std::string_view suffix : {"KHR", "EXT"}) {
    if (!name.ends_with(suffix)) continue;
    if (const auto ours = find(name.substr(0, name.size() - suffix.size()))) return ours;
  }
  return lavapipes;
}

PFN_vkVoidFunction getInstanceProcAddr(VkInstance instance, const char* name) {
  return replaced(name, lavapipe().getInstanceProcAddr(instance, name));
}

} // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL entry::GetDeviceProcAddr(VkDevice device, const char* name) {
  return replaced(name, lavapipe().GetDeviceProcAddr(device, name));
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateInstance(const VkInstanceCreateInfo* info,
                                                     const VkAllocationCallbacks* callbacks, VkInstance* instance) {
  // Lavapipe offers the functions of the version that the program requests, which may be newer than this driver's.
  VkApplicationInfo application = info->pApplicationInfo == nullptr ? VkApplicationInfo{} : *info->pApplicationInfo;
  application.apiVersion = std::min(application.apiVersion, apiVersion);
  VkInstanceCreateInfo limited = *info;
  if (info->pApplicationInfo != nullptr) limited.pApplicationInfo = &application;
  const VkResult result = lavapipe().CreateInstance(&limited, callbacks, instance);
  if (result == VK_SUCCESS) loadLavapipe(*instance);
  return result;
}

} // namespace vitrine::gpu

#define VITRINE_GPU_EXPORT extern "C" __attribute__((visibility("default"))) VKAPI_ATTR

VITRINE_GPU_EXPORT VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
  return vitrine::gpu::lavapipe().negotiate(version);
}

VITRINE_GPU_EXPORT PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance, const char* name) {
  return vitrine::gpu::getInstanceProcAddr(instance, name);
}

VITRINE_GPU_EXPORT PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance instance,
                                                                                 const char* name) {
  return vitrine::gpu::replaced(name, vitrine::gpu::lavapipe().getPhysicalDeviceProcAddr(instance, name));
}
