#include "protected-path/heap/heap_solver.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>
#include <format>
#include <limits>
#include <tuple>

#include "protected-path/heap/permission.h"

/*
 * Who picks the heap.
 *
 * Goal: for one buffer and those who will write and read it, the heaps that may hold it, best first, and for every other heap of
 * the machine the reason. The same program must decide rightly on every board, so it decides by what heaps and consumers are,
 * never by a board's name.
 *
 * Constraints, all hard:
 *   consumers   all of them take this content, this format and modifier; their alignments have a common multiple
 *   class       protected content goes into HeapClass::Protected only; ordinary content into Ordinary only, since protected
 *               pools are small and nothing could be uploaded into them
 *   behaviour   a heap whose buffers turned out to be mappable is not tried again; what was not tried yet is a candidate
 *   permission  the node can be opened
 *   memory      a consumer without an IOMMU needs one piece; the pool is as large as the buffer
 *   answers     no consumer has refused a buffer of this heap in this format
 *   question    a heap that stops the machine when it grows is taken for content that is to be shown, and for nothing else
 * Preferences, in this order:
 *   quiet       heaps that stop the machine come last
 *   room        a heap that had no room for such a buffer comes after the others: room may be there again
 *   origin      mainline's `protected,*` before a vendor's heap: its exporter's name is the kernel's own
 *   purpose     video frames, then heaps that name no purpose, then recording, trusted UI and special ones
 *   scarcity    single pages before contiguous memory, unless a consumer needs the latter
 *   name        so that two runs decide alike
 *
 *   request, consumers ──join──┬─ disagree ─────────────────────────────────────────────────► all rejected
 *                              └─ layout ─┐
 *   heaps ──class──behaviour──permission──memory──answers──┬─ yes ─► sort by preference ─────► candidates
 *              │        │          │         │       │     │
 *              └────────┴──────────┴─────────┴───────┴─ no ┴──► rejected, with refusal and words
 *
 * What a device takes is not guessed: the allocator walks the candidates, takes a buffer, asks the consumers, and keeps the
 * answers (HeapKnowledge). A display without an IOMMU refuses a buffer of `system` once, and gets contiguous memory from then on.
 *
 * Cost: O(h log h) comparisons and h × c look-ups of answers for h heaps and c consumers; no system call, no state. 32 heaps and 8
 * consumers take some tens of microseconds (tests/bench/heap-solver-bench.cpp).
 */

namespace vitrine {
namespace {

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

int memoryRank(HeapMemory memory, bool contiguous) {
  const HeapMemory best = contiguous ? HeapMemory::Contiguous : HeapMemory::Scattered;
  return memory == best ? 0 : memory == HeapMemory::Unknown ? 1 : 2;
}

/** What every heap is judged by. */
struct Judging {
  const BufferRequest& request;
  BufferLayout layout;
  bool contiguous = false;
  Refusal obstacle = Refusal::None; ///< no heap can help: consumers disagree, or there is no such layout
  std::string obstacleWords;
};

auto preference(const Heap& heap, const Judging& judging) {
  const bool full = heap.fullAtBytes && *heap.fullAtBytes <= judging.layout.sizeBytes;
  const bool isProtected = judging.request.protectedContent;
  const int origin = !isProtected || isMainline(heap.name) ? 0 : 1;
  const int purpose = isProtected ? purposeOf(heap.name).rank : ordinaryRank(heap.name);
  return std::tuple(heap.memory == HeapMemory::Growing, full, origin, purpose,
                    memoryRank(heap.memory, judging.contiguous), std::string_view(heap.name));
}

// ---- Consumers ----

std::string formatText(const BufferRequest& request) {
  return std::format("{} {}", fourccName(request.fourcc), modifierName(request.modifier));
}

/** Why this consumer can take no buffer of the request, from whichever heap; empty: it can. */
std::string objection(const ConsumerFacts& consumer, const BufferRequest& request) {
  using Content = ConsumerFacts::Content;
  if (request.protectedContent && consumer.content == Content::OrdinaryOnly)
    return std::format("{} takes no protected content", consumer.name);
  if (!request.protectedContent && consumer.content == Content::ProtectedOnly)
    return std::format("{} takes protected content only", consumer.name);
  const FormatModifier format{request.fourcc, request.modifier};
  if (!consumer.formats.empty() && !std::ranges::contains(consumer.formats, format))
    return std::format("{} does not take {}", consumer.name, formatText(request));
  return {};
}

Judging judgingOf(const BufferRequest& request) {
  Judging judging{request, {}, false, Refusal::None, {}};
  for (const ConsumerFacts& consumer : request.consumers) {
    judging.obstacleWords = objection(consumer, request);
    if (judging.obstacleWords.empty()) continue;
    judging.obstacle = Refusal::ConsumersDisagree;
    return judging;
  }
  const auto layout = layoutFor(request);
  if (!layout) {
    judging.obstacle = refusalOf(layout.error(), Refusal::SizeInvalid);
    judging.obstacleWords = layout.error().text();
    return judging;
  }
  judging.layout = *layout;
  judging.contiguous = std::ranges::any_of(request.consumers, &ConsumerFacts::contiguous);
  return judging;
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

HeapVerdict rejected(const Heap& heap, Refusal refusal, std::string words = {}) {
  return {heap, refusal, words.empty() ? std::string(refusalWords(refusal)) : std::move(words)};
}

/** What the heap's memory and the answers of the consumers say against it; None: nothing. */
HeapVerdict judgeMemory(const Heap& heap, const Judging& judging) {
  const BufferRequest& request = judging.request;
  if (judging.contiguous && heap.memory == HeapMemory::Scattered) {
    const auto needs = std::ranges::find(request.consumers, true, &ConsumerFacts::contiguous);
    return rejected(heap, Refusal::HeapScattered,
                    std::format("gives single pages; {} has no IOMMU and needs one piece", needs->name));
  }
  if (heap.poolBytes && *heap.poolBytes < judging.layout.sizeBytes)
    return rejected(heap, Refusal::HeapTooSmall,
                    std::format("holds {} bytes in all; the buffer has {}", *heap.poolBytes, judging.layout.sizeBytes));
  for (const ConsumerFacts& consumer : request.consumers) {
    const ConsumerAnswer* answer = answerOf(heap, consumer, {request.fourcc, request.modifier});
    if (answer != nullptr && answer->refusal != Refusal::None)
      return rejected(heap, Refusal::HeapRefused,
                      std::format("{} refused its buffer: {}", consumer.name, answer->words));
  }
  if (request.question && heap.memory == HeapMemory::Growing) return rejected(heap, Refusal::HeapDisturbs);
  return {heap, Refusal::None, {}};
}

HeapVerdict judgeHeap(const Heap& heap, const Judging& judging) {
  const bool protectedContent = judging.request.protectedContent;
  if (judging.obstacle != Refusal::None) return rejected(heap, judging.obstacle, judging.obstacleWords);
  const HeapClass needed = protectedContent ? HeapClass::Protected : HeapClass::Ordinary;
  if (heap.heapClass != needed)
    return rejected(heap, Refusal::HeapUnsuitable, unsuitableWords(heap.heapClass, protectedContent));
  if (protectedContent && heap.evidence && !isProven(*heap.evidence)) return rejected(heap, Refusal::HeapUnproven);
  if (heap.refusal != Refusal::None)
    return rejected(heap, heap.refusal,
                    std::format("{}: {} ({})", refusalWords(heap.refusal), errnoName(heap.openErrno), heap.openErrno));
  HeapVerdict verdict = judgeMemory(heap, judging);
  if (verdict.refusal != Refusal::None) return verdict;
  verdict.words = protectedContent ? std::format("{} heap {}", isMainline(heap.name) ? "mainline" : "vendor",
                                                 purposeOf(heap.name).words)
                                   : "ordinary memory";
  if (heap.memory == HeapMemory::Growing) verdict.words += "; stops the machine while it grows, so it comes last";
  return verdict;
}

// What is said where no heap is left: the first of these that a heap was rejected for. What can be helped comes first.
constexpr Refusal emptyReasons[] = {Refusal::HeapNoPermission, Refusal::HeapRefused,  Refusal::HeapScattered,
                                    Refusal::HeapTooSmall,     Refusal::HeapDisturbs, Refusal::HeapUnproven};

Refusal emptyReason(const HeapChoice& choice) {
  for (const Refusal reason : emptyReasons) {
    if (std::ranges::contains(choice.rejected, reason, &HeapVerdict::refusal)) return reason;
  }
  return Refusal::HeapAbsent;
}

std::string explainEmpty(const HeapChoice& choice, bool protectedContent) {
  if (choice.refusal == Refusal::HeapNoPermission) {
    std::string text;
    for (const HeapVerdict& verdict : choice.rejected) {
      if (verdict.refusal != Refusal::HeapNoPermission) continue;
      text += std::format("open {}: {} ({}); ", verdict.heap.node.string(), errnoName(verdict.heap.openErrno),
                          verdict.heap.openErrno);
    }
    return text + nodePermissionRemedy;
  }
  if (choice.refusal != Refusal::HeapAbsent) {
    const auto found = std::ranges::find(choice.rejected, choice.refusal, &HeapVerdict::refusal);
    return std::format("{}: {}", found->heap.node.string(), found->words);
  }
  if (!protectedContent) return "no heap of class ordinary: looked for system, system-uncached, CMA regions";
  return "no heap of class protected: looked for protected,* (Linux 6.18 or later, CONFIG_TEE_DMABUF_HEAPS and a TEE "
         "that has a "
         "pool) and for vendors' names (*secure*, restricted_*, mtk_svp*)";
}

} // namespace

Evidence expectedEvidence(const Heap& heap) {
  if (heap.evidence) return *heap.evidence;
  if (heap.heapClass != HeapClass::Protected && heap.heapClass != HeapClass::ProtectedWorking) return Evidence::None;
  return isMainline(heap.name) && heap.memory != HeapMemory::Growing ? Evidence::KernelProtected : Evidence::Unmappable;
}

const ConsumerAnswer* answerOf(const Heap& heap, const ConsumerFacts& consumer, FormatModifier format) {
  const auto found = std::ranges::find_if(heap.answers, [&](const ConsumerAnswer& answer) {
    return answer.format == format && answer.consumer == consumer.name;
  });
  return found == heap.answers.end() ? nullptr : &*found;
}

HeapChoice chooseHeap(const BufferRequest& request, std::span<const Heap> heaps) {
  const Judging judging = judgingOf(request);
  HeapChoice choice;
  choice.layout = judging.layout;
  for (const Heap& heap : heaps) {
    HeapVerdict verdict = judgeHeap(heap, judging);
    (verdict.refusal == Refusal::None ? choice.candidates : choice.rejected).push_back(std::move(verdict));
  }
  std::ranges::sort(choice.candidates, {},
                    [&](const HeapVerdict& verdict) { return preference(verdict.heap, judging); });
  if (!choice.candidates.empty()) {
    choice.explanation = std::format("{}: {}", choice.candidates.front().heap.name, choice.candidates.front().words);
  } else if (judging.obstacle != Refusal::None) {
    choice.refusal = judging.obstacle;
    choice.explanation = judging.obstacleWords;
  } else {
    choice.refusal = emptyReason(choice);
    choice.explanation = explainEmpty(choice, request.protectedContent);
  }
  return choice;
}

} // namespace vitrine
