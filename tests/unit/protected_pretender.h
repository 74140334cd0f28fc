#pragma once

#include <cstdint>

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
  uint64_t mixedUp = 0; ///< protected without ordinary's flag or the other way round
};
[[nodiscard]] ProtectedCalls& protectedCalls();

} // namespace vitrine::test
