#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/platform/gpu/functions.h"

namespace vitrine::gpu {
namespace {

[[noreturn]] void noLavapipe(const std::string& why) {
  std::fprintf(stderr, "vitrine-gpu: no lavapipe, which does the work: %s\n", why.c_str());
  std::abort();
}

/** The library that lavapipe's manifest names. The dynamic linker finds a name without a folder. */
std::string libraryName() {
  for (const auto& entry : std::filesystem::directory_iterator("/usr/share/vulkan/icd.d")) {
    if (!entry.path().filename().string().starts_with("lvp_icd")) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator(file), {}};
    const size_t key = text.find("\"library_path\"");
    const size_t open = text.find('"', text.find(':', key));
    const size_t close = text.find('"', open + 1);
    if (key == std::string::npos || close == std::string::npos) noLavapipe(entry.path().string() + ": no library_path");
    return text.substr(open + 1, close - open - 1);
  }
  noLavapipe("/usr/share/vulkan/icd.d/lvp_icd*: not there");
}

Lavapipe open() {
  const std::string name = libraryName();
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) noLavapipe(dlerror());
  Lavapipe found;
  found.getInstanceProcAddr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vk_icdGetInstanceProcAddr"));
  found.getPhysicalDeviceProcAddr =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vk_icdGetPhysicalDeviceProcAddr"));
  found.negotiate =
      reinterpret_cast<decltype(found.negotiate)>(dlsym(library, "vk_icdNegotiateLoaderICDInterfaceVersion"));
  if (found.getInstanceProcAddr == nullptr || found.getPhysicalDeviceProcAddr == nullptr || found.negotiate == nullptr)
    noLavapipe(name + " is not a driver of this loader interface");
  found.CreateInstance =
      reinterpret_cast<PFN_vkCreateInstance>(found.getInstanceProcAddr(VK_NULL_HANDLE, "vkCreateInstance"));
  return found;
}

/** Looks a function up by its name, or by its name as an extension (for an instance of an older version). */
PFN_vkVoidFunction find(VkInstance instance, const std::string& name) {
  for (const char* suffix : {"", "KHR", "EXT"}) {
    if (const auto found = lavapipe().getInstanceProcAddr(instance, (name + suffix).c_str())) return found;
  }
  return nullptr;
}

} // namespace

Lavapipe& lavapipe() {
  static Lavapipe table = open();
  return table;
}

void loadLavapipe(VkInstance instance) {
#define VITRINE_GPU_LOAD(name)                                                                                         \
  if (lavapipe().name == nullptr) lavapipe().name = reinterpret_cast<PFN_vk##name>(find(instance, "vk" #name));
  VITRINE_GPU_FUNCTIONS(VITRINE_GPU_LOAD)
#undef VITRINE_GPU_LOAD
}

} // namespace vitrine::gpu
