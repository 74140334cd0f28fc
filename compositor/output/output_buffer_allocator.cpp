#include "compositor/output/output_buffer_allocator.h"

#include "protected-path/base/log.h"
#include "protected-path/heap/heap_allocator.h"

namespace vitrine {
namespace {

constexpr size_t wantedBuffers = 3;  // one shown, one queued, one to draw into
constexpr size_t minimumBuffers = 2; // then a frame waits for the flip before it

/** A buffer that GPU or display refuse is found out now, not when a frame needs it. */
Result<> tryBuffer(DmabufBuffer& buffer, Renderer& renderer, const KmsDevice& display) {
  const auto& target = buffer.target(renderer);
  if (!target) return std::unexpected(target.error());
  const auto& framebuffer = buffer.framebuffer(display, true);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  return {};
}

} // namespace

Result<OutputBufferSet> OutputBufferAllocator::ordinary(Size size, uint32_t fourcc) const {
  OutputBufferSet chain;
  for (size_t i = 0; i < wantedBuffers; ++i) {
    auto buffer = machine_.display.createDumbBuffer(size, fourcc, machine_.renderer.device().targetRowMultiple);
    if (!buffer) return std::unexpected(buffer.error());
    chain.add(std::move(*buffer));
  }
  return chain;
}

Result<> OutputBufferAllocator::addUsable(OutputBufferSet& chain, Result<Dmabuf> buffer) const {
  if (!buffer) return std::unexpected(buffer.error());
  chain.add(std::move(*buffer));
  auto usable = tryBuffer(*chain.slots().back().buffer, machine_.renderer, machine_.display);
  if (!usable) chain.dropLast();
  return usable;
}

Result<> OutputBufferAllocator::addProtected(OutputBufferSet& chain, const BufferRequest& request) {
  auto buffer = allocateBuffer(request, listHeaps(machine_.heaps), machine_.heaps, &knowledge_);
  if (!buffer) return std::unexpected(buffer.error());
  return addUsable(chain, std::move(buffer->buffer));
}

Result<OutputBufferSet> OutputBufferAllocator::protectedMemory(Size size, uint32_t fourcc) {
  const BufferRequest request{
      .size = size, .fourcc = fourcc, .rowMultiple = machine_.renderer.device().targetRowMultiple};
  OutputBufferSet chain;
  for (size_t i = 0; i < wantedBuffers; ++i) {
    const auto added = addProtected(chain, request);
    if (!added && i >= minimumBuffers) break;
    if (!added) return std::unexpected(added.error());
  }
  return chain;
}

} // namespace vitrine
