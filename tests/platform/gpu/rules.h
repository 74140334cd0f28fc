#pragma once

#include "tests/platform/gpu/state.h"

// The specification's protected memory access rules, for an implementation without protectedNoFault: what unprotected
// commands must not access, and what protected commands must not write.
// https://docs.vulkan.org/spec/latest/chapters/memory.html

namespace vitrine::gpu {

/** The section's anchor in the specification, for rules that it states as text without a VUID. */
inline constexpr const char* accessRules = "memory-protected-access-rules";

/**
 * A command that is being recorded. It holds the lock while it is checked. The command buffer keeps its first
 * violation.
 *
 * A rule is the number in `VUID-COMMAND-commandBuffer-NUMBER`, or else the whole name.
 */
class Recording {
public:
  Recording(VkCommandBuffer handle, const char* command)
      : lock_(state().mutex), handle_(handle), command_(command), buffer_(state().commandBuffers.at(handle)) {}

  CommandBuffer& buffer() { return buffer_; }
  [[nodiscard]] bool isProtected() const { return buffer_.isProtected; }

  /** The command must not be in a protected command buffer. */
  void onlyUnprotected(const char* rule);
  /** A read. Breaks `rule` if the resource is protected and the command buffer is not. */
  void reads(const Resource& resource, const char* rule);
  /** A read in a stage that must not access protected memory, not even in protected command buffers. */
  void readsInOtherStage(const Resource& resource, const char* rule);
  /** A write. As a read; also breaks `unprotectedRule` if the command buffer is protected and the resource is not. */
  void writes(const Resource& resource, const char* rule, const char* unprotectedRule);

  void reads(VkImage image, const char* rule) { reads(lookUpImage(image), rule); }
  void reads(VkBuffer buffer, const char* rule) { reads(lookUp(state().buffers, buffer), rule); }
  void writes(VkImage image, const char* rule, const char* unprotectedRule) {
    writes(lookUpImage(image), rule, unprotectedRule);
  }
  void writes(VkBuffer buffer, const char* rule, const char* unprotectedRule) {
    writes(lookUp(state().buffers, buffer), rule, unprotectedRule);
  }

  /** A draw's reads and writes of the current pass's attachments. */
  void drawsToAttachments(const char* rule, const char* unprotectedRule);

  void violates(const char* rule, const std::string& what);

private:
  Lock lock_;
  VkCommandBuffer handle_;
  const char* command_;
  CommandBuffer& buffer_;
};

} // namespace vitrine::gpu
