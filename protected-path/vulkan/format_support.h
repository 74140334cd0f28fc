#pragma once

#include <optional>
#include <vector>

#include "protected-path/vulkan/device.h"
#include "protected-path/vulkan/vulkan_format.h"

namespace vitrine {

/** What dma-bufs and uploads a device takes, asked of the driver once. */
class FormatSupport {
public:
  explicit FormatSupport(const Device& device);

  [[nodiscard]] std::span<const FormatModifier> sampled() const { return sampled_; }
  [[nodiscard]] std::span<const FormatModifier> targets() const { return targets_; }
  [[nodiscard]] std::span<const uint32_t> uploads() const { return uploads_; }

  /**
   * Memory planes that a format with this modifier has: for RGB the driver's number, for YCbCr the format's colour
   * planes, each imported as an image of its own. Empty where it cannot be sampled.
   */
  [[nodiscard]] std::optional<unsigned> sampledMemoryPlanes(FormatModifier format) const;
  [[nodiscard]] std::optional<unsigned> targetMemoryPlanes(FormatModifier format) const;

private:
  struct Modifier {
    uint64_t value;
    unsigned planes;
    VkFormatFeatureFlags features;
  };
  [[nodiscard]] static std::vector<Modifier> modifiersOf(const Device& device, VkFormat format);
  void addSampled(const Device& device, const VulkanFormat& format);
  void addTargets(const Device& device, const VulkanFormat& format);
  std::vector<FormatModifier> sampled_;
  std::vector<unsigned> sampledPlanes_; ///< memory planes, entry by entry of sampled_
  std::vector<FormatModifier> targets_;
  std::vector<unsigned> targetPlanes_;
  std::vector<uint32_t> uploads_;
};

/** What an image for a dma-buf is to be. */
struct DmabufImageKind {
  VkFormat format = VK_FORMAT_UNDEFINED;
  uint64_t modifier = 0;
  VkImageUsageFlags usage = 0;
  bool isProtected = false;
};

/** Largest extent of such an image that the driver can import; empty where it can import none. */
[[nodiscard]] std::optional<Size> importableExtent(const Device& device, const DmabufImageKind& kind);

} // namespace vitrine
