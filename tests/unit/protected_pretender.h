#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protected-path/render/vulkan/vulkan_include.h"

/**
 * Linking protected_pretender.cpp makes the machine's Vulkan device claim protected memory: the feature, a queue flag
 * and a memory type that is really the ordinary one. It protects nothing; it lets tests see what the renderer does with
 * a device that could, and look into the memory afterwards, which real protected memory would not let them.
 */
namespace vitrine::test {

struct ProtectedCalls {
  uint64_t imports = 0;          ///< into the protected memory type
  uint64_t protectedSubmits = 0; ///< of command buffers from protected pools, with VkProtectedSubmitInfo
  uint64_t ordinarySubmits = 0;
  uint64_t mixedUp = 0;     ///< protected without ordinary's flag or the other way round
  uint64_t wrongFamily = 0; ///< devices, queues and command pools that are protected, of a family that is not
};
[[nodiscard]] ProtectedCalls& protectedCalls();

/** What one device says of itself. Protected memory takes all three. */
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
  std::string lacks;       ///< an extension
};

/** Which devices there seem to be from the next renderer on, in the driver's order; really all are the machine's first. */
void pretendDevices(std::vector<PretendedDevice> devices);

} // namespace vitrine::test
