#pragma once

#include <optional>

#include "compositor/output/output_buffer_set.h"
#include "protected-path/heap/gbm_device.h"
#include "protected-path/heap/heap_table.h"

namespace vitrine {

/** Where the buffers that outputs are composed into come from. One for the whole session. */
class OutputBufferAllocator {
public:
  /** All of these outlive it. */
  struct Machine {
    const KmsDevice& display;
    Renderer& renderer;
    const HeapTable& heaps;
    const Inspector& inspector;
  };
  explicit OutputBufferAllocator(const Machine& machine);

  /** Ordinary scanout memory of the display device, as many buffers as an output needs. */
  [[nodiscard]] Result<OutputBufferSet> ordinary(Size size, uint32_t fourcc) const;

  /**
   * Protected memory: from the GPU's allocator where that honours GBM_BO_USE_PROTECTED, else from the protected heap
   * that the solver takes. Each buffer is one that the GPU can draw into and the display can make a framebuffer of;
   * three where there is room, two at least. Errors: Refused, as the heap, the GPU or the display says.
   */
  [[nodiscard]] Result<OutputBufferSet> protectedMemory(Size size, uint32_t fourcc) const;

private:
  [[nodiscard]] Result<> addProtected(OutputBufferSet& chain, const BufferRequest& request) const;
  [[nodiscard]] Result<> addUsable(OutputBufferSet& chain, Result<Dmabuf> buffer) const;
  [[nodiscard]] Result<Dmabuf> allocateFromHeaps(const BufferRequest& request) const;
  Machine machine_;
  std::optional<GbmDevice> gbm_;
};

} // namespace vitrine
