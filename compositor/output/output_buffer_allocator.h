#pragma once

#include "compositor/output/output_buffer_set.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/kms/display_consumer.h"
#include "protected-path/render/renderer_consumer.h"

namespace vitrine {

/** Where the buffers that outputs are composed into come from. One for the whole session. */
class OutputBufferAllocator {
public:
  /** All of these outlive it. */
  struct Machine {
    const KmsDevice& display;
    Renderer& renderer;
    const HeapTable& heaps;
    HeapKnowledge& knowledge; ///< what the heaps showed so far in this session
  };
  explicit OutputBufferAllocator(const Machine& machine);

  /**
   * Ordinary scanout memory, as many buffers as an output needs: the display's own (dumb buffers); where it gives none, that of the
   * heap that the solver takes.
   */
  [[nodiscard]] Result<OutputBufferSet> ordinary(Size size, uint32_t fourcc);

  /**
   * Protected memory, from the heap that the solver takes for display and GPU. Each buffer is one that the GPU can draw into and the
   * display can make a framebuffer of; three where there is room, two at least. Errors: Refused, as the heap, the GPU or the display says.
   */
  [[nodiscard]] Result<OutputBufferSet> protectedMemory(Size size, uint32_t fourcc);

private:
  [[nodiscard]] Result<Dmabuf> takeFromHeap(const BufferRequest& request);
  [[nodiscard]] Result<> addUsable(OutputBufferSet& chain, Result<Dmabuf> buffer) const;
  Machine machine_;
  DisplayConsumer display_;
  RendererConsumer gpu_;
};

} // namespace vitrine
