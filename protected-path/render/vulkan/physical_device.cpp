#include "protected-path/render/vulkan/physical_device.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <format>
#include <string_view>
#include <tuple>

#include "protected-path/base/log.h"
#include "protected-path/render/vulkan/vulkan_error.h"

namespace vitrine::vulkan {
namespace {

constexpr const char* requiredExtensions[] = {
    VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
    VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME};

class ExtensionList {
public:
  [[nodiscard]] static Result<ExtensionList> of(const InstanceFunctions& vk, VkPhysicalDevice device,
                                                std::string_view name) {
    ExtensionList list;
    uint32_t count = 0;
    VkResult result = vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
    list.extensions_.resize(count);
    if (result == VK_SUCCESS) {
      result = vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, list.extensions_.data());
    }
    if (result < VK_SUCCESS) return vulkanError("vkEnumerateDeviceExtensionProperties", name, result);
    return list;
  }
  [[nodiscard]] bool has(std::string_view name) const {
    return std::ranges::any_of(extensions_, [&](const auto& extension) { return name == extension.extensionName; });
  }

private:
  std::vector<VkExtensionProperties> extensions_;
};

/** A graphics queue family; with `protectedSubmits`, one that accepts protected submits. Empty if there is none. */
std::optional<uint32_t> findQueueFamily(const InstanceFunctions& vk, VkPhysicalDevice device, bool protectedSubmits) {
  uint32_t count = 0;
  vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  const VkQueueFlags wanted =
      VK_QUEUE_GRAPHICS_BIT | (protectedSubmits ? VkQueueFlags{VK_QUEUE_PROTECTED_BIT} : VkQueueFlags{});
  for (uint32_t family = 0; family < count; ++family) {
    if ((families[family].queueFlags & wanted) == wanted) return family;
  }
  return std::nullopt;
}

bool hasProtectedMemoryType(const InstanceFunctions& vk, VkPhysicalDevice device) {
  VkPhysicalDeviceMemoryProperties memory{};
  vk.GetPhysicalDeviceMemoryProperties(device, &memory);
  for (uint32_t type = 0; type < memory.memoryTypeCount; ++type) {
    if ((memory.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_PROTECTED_BIT) != 0) return true;
  }
  return false;
}

bool syncFilesWork(const InstanceFunctions& vk, VkPhysicalDevice device) {
  const VkPhysicalDeviceExternalSemaphoreInfo info{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
                                                   .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
  VkExternalSemaphoreProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
  vk.GetPhysicalDeviceExternalSemaphoreProperties(device, &info, &properties);
  constexpr VkExternalSemaphoreFeatureFlags both =
      VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
  return (properties.externalSemaphoreFeatures & both) == both;
}

/** The device nodes of a device, as VK_EXT_physical_device_drm names them. */
void readNodes(const InstanceFunctions& vk, PhysicalDevice& device) {
  VkPhysicalDeviceDrmPropertiesEXT drm{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRM_PROPERTIES_EXT};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &drm};
  vk.GetPhysicalDeviceProperties2(device.handle, &properties);
  if (drm.hasRender == VK_TRUE) device.report.renderNode = std::format("/dev/dri/renderD{}", drm.renderMinor);
  if (drm.hasPrimary == VK_TRUE)
    device.primaryNode = makedev(static_cast<unsigned>(drm.primaryMajor), static_cast<unsigned>(drm.primaryMinor));
}

void readLimits(const VkPhysicalDeviceLimits& limits, PhysicalDevice& device) {
  device.maximumAllocations = limits.maxMemoryAllocationCount;
  device.maximumTextureExtent = std::min(limits.maxImageDimension2D, Dmabuf::maximumExtent);
  device.maximumTargetExtent =
      std::min({device.maximumTextureExtent, limits.maxFramebufferWidth, limits.maxFramebufferHeight,
                limits.maxViewportDimensions[0], limits.maxViewportDimensions[1]});
}

bool hasPipelineProtectedAccess(const InstanceFunctions& vk, VkPhysicalDevice device) {
  VkPhysicalDevicePipelineProtectedAccessFeaturesEXT access{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &access};
  vk.GetPhysicalDeviceFeatures2(device, &features);
  return access.pipelineProtectedAccess == VK_TRUE;
}

bool hasTwoPlane444Formats(const InstanceFunctions& vk, VkPhysicalDevice device) {
  VkPhysicalDeviceYcbcr2Plane444FormatsFeaturesEXT formats{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_YCBCR_2_PLANE_444_FORMATS_FEATURES_EXT};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &formats};
  vk.GetPhysicalDeviceFeatures2(device, &features);
  return formats.ycbcr2plane444Formats == VK_TRUE;
}

/** Reads name, driver, version, and protected memory. */
void readProperties(const InstanceFunctions& vk, PhysicalDevice& device) {
  VkPhysicalDeviceProperties version{};
  vk.GetPhysicalDeviceProperties(device.handle, &version);
  device.report.name = version.deviceName;
  device.report.apiVersion = version.apiVersion;
  device.type = version.deviceType;
  device.vendorId = version.vendorID;
  device.deviceId = version.deviceID;
  std::ranges::copy(version.pipelineCacheUUID, device.pipelineCacheUuid.begin());
  device.report.softwareRasterizer = version.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  // llvmpipe writes whole blocks of 4 × 4 pixels, also past the last row, and no query says so. Without those rows in
  // the target's memory it would crash. The same is assumed of other software rasterizers.
  if (device.report.softwareRasterizer) device.report.targetRowMultiple = 4;
  if (version.apiVersion < VK_API_VERSION_1_2) return; // it does not know the structures below
  VkPhysicalDeviceDriverProperties driver{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceProtectedMemoryProperties protection{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_PROPERTIES, .pNext = &driver};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &protection};
  vk.GetPhysicalDeviceProperties2(device.handle, &properties);
  readLimits(properties.properties.limits, device);
  device.report.driver = std::format("{} {}", driver.driverName, driver.driverInfo);
  VkPhysicalDeviceProtectedMemoryFeatures feature{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES};
  VkPhysicalDeviceSamplerYcbcrConversionFeatures conversion{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SAMPLER_YCBCR_CONVERSION_FEATURES, .pNext = &feature};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &conversion};
  vk.GetPhysicalDeviceFeatures2(device.handle, &features);
  device.samplerYcbcrConversion = conversion.samplerYcbcrConversion == VK_TRUE;
  // The feature alone is not enough: a memory type and a queue for protected submits are needed, too.
  device.report.gpu.protectedMemory = feature.protectedMemory == VK_TRUE && hasProtectedMemoryType(vk, device.handle) &&
                                      findQueueFamily(vk, device.handle, true).has_value();
  device.report.protectedNoFault = device.report.gpu.protectedMemory && protection.protectedNoFault == VK_TRUE;
}

Result<PhysicalDevice> inspect(const InstanceFunctions& vk, VkPhysicalDevice handle) {
  PhysicalDevice device{.handle = handle};
  VulkanDeviceReport& report = device.report;
  readProperties(vk, device);
  const auto listed = ExtensionList::of(vk, handle, report.name);
  if (!listed) return std::unexpected(listed.error());
  const ExtensionList& extensions = *listed;
  if (report.apiVersion < VK_API_VERSION_1_2) report.missingExtensions.emplace_back("Vulkan 1.2");
  for (const char* name : requiredExtensions) {
    if (!extensions.has(name)) report.missingExtensions.emplace_back(name);
  }
  if (report.missingExtensions.empty() && !syncFilesWork(vk, handle)) {
    report.missingExtensions.emplace_back("semaphores as sync files");
  }
  const auto family = findQueueFamily(vk, handle, report.gpu.protectedMemory);
  if (!family) report.missingExtensions.emplace_back("a graphics queue");
  device.queueFamily = family.value_or(0);
  if (extensions.has(VK_EXT_PHYSICAL_DEVICE_DRM_EXTENSION_NAME)) readNodes(vk, device);
  device.pipelineProtectedAccess = report.gpu.protectedMemory &&
                                   extensions.has(VK_EXT_PIPELINE_PROTECTED_ACCESS_EXTENSION_NAME) &&
                                   hasPipelineProtectedAccess(vk, handle);
  device.explicitModifiers = extensions.has(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
  device.twoPlane444Formats = device.samplerYcbcrConversion &&
                              extensions.has(VK_EXT_YCBCR_2PLANE_444_FORMATS_EXTENSION_NAME) &&
                              hasTwoPlane444Formats(vk, handle);
  report.gpu.present = true;
  report.gpu.dmabufImport = extensions.has(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
  if (!report.gpu.dmabufImport) {
    report.refusal = Refusal::GpuNoDmabufImport;
  } else if (!report.gpu.protectedMemory) {
    report.refusal = Refusal::GpuNoProtectedMemory;
  }
  return device;
}

int rankOf(VkPhysicalDeviceType type) {
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return 4;
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return 3;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return 2;
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return 1;
  default:
    return 0;
  }
}

/** More is better, from the first number on. */
std::tuple<bool, bool, int> rank(const PhysicalDevice& device, dev_t display) {
  return {device.report.gpu.protectedMemory, display != 0 && device.primaryNode == display, rankOf(device.type)};
}

std::string describeLacks(const std::vector<PhysicalDevice>& devices, const std::string& name) {
  if (devices.empty()) return "no Vulkan device";
  std::string text;
  for (const PhysicalDevice& device : devices) {
    if (!text.empty()) text += "; ";
    text += device.report.name + " ";
    if (device.report.name.find(name) == std::string::npos) {
      text += std::format("is not `{}`", name);
      continue;
    }
    text += "lacks";
    for (const std::string& lack : device.report.missingExtensions)
      text += " " + lack;
  }
  return text;
}

} // namespace

Result<std::vector<PhysicalDevice>> inspectPhysicalDevices(const Instance& instance) {
  const InstanceFunctions& vk = instance.vk();
  uint32_t count = 0;
  VkResult result = vk.EnumeratePhysicalDevices(instance.handle(), &count, nullptr);
  std::vector<VkPhysicalDevice> handles(count);
  if (result == VK_SUCCESS) result = vk.EnumeratePhysicalDevices(instance.handle(), &count, handles.data());
  if (result < VK_SUCCESS) return vulkanError("vkEnumeratePhysicalDevices", "", result);
  handles.resize(count); // a device may have been removed since they were counted
  std::vector<PhysicalDevice> devices;
  devices.reserve(count);
  for (VkPhysicalDevice handle : handles) {
    auto device = inspect(vk, handle);
    if (!device) {
      log("vulkan").warn("{}; going on without this device", device.error().text());
      continue;
    }
    devices.push_back(std::move(*device));
  }
  return devices;
}

Result<PhysicalDevice> choosePhysicalDevice(std::vector<PhysicalDevice> devices, const std::string& name,
                                            dev_t display) {
  const PhysicalDevice* best = nullptr;
  for (const PhysicalDevice& device : devices) {
    if (!device.composes() || device.report.name.find(name) == std::string::npos) continue;
    if (best == nullptr || rank(device, display) > rank(*best, display)) best = &device;
  }
  if (best == nullptr) {
    return refused(Refusal::GpuAbsent, "choose Vulkan device", describeLacks(devices, name),
                   "install a Vulkan driver; mesa-vulkan-drivers has one for every CPU");
  }
  return *best;
}

} // namespace vitrine::vulkan
