#pragma once

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/heap/heap_knowledge.h"
#include "protected-path/heap/heap_solver.h"

namespace vitrine {

/** A buffer with the name of the heap it came from. */
struct HeapBuffer {
  Dmabuf buffer;
  std::string heapName;
};

/** Raw DMA_HEAP_IOCTL_ALLOC. Every errno becomes a Refusal: ENOMEM/ENOSPC HeapExhausted, EINVAL HeapRequestInvalid,
 *  EPERM/EACCES HeapDenied (on the node: HeapNoPermission, with the udev rule as remedy), else HeapFailed. */
[[nodiscard]] Result<UniqueFd> allocateFromHeap(const Heap& heap, uint64_t sizeBytes);

/**
 * Solves and allocates: tries the candidates in order and returns the first buffer that all `consumers` take. Protected content
 * comes back with proof (isProven()) or not at all: Refused(HeapUnproven) where a heap hands out buffers that can be mapped;
 * Refused(HeapRefused) where a consumer does not take them. The last refusal is returned where no candidate gave a buffer.
 * `knowledge`, if there is any, is asked before and told after: a consumer that has answered about a heap is not asked again, until
 * its answer is replaced (HeapKnowledge::learn). `request.consumers` is not read: their facts come from `consumers`.
 */
[[nodiscard]] Result<HeapBuffer> allocateBuffer(const BufferRequest& request, std::span<const Heap> heaps,
                                                const HeapTable& table, HeapKnowledge* knowledge = nullptr,
                                                std::span<BufferConsumer* const> consumers = {});

} // namespace vitrine
