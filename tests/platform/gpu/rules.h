#pragma once

#include "tests/platform/gpu/state.h"

// The specification's protected memory access rules, for an implementation without protectedNoFault: what unprotected
// commands may not touch, and protected ones not write. https://docs.vulkan.org/spec/latest/chapters/memory.html

namespace vitrine::gpu {

/** For what the rules forbid in prose and no VUID names: the section's anchor in the specification. */
inline constexpr const char* accessRules = "memory-protected-access-rules";

/**
 * A command being recorded, with the lock held while it is judged. The command buffer's first violation is kept.
 *
 * A rule is the number of `VUID-COMMAND-commandBuffer-NUMBER`, which most are, or else the whole name.
 */
class Recording {
public:
  Recording(VkCommandBuffer handle, const char* command)
      : lock_(state().mutex), handle_(handle), command_(command), buffer_(state().commandBuffers.at(handle)) {}

  CommandBuffer& buffer() { return buffer_; }
  [[nodiscard]] bool isProtected() const { return buffer_.isProtected; }

  /** The command may not be in a protected command buffer at all. */
  void onlyUnprotected(const char* rule);
  /** Read: `rule` if the resource is protected and the command buffer isn't. */
  void reads(const Resource& resource, const char* rule);
  /** Read in a stage that may not touch protected memory in protected command buffers either. */
  void readsInOtherStage(const Resource& resource, const char* rule);
  /** Written: besides, `unprotectedRule` if the command buffer is protected and the resource isn't. */
  void writes(const Resource& resource, const char* rule, const char* unprotectedRule);

  void reads(VkImage image, const char* rule) { reads(lookUpImage(image), rule); }
  void reads(VkBuffer buffer, const char* rule) { reads(lookUp(state().buffers, buffer), rule); }
  void writes(VkImage image, const char* rule, const char* unprotectedRule) {
    writes(lookUpImage(image), rule, unprotectedRule);
  }
  void writes(VkBuffer buffer, const char* rule, const char* unprotectedRule) {
    writes(lookUp(state().buffers, buffer), rule, unprotectedRule);
  }

  /** What draws do to the running pass's attachments. */
  void drawsToAttachments(const char* rule, const char* unprotectedRule);

  void violates(const char* rule, const std::string& what);

private:
  Lock lock_;
  VkCommandBuffer handle_;
  const char* command_;
  CommandBuffer& buffer_;
};

} // namespace vitrine::gpu
