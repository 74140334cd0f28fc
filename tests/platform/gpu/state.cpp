#include "tests/platform/gpu/state.h"

#include <cstdio>
#include <format>

namespace vitrine::gpu {

State& state() {
  static State& made = *new State; // never destroyed: threads may call the driver while the program exits
  return made;
}

void State::lose(Device& device, const Violation& violation) {
  if (device.lost) return;
  device.lost = true;
  std::fprintf(stderr, "vitrine-gpu: %s: %s; device %p is lost\n", violation.rule.c_str(), violation.what.c_str(),
               static_cast<void*>(device.handle));
}

void CommandBuffer::restart() {
  violation.reset();
  attachments.clear();
  pipelines.clear();
  sets.clear();
  vertexBuffers.clear();
  indexBuffer = {};
}

Resource lookUpImage(VkImage image) {
  const auto found = state().images.find(image);
  return found == state().images.end() ? Resource{number(image), "image", false} : found->second;
}

std::string describe(const Resource& resource) {
  return std::format("{} {} {:#x}", resource.isProtected ? "protected" : "unprotected", resource.kind, resource.handle);
}

std::string describe(VkCommandBuffer handle, const CommandBuffer& buffer) {
  return std::format("{} command buffer {}", buffer.isProtected ? "protected" : "unprotected",
                     static_cast<const void*>(handle));
}

} // namespace vitrine::gpu
