#pragma once

#include <optional>
#include <vector>

#include "protected-path/render/vulkan/device.h"
#include "protected-path/render/vulkan/vulkan_format.h"
#include "protected-path/render/vulkan/ycc_sampler.h"

namespace vitrine::vulkan {

/** One way to import dma-bufs of a format and modifier to sample them. */
struct SampledImport {
  YccImport way = YccImport::PlaneByPlane; ///< RGB: its one image
  unsigned memoryPlanes = 1;               ///< that such a dma-buf must have
  YccSamplerKey sampler;                   ///< OneImage only
};

/**
 * What dma-bufs and uploads a device takes, asked of the driver once.
 *
 * YCbCr dma-bufs may be importable in two ways. LINEAR ones go plane by plane where they can: drm_fourcc.h defines each
 * plane's layout by itself, the planes may lie in several dma-bufs, odd sizes need no rounding, and no driver's
 * conversion takes part. With any other modifier one image is preferred, for only then is the driver told what the
 * buffer is: a layout may depend on the format, and a plane that is called R8 need not be laid out as the NV12 plane
 * that it is. Plane by plane stays the second way, since many drivers list a modifier for R8 and R8G8 alone. What
 * Mesa's drivers do (read in their sources of Mesa 25 and 26; only lavapipe was run):
 * - turnip (tu_formats.cc) lists LINEAR and QCOM_COMPRESSED for multi-planar formats.
 * - radv (radv_formats.c) lists every tiling; with DCC from GFX12 on only, where it has no memory plane.
 * - anv (anv_formats.c) lists tilings for NV12, P010 and three planes of 8 bits, never with compression, "due to the lack
 *   of defined ABI". NV16, NV24, P012 and P016 go plane by plane there.
 * - panvk (panvk_image.c) has neither AFBC nor U-interleaved tiling for them; its single planes have both.
 * - nvk (nvk_image.c) lists no modifier at all for them, not even LINEAR.
 * - lavapipe (lvp_formats.c) lists LINEAR for all; some versions then refuse it in the image format query, which is why
 *   both are asked.
 */
class FormatSupport {
public:
  /** `only`: no other way for YCbCr (Renderer::Options::yccImport). */
  FormatSupport(const Device& device, std::optional<YccImport> only);

  [[nodiscard]] std::span<const FormatModifier> sampled() const { return sampled_; }
  [[nodiscard]] std::span<const FormatModifier> targets() const { return targets_; }
  [[nodiscard]] std::span<const uint32_t> uploads() const { return uploads_; }

  /** The ways to import this, best first, the next for a buffer that the driver refuses; empty where it cannot be
   * sampled. */
  [[nodiscard]] std::span<const SampledImport> sampledImports(FormatModifier format) const;
  /** Memory planes of a target; empty where it can be none. */
  [[nodiscard]] std::optional<unsigned> targetMemoryPlanes(FormatModifier format) const;

private:
  struct Modifier {
    uint64_t value;
    unsigned planes;
    VkFormatFeatureFlags features;
  };
  [[nodiscard]] static std::vector<Modifier> modifiersOf(const Device& device, VkFormat format);
  [[nodiscard]] static std::optional<SampledImport> planeByPlane(const Device& device, const VulkanFormat& format,
                                                                 const Modifier& modifier);
  [[nodiscard]] static std::optional<SampledImport> oneImage(const Device& device, const VulkanFormat& format,
                                                             const Modifier& modifier);
  void addSampled(const Device& device, const VulkanFormat& format, std::optional<YccImport> only);
  void addSampled(FormatModifier format, const SampledImport& import);
  void addTargets(const Device& device, const VulkanFormat& format);
  std::vector<FormatModifier> sampled_;
  std::vector<std::vector<SampledImport>> sampledImports_; ///< entry by entry of sampled_
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

/** What the driver says of such images. */
struct ImportableImage {
  Size maximum;
  uint32_t samplerDescriptors; ///< that a combined image sampler of a multi-planar one takes of a pool
};

/** Empty where the driver can import none. */
[[nodiscard]] std::optional<ImportableImage> importableImage(const Device& device, const DmabufImageKind& kind);

} // namespace vitrine::vulkan
