#pragma once

#include <span>
#include <string>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/heap/heap_catalogue.h"

namespace vitrine {

/** What one buffer must satisfy. */
struct BufferRequest {
  Size size;
  uint32_t fourcc = 0;
  uint64_t modifier = 0; ///< only LINEAR can be laid out by hand
  bool protectedContent = true;
  /** Strictest stride alignment in bytes among those who will read it; 64 suits every display and GPU known to us. */
  uint32_t strideAlignmentBytes = 64;
  /** Memory is laid out for rows rounded up to a multiple of this (VulkanDeviceReport::targetRowMultiple). */
  uint32_t rowMultiple = 1;
};

/** How a buffer lies in memory: planes one behind another in one dma-buf. */
struct BufferLayout {
  uint64_t sizeBytes = 0; ///< whole pages
  unsigned planeCount = 0;
  std::array<uint32_t, 4> offsetBytes{};
  std::array<uint32_t, 4> strideBytes{};
};

/** One heap with the solver's verdict. */
struct HeapVerdict {
  Heap heap;
  Refusal refusal = Refusal::None; ///< None: may be taken
  std::string words;               ///< the verdict for a person: `ordinary memory: the CPU can read it`
};

/** The solver's answer: heaps in the order in which to try them, and for every other heap the reason. */
struct HeapChoice {
  std::vector<HeapVerdict> candidates; ///< best first
  std::vector<HeapVerdict> rejected;
  /** For `candidates` empty: the one reason that matters most, HeapNoPermission, HeapUnproven or HeapAbsent. */
  Refusal refusal = Refusal::None;
  /** Which classes were looked for and are missing, in words, for the user. */
  std::string explanation;
};

/** Stride, offsets and size by the page and alignment rules. Refused(SizeInvalid, FormatUnknown,
 *  ModifierUnsupported). Pure. */
[[nodiscard]] Result<BufferLayout> layoutFor(const BufferRequest& request);

/**
 * Who picks the heap: this does. Protected content: mainline's `protected,*` before vendor heaps, video before trusted
 * UI; never an Ordinary or Unknown heap, and none whose buffers turned out to be mappable. Ordinary content: `system` before CMA. Pure.
 */
[[nodiscard]] HeapChoice chooseHeap(const BufferRequest& request, std::span<const Heap> heaps);

} // namespace vitrine
