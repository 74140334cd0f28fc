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

OutputBufferAllocator::OutputBufferAllocator(const Machine& machine)
    : machine_(machine), display_(machine.display), gpu_(machine.renderer, RendererConsumer::Use::Target) {}

Result<OutputBufferSet> OutputBufferAllocator::ordinary(Size size, uint32_t fourcc) {
  OutputBufferSet chain;
  for (size_t i = 0; i < wantedBuffers; ++i) {
    auto buffer = machine_.display.createDumbBuffer(size, fourcc, machine_.renderer.device().targetRowMultiple);
    const auto dumb = buffer ? Result<>() : std::unexpected(buffer.error());
    if (!buffer) buffer = takeFromHeap({.size = size, .fourcc = fourcc, .protectedContent = false});
    if (!buffer) return std::unexpected(dumb.error());
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

Result<Dmabuf> OutputBufferAllocator::takeFromHeap(const BufferRequest& request) {
  BufferConsumer* const consumers[] = {&gpu_, &display_};
  auto buffer = allocateBuffer(request, listHeaps(machine_.heaps), machine_.heaps, &machine_.knowledge, consumers);
  if (!buffer) return std::unexpected(buffer.error());
  return std::move(buffer->buffer);
}

Result<OutputBufferSet> OutputBufferAllocator::protectedMemory(Size size, uint32_t fourcc) {
  OutputBufferSet chain;
  for (size_t i = 0; i < wantedBuffers; ++i) {
    const auto added = addUsable(chain, takeFromHeap({.size = size, .fourcc = fourcc}));
    if (!added && i >= minimumBuffers) break;
    if (!added) return std::unexpected(added.error());
  }
  return chain;
}

} // namespace vitrine
