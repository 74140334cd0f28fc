#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protected-path/render/vulkan/vulkan_include.h"

/**
 * A mock. Linking protected_pretender.cpp makes the machine's Vulkan device claim protected memory: the feature, a
 * queue flag, and a memory type that is really the ordinary one. It protects nothing. Tests use it to see how the
 * renderer uses such a device, and to read the memory afterwards, which real protected memory does not allow.
 */
namespace vitrine::test {

struct ProtectedCalls {
  uint64_t imports = 0;          ///< into the protected memory type
  uint64_t protectedSubmits = 0; ///< of command buffers from protected pools, with VkProtectedSubmitInfo
  uint64_t ordinarySubmits = 0;
  uint64_t mixedUp = 0;     ///< objects whose protected flag does not match their use
  uint64_t wrongFamily = 0; ///< protected devices, queues and command pools of a family without protected submits
};
[[nodiscard]] ProtectedCalls& protectedCalls();

/** The claims of one device. Protected memory needs all three. */
struct PretendedDevice {
  std::string name = "pretender";
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_CPU;
  bool feature = true;
  bool queue = true;
  bool memoryType = true;
  bool plainFamilyFirst = false; ///< a queue family before the driver's own, without protected submits
  bool graphics = true;
  bool syncFiles = true;   ///< semaphores can be
  uint32_t apiVersion = 0; ///< 0: the driver's
  std::string lacks;       ///< an extension that the device does not have
};

/**
 * The devices that the next renderers see, in the driver's order. All of them are really the machine's first device.
 */
void pretendDevices(std::vector<PretendedDevice> devices);

} // namespace vitrine::test
