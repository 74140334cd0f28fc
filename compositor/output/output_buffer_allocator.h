#pragma once

#include "compositor/output/output_buffer_set.h"
#include "protected-path/heap/heap_allocator.h"

namespace vitrine {

/** Where the buffers that outputs are composed into come from. One for the whole session. */
class OutputBufferAllocator {
public:
  /** All of these outlive it. */
  struct Machine {
    const KmsDevice& display;
    Renderer& renderer;
    const HeapTable& heaps;
  };
  explicit OutputBufferAllocator(const Machine& machine) : machine_(machine) {}

  /** Ordinary scanout memory of the display device, as many buffers as an output needs. */
  [[nodiscard]] Result<OutputBufferSet> ordinary(Size size, uint32_t fourcc) const;

  /**
   * Protected memory, from the protected heap that the solver takes. Each buffer is one that the GPU can draw into and the display can make a framebuffer of;
   * three where there is room, two at least. Errors: Refused, as the heap, the GPU or the display says.
   */
  [[nodiscard]] Result<OutputBufferSet> protectedMemory(Size size, uint32_t fourcc);

private:
  [[nodiscard]] Result<> addProtected(OutputBufferSet& chain, const BufferRequest& request);
  [[nodiscard]] Result<> addUsable(OutputBufferSet& chain, Result<Dmabuf> buffer) const;
  Machine machine_;
  HeapKnowledge knowledge_; ///< what the heaps showed so far in this session
};

} // namespace vitrine
