#pragma once

#include <optional>
#include <vector>

#include "protected-path/render/vulkan/device.h"
#include "protected-path/render/vulkan/vulkan_format.h"
#include "protected-path/render/vulkan/ycc_sampler.h"

namespace vitrine::vulkan {

/** One way to import dma-bufs of a format and modifier for sampling. */
struct SampledImport {
  YccImport way = YccImport::PlaneByPlane; ///< RGB counts as this, with one image
  unsigned memoryPlanes = 1;               ///< that such a dma-buf must have
  bool linear = false;                     ///< whether a sampler may filter it linearly
  YccSamplerKey sampler;                   ///< OneImage only
};

/**
 * Which dma-bufs and uploads a device accepts. The driver is asked once.
 *
 * A YCbCr dma-buf may be importable in two ways. LINEAR is imported plane by plane if possible: drm_fourcc.h defines
 * each plane's layout separately, the planes may be in several dma-bufs, odd sizes need no rounding, and no conversion
 * of the driver takes part. For any other modifier, one image is preferred, because only then does the driver know what
 * the buffer is: a layout may depend on the format, and the driver may lay out an R8 image differently from the Y plane
 * of NV12. Plane by plane remains the second way, since many drivers list a modifier for R8 and R8G8 only. What Mesa's
 * drivers do (read in the sources of Mesa 25 and 26; only lavapipe was run):
 * - turnip (tu_formats.cc) lists LINEAR and QCOM_COMPRESSED for multi-planar formats.
 * - radv (radv_formats.c) lists every tiling, but DCC only from GFX12 on, where it takes no memory plane.
 * - anv (anv_formats.c) lists tilings for NV12, P010 and three planes of 8 bits, never with compression, "due to the
 *   lack of defined ABI". There NV16, NV24, P012 and P016 are imported plane by plane.
 * - panvk (panvk_image.c) has no AFBC and no U-interleaved tiling for them, but has both for single planes.
 * - nvk (nvk_image.c) lists no modifier at all for them, not even LINEAR.
 * - lavapipe (lvp_formats.c) lists LINEAR for all. Some versions then refuse it in the image format query, so both are
 *   asked.
 */
class FormatSupport {
public:
  /** `only`: the one way allowed for YCbCr (Renderer::Options::yccImport). */
  FormatSupport(const Device& device, std::optional<YccImport> only);

  [[nodiscard]] std::span<const FormatModifier> sampled() const { return sampled_; }
  [[nodiscard]] std::span<const FormatModifier> targets() const { return targets_; }
  [[nodiscard]] std::span<const uint32_t> uploads() const { return uploads_; }
  /** Whether a sampler may filter uploads of this format linearly. */
  [[nodiscard]] bool filtersUploads(uint32_t fourcc) const;

  /** The ways to import this format, best first. If the driver refuses a buffer, try the next. Empty: not sampled. */
  [[nodiscard]] std::span<const SampledImport> sampledImports(FormatModifier format) const;
  /** The samplers of all formats' best ways, each once. */
  [[nodiscard]] std::span<const YccSamplerKey> samplers() const { return samplers_; }
  /** Number of memory planes of a target of this format; empty if it cannot be a target. */
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
  std::vector<std::vector<SampledImport>> sampledImports_; ///< parallel to sampled_
  std::vector<YccSamplerKey> samplers_;
  std::vector<FormatModifier> targets_;
  std::vector<unsigned> targetPlanes_;
  std::vector<uint32_t> uploads_;
  std::vector<uint32_t> filteredUploads_; ///< those of them that a sampler may filter
};

/** The properties of an image for a dma-buf that decide whether the driver can import it. */
struct DmabufImageKind {
  VkFormat format = VK_FORMAT_UNDEFINED;
  uint64_t modifier = 0;
  VkImageUsageFlags usage = 0;
  bool isProtected = false;
};

/** The driver's limits for such images. */
struct ImportableImage {
  Size maximum;
  uint32_t samplerDescriptors; ///< of a pool, for one combined image sampler of a multi-planar image
};

/** Empty if the driver cannot import such images. */
[[nodiscard]] std::optional<ImportableImage> importableImage(const Device& device, const DmabufImageKind& kind);

} // namespace vitrine::vulkan
