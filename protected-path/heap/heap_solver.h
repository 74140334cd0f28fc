#pragma once

#include <span>
#include <string>
#include <vector>

#include "protected-path/heap/buffer_layout.h"
#include "protected-path/heap/heap_catalogue.h"

namespace vitrine {

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
  BufferLayout layout; ///< empty where the request has none
  /** For `candidates` empty: the one reason that matters most, in the order of emptyReasons (heap_solver.cpp). */
  Refusal refusal = Refusal::None;
  /** Which classes were looked for and are missing, in words, for the user. */
  std::string explanation;
};

/** What a heap's buffers may be expected to be: what they showed, or, while none was taken, what the heap's name says. */
[[nodiscard]] Evidence expectedEvidence(const Heap& heap);

/** A consumer's answer about the buffers of a heap; null: it was not asked. */
[[nodiscard]] const ConsumerAnswer* answerOf(const Heap& heap, const ConsumerFacts& consumer, FormatModifier format);

/**
 * Who picks the heap: this does. Protected content: mainline's `protected,*` before vendor heaps, video before trusted
 * UI; never an Ordinary or Unknown heap, and none whose buffers turned out to be mappable. Ordinary content: `system` before
 * contiguous memory. No heap whose buffers one of the request's consumers does not take. Pure.
 */
[[nodiscard]] HeapChoice chooseHeap(const BufferRequest& request, std::span<const Heap> heaps);

} // namespace vitrine
