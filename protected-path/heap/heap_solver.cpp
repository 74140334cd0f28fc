#include "protected-path/heap/heap_solver.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>
#include <format>
#include <limits>
#include <tuple>

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/heap/permission.h"

/*
 * Who picks the heap.
 *
 * Goal: for one buffer, the heaps that may hold it, best first, and for every other heap of the machine the reason. The
 * same program must decide rightly on every board, so it decides by what a heap is, never by a board's name.
 *
 * Constraints, all hard:
 *   class       protected content goes into HeapClass::Protected only; ordinary content into Ordinary only, since protected
 *               pools are small and nothing could be uploaded into them
 *   behaviour   a heap whose buffers turned out to be mappable is not tried again; what was not tried yet is a candidate
 *   permission  the node can be opened
 * Preferences, in this order:
 *   origin      mainline's `protected,*` before a vendor's heap: its exporter's name is the kernel's own
 *   purpose     video frames, then heaps that name no purpose, then recording, trusted UI and special ones
 *   name        so that two runs decide alike
 *
 *   heaps ──class?──permission?──┬─ yes ─► sort by (origin, purpose, name) ─► candidates
 *              │         │       │
 *              └─ no ────┴─ no ──┴──────────────────────────────────────────► rejected, with refusal and words
 *
 * What only the kernel knows, whether there is room, is not asked here: the allocator walks the candidates.
 *
 * Cost: O(n log n) string comparisons for n heaps; no system call, no state.
 */

namespace vitrine {
namespace {

constexpr uint64_t pageBytes = 4096; ///< dma-heap rounds up itself where the kernel's pages are larger

constexpr uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// ---- Layout ----

/**
 * Bytes of a row of plane `plane`, where plane 0 has `firstStride`. One stride follows from the other, since many
 * display controllers have one register for both.
 */
uint64_t strideOf(const FormatInfo& format, unsigned plane, uint64_t firstStride) {
  if (plane == 0) return firstStride;
  return firstStride * format.bytesPerSample[plane] / (uint64_t{format.hsub} * format.bytesPerSample[0]);
}

/** Plane 0's stride is a multiple of this, so that every plane's is a multiple of `alignment`. */
uint64_t firstStrideAlignment(const FormatInfo& format, uint64_t alignment) {
  if (format.planes == 1) return alignment;
  const uint64_t ratio = uint64_t{format.hsub} * format.bytesPerSample[0] / format.bytesPerSample[1];
  return alignment * std::max<uint64_t>(ratio, 1);
}

std::string describe(const BufferRequest& request) {
  return std::format("{}x{} {} {}", request.size.width, request.size.height, fourccName(request.fourcc),
                     modifierName(request.modifier));
}

// ---- Preference ----

struct Purpose {
  const char* part; ///< of the heap's name
  int rank;
  const char* words;
};

// The first part that the name contains counts: `secure-video-record` is for recording though it says video.
constexpr Purpose purposes[] = {
    {"record", 2, "for recording"},
    {"trusted-ui", 3, "for trusted user interfaces"},
    {"tui-", 3, "for trusted user interfaces"},
    {"vstream", 4, "for compressed streams"},
    {"vscaler", 4, "for the scaler"},
    {"wfd", 4, "for wireless displays"},
    {"video", 0, "for video"},
    {"vframe", 0, "for video frames"},
    {"svp", 0, "for video"},
    {"secure-pixel", 0, "for pixels"},
    {"mtk_cma", 0, "for video frames"},
    {"codecmm", 0, "for video frames"},
};
constexpr Purpose generalPurpose{"", 1, "for any content"};

const Purpose& purposeOf(std::string_view name) {
  for (const Purpose& purpose : purposes) {
    if (name.contains(purpose.part)) return purpose;
  }
  return generalPurpose;
}

bool isMainline(std::string_view name) {
  return name == "protected" || name.starts_with("protected,");
}

// `system` suits whoever has an IOMMU; contiguous memory is scarce and kept for who needs it.
constexpr std::string_view ordinaryOrder[] = {"system", "system-uncached"};
constexpr std::string_view ordinaryLast = "system_cc_shared"; // readable by the host of a confidential machine

int ordinaryRank(std::string_view name) {
  if (name == ordinaryLast) return std::numeric_limits<int>::max();
  return static_cast<int>(std::ranges::find(ordinaryOrder, name) - std::begin(ordinaryOrder));
}

std::tuple<int, int, std::string_view> preference(const Heap& heap, bool protectedContent) {
  if (!protectedContent) return {0, ordinaryRank(heap.name), heap.name};
  return {isMainline(heap.name) ? 0 : 1, purposeOf(heap.name).rank, heap.name};
}

// ---- Verdicts ----

const char* unsuitableWords(HeapClass heapClass, bool protectedContent) {
  if (!protectedContent) return "not known as ordinary memory, which this content needs";
  switch (heapClass) {
  case HeapClass::ProtectedWorking:
    return "protected, but for firmware or bitstreams: nothing there can be shown";
  case HeapClass::Ordinary:
    return "ordinary memory: the CPU can read it";
  case HeapClass::Unknown:
    return "no rule knows this name; an override file can say what it is";
  case HeapClass::Protected:
    break;
  }
  return "";
}

HeapVerdict judgeHeap(const Heap& heap, bool protectedContent) {
  const HeapClass needed = protectedContent ? HeapClass::Protected : HeapClass::Ordinary;
  if (heap.heapClass != needed) {
    return {heap, Refusal::HeapUnsuitable, unsuitableWords(heap.heapClass, protectedContent)};
  }
  if (protectedContent && heap.evidence && !isProven(*heap.evidence)) {
    return {heap, Refusal::HeapUnproven, std::string(refusalWords(Refusal::HeapUnproven))};
  }
  if (heap.refusal != Refusal::None) {
    return {heap, heap.refusal,
            std::format("{}: {} ({})", refusalWords(heap.refusal), errnoName(heap.openErrno), heap.openErrno)};
  }
  if (!protectedContent) return {heap, Refusal::None, "ordinary memory"};
  return {heap, Refusal::None,
          std::format("{} heap {}", isMainline(heap.name) ? "mainline" : "vendor", purposeOf(heap.name).words)};
}

std::string explainEmpty(const HeapChoice& choice, bool protectedContent) {
  if (choice.refusal == Refusal::HeapUnproven) {
    const auto found = std::ranges::find(choice.rejected, Refusal::HeapUnproven, &HeapVerdict::refusal);
    return std::format("{}: {}", found->heap.node.string(), found->words);
  }
  if (choice.refusal == Refusal::HeapNoPermission) {
    std::string text;
    for (const HeapVerdict& verdict : choice.rejected) {
      if (verdict.refusal != Refusal::HeapNoPermission) continue;
      text += std::format("open {}: {} ({}); ", verdict.heap.node.string(), errnoName(verdict.heap.openErrno),
                          verdict.heap.openErrno);
    }
    return text + nodePermissionRemedy;
  }
  if (!protectedContent) return "no heap of class ordinary: looked for system, system-uncached, CMA regions";
  return "no heap of class protected: looked for protected,* (Linux 6.18 or later, CONFIG_TEE_DMABUF_HEAPS and a TEE "
         "that has a "
         "pool) and for vendors' names (*secure*, restricted_*, mtk_svp*)";
}

} // namespace

Result<BufferLayout> layoutFor(const BufferRequest& request) {
  constexpr const char* operation = "lay out buffer";
  const auto [width, height] = request.size;
  if (width == 0 || height == 0 || width > Dmabuf::maximumExtent || height > Dmabuf::maximumExtent) {
    return refused(Refusal::SizeInvalid, operation, describe(request));
  }
  const FormatInfo* format = formatInfo(request.fourcc);
  if (format == nullptr) return refused(Refusal::FormatUnknown, operation, describe(request));
  if (request.modifier != DRM_FORMAT_MOD_LINEAR) {
    return refused(Refusal::ModifierUnsupported, operation, describe(request), "ask for LINEAR");
  }
  const uint64_t alignment = std::max<uint64_t>(request.strideAlignmentBytes, 1);
  const uint64_t firstStride =
      roundUp(minimumStrideBytes(*format, request.size, 0), firstStrideAlignment(*format, alignment));
  const Size laidOut{width, static_cast<uint32_t>(roundUp(height, std::max<uint64_t>(request.rowMultiple, 1)))};
  BufferLayout layout;
  layout.planeCount = format->planes;
  uint64_t end = 0;
  for (unsigned plane = 0; plane < layout.planeCount; ++plane) {
    // An odd width has a chroma sample more than half of it.
    const uint64_t stride = std::max(strideOf(*format, plane, firstStride),
                                     roundUp(minimumStrideBytes(*format, request.size, plane), alignment));
    const uint64_t next = roundUp(end + stride * planeSize(*format, laidOut, plane).height, pageBytes);
    if (next > std::numeric_limits<uint32_t>::max()) return refused(Refusal::SizeInvalid, operation, describe(request));
    layout.offsetBytes[plane] = static_cast<uint32_t>(end);
    layout.strideBytes[plane] = static_cast<uint32_t>(stride);
    end = next; // every plane starts on a page, which suits every address register
  }
  layout.sizeBytes = end;
  return layout;
}

HeapChoice chooseHeap(const BufferRequest& request, std::span<const Heap> heaps) {
  HeapChoice choice;
  choice.refusal = Refusal::HeapAbsent;
  for (const Heap& heap : heaps) {
    HeapVerdict verdict = judgeHeap(heap, request.protectedContent);
    // A node that may not be opened can be helped; a heap that is not what it is called cannot.
    if (verdict.refusal == Refusal::HeapNoPermission) choice.refusal = Refusal::HeapNoPermission;
    if (verdict.refusal == Refusal::HeapUnproven && choice.refusal == Refusal::HeapAbsent)
      choice.refusal = Refusal::HeapUnproven;
    (verdict.refusal == Refusal::None ? choice.candidates : choice.rejected).push_back(std::move(verdict));
  }
  std::ranges::sort(choice.candidates, {},
                    [&](const HeapVerdict& verdict) { return preference(verdict.heap, request.protectedContent); });
  if (choice.candidates.empty()) {
    choice.explanation = explainEmpty(choice, request.protectedContent);
  } else {
    choice.refusal = Refusal::None;
    choice.explanation = std::format("{}: {}", choice.candidates.front().heap.name, choice.candidates.front().words);
  }
  return choice;
}

} // namespace vitrine
