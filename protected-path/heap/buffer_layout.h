#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "protected-path/base/format.h"
#include "protected-path/base/result.h"
#include "protected-path/heap/consumer.h"

namespace vitrine {

/** What one buffer must satisfy. */
struct BufferRequest {
  Size size;
  uint32_t fourcc = 0;
  uint64_t modifier = 0; ///< only LINEAR: a heap gives bytes, and other modifiers are laid out by a device's allocator
  bool protectedContent = true;
  /** Strides are multiples of this, in bytes. Consumers may ask for more. */
  uint32_t strideAlignmentBytes = 64;
  /** Memory is laid out for rows rounded up to a multiple of this (VulkanDeviceReport::targetRowMultiple). */
  uint32_t rowMultiple = 1;
  /** Who will write or read it. Borrowed for the call. */
  std::span<const ConsumerFacts> consumers{};
  /** The buffer is only a question: no heap that disturbs the machine when it is taken from (HeapMemory::Growing). */
  bool question = false;
};

/** How a buffer lies in memory: planes one behind another in one dma-buf. */
struct BufferLayout {
  uint64_t sizeBytes = 0; ///< whole pages
  unsigned planeCount = 0;
  std::array<uint32_t, 4> offsetBytes{};
  std::array<uint32_t, 4> strideBytes{};
};

/** What the request and all of its consumers ask of the layout, joined. */
struct LayoutConstraints {
  uint32_t strideAlignmentBytes = 1;
  uint32_t rowMultiple = 1;
  uint32_t planeAlignmentBytes = 1;
  bool contiguous = false; ///< one of them has no IOMMU
};
/** Joins: least common multiples. Refused(ConsumersDisagree) where one exceeds 64 KiB. Pure. */
[[nodiscard]] Result<LayoutConstraints> joinConstraints(const BufferRequest& request);

/**
 * Stride, offsets and size that suit the request and its consumers. A plane begins where the rows of the one before it end
 * (stride × rows), as decoders of single-plane V4L2 formats take for granted, unless a consumer needs its offset aligned.
 * Refused(SizeInvalid, FormatUnknown, ModifierUnsupported, ConsumersDisagree). Pure.
 */
[[nodiscard]] Result<BufferLayout> layoutFor(const BufferRequest& request);

} // namespace vitrine
