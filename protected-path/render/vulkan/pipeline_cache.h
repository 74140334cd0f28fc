#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "protected-path/render/vulkan/device.h"

namespace vitrine::vulkan {

/**
 * The driver's compiled pipelines, kept in a file from one renderer to the next:
 * `$XDG_CACHE_HOME/vitrine/pipelines-VENDOR-DEVICE-UUID` (else below `~/.cache`), with the device's
 * VkPhysicalDeviceProperties::pipelineCacheUUID, which differs from driver build to driver build. A file that is damaged
 * or from another device is ignored, with one line in the log. Nothing depends on the file but the time that pipelines
 * take. The destructor replaces it if pipelines were added.
 */
class PipelineCache {
public:
  /** Error: Vulkan. A file that cannot be read counts as absent. */
  [[nodiscard]] static Result<std::unique_ptr<PipelineCache>> create(std::shared_ptr<Device> device);
  PipelineCache(const PipelineCache&) = delete;
  PipelineCache& operator=(const PipelineCache&) = delete;
  ~PipelineCache();

  [[nodiscard]] VkPipelineCache get() const { return handle_.get(); }

private:
  explicit PipelineCache(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  [[nodiscard]] Result<std::vector<std::byte>> compiled() const;
  [[nodiscard]] Result<> write(std::span<const std::byte> data) const;
  std::shared_ptr<Device> device_;
  PipelineCacheObject handle_;
  std::filesystem::path file_;   ///< empty: no folder for it is known
  std::vector<std::byte> known_; ///< what the file has
};

} // namespace vitrine::vulkan
