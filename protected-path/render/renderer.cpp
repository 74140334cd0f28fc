#include "protected-path/render/renderer.h"

#include <filesystem>

#include "protected-path/base/log.h"
#include "protected-path/render/pixman/pixman_renderer.h"
#include "protected-path/render/vulkan/vulkan_renderer.h"

namespace vitrine {

RendererCounters& RendererCounters::operator+=(const RendererCounters& other) {
  submits += other.submits;
  imports += other.imports;
  allocations += other.allocations;
  pipelines += other.pipelines;
  pixelsDrawn += other.pixelsDrawn;
  placeholdersDrawn += other.placeholdersDrawn;
  validationMessages += other.validationMessages;
  return *this;
}

bool isDeviceLost(const Error& error) {
  return error.kind == ErrorKind::Vulkan && error.number == VK_ERROR_DEVICE_LOST;
}

namespace {

/** Whether the machine has a GPU. */
bool hasRenderNode() {
  std::error_code ignored; // without /dev/dri there is none
  for (const auto& entry : std::filesystem::directory_iterator("/dev/dri", ignored)) {
    if (entry.path().filename().string().starts_with("renderD")) return true;
  }
  return false;
}

} // namespace

std::vector<VulkanDeviceReport> listGpus() {
  return hasRenderNode() ? listVulkanDevices() : std::vector<VulkanDeviceReport>();
}

Result<std::unique_ptr<Renderer>> Renderer::create(const Options& options) {
  if (options.deviceName.empty() && !hasRenderNode()) {
    auto renderer = std::make_unique<pixman::PixmanRenderer>();
    log("render").info("composing on the CPU ({}): there is no render node in /dev/dri. Protected content is shown on "
                       "planes only",
                       renderer->device().driver);
    return renderer;
  }
  auto renderer = vulkan::VulkanRenderer::create(options);
  if (!renderer) return std::unexpected(renderer.error());
  return std::unique_ptr<Renderer>(std::move(*renderer));
}

} // namespace vitrine
