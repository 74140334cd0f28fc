#include "tests/board/play/protected_buffers.h"

#include <algorithm>
#include <format>

#include "protected-path/tee/tee_consumer.h"

namespace vitrine {
namespace {

/** The heap lays a buffer out as the clip's frames are, or they would not fit. */
Result<> checkLayout(const ClipHeader& header, const Dmabuf& buffer) {
  const bool fits = buffer.planeCount() == 2 && buffer.plane(0).offsetBytes == 0 &&
                    buffer.plane(0).strideBytes == header.lumaStrideBytes &&
                    buffer.plane(1).strideBytes == header.chromaStrideBytes &&
                    buffer.plane(1).offsetBytes == header.chromaOffsetBytes && buffer.sizeBytes() >= header.frameBytes;
  if (fits) return {};
  return invalid("lay out", buffer.describe(), "the clip's frames are laid out in another way",
                 "make the clip again with this build's vitrine-pack");
}

/** The compositor as a consumer: would it make a wl_buffer of this? Its planes and GPU are its own matter. */
class CompositorConsumer : public BufferConsumer {
public:
  CompositorConsumer(WaylandConnection& connection, bool claim) : connection_(connection), claim_(claim) {
    facts_.name = "the Wayland compositor";
  }
  [[nodiscard]] const ConsumerFacts& facts() const override { return facts_; }
  [[nodiscard]] Result<> wouldTake(const Dmabuf& buffer) override {
    const auto made = createWaylandBuffer(connection_, buffer, claim_);
    if (made) return {};
    if (made.error().kind != ErrorKind::Invalid) return std::unexpected(made.error()); // the connection is gone
    auto error = refused(Refusal::BufferRefused, made.error().operation, made.error().object, made.error().remedy);
    error.error().detail = made.error().detail;
    return error;
  }

private:
  WaylandConnection& connection_;
  bool claim_;
  ConsumerFacts facts_;
};

std::string namesOf(std::span<const Heap> heaps) {
  std::string names;
  for (const Heap& heap : heaps)
    names += (names.empty() ? "" : " ") + heap.name;
  return names.empty() ? "none" : names;
}

std::unexpected<Error> tooFew(size_t got, size_t wanted, const Error& last) {
  Error error = last;
  error.detail = std::format("got {} of {} buffers and needs {} at least ({})", got, wanted, ProtectedBuffers::minimum,
                             last.detail);
  error.remedy = "close what else uses the heap, or play a smaller clip";
  return std::unexpected(error);
}

} // namespace

const wl_buffer_listener ProtectedBuffer::listener = {
    .release = [](void* data, wl_buffer*) { static_cast<ProtectedBuffer*>(data)->state = State::Free; },
};

ProtectedBuffer::ProtectedBuffer(HeapBuffer memory, TeeMemory teeMemory, WaylandPtr<wl_buffer> waylandBuffer)
    : memory_(std::move(memory)), teeMemory_(std::move(teeMemory)), waylandBuffer_(std::move(waylandBuffer)) {
  wl_buffer_add_listener(waylandBuffer_.get(), &listener, this);
}

Result<std::vector<Heap>> ProtectedBuffers::chooseHeaps(const ClipHeader& header, const HeapTable& table,
                                                        const std::string& heapName) {
  std::vector<Heap> heaps = listHeaps(table);
  if (!heapName.empty()) {
    const std::string all = namesOf(heaps);
    std::erase_if(heaps, [&heapName](const Heap& heap) { return heap.name != heapName; });
    if (heaps.empty())
      return missing("find", "heap " + heapName, "this machine has: " + all,
                     "leave out --heap: the right one is found");
  }
  const HeapChoice choice = chooseHeap(bufferRequestFor(header), heaps);
  if (!choice.candidates.empty()) return heaps;
  auto error = refused(choice.refusal, "choose", "protected heap");
  error.error().detail = choice.explanation; // names the classes that are missing, or node, errno and remedy
  return error;
}

Result<ProtectedBuffers> ProtectedBuffers::create(const ClipHeader& header, std::span<const Heap> heaps,
                                                  const HeapTable& table, const TeeDevice& device,
                                                  WaylandConnection& connection, bool claim, size_t wanted,
                                                  size_t& got) {
  ProtectedBuffers result;
  HeapKnowledge knowledge;
  TeeConsumer tee(device);
  CompositorConsumer compositor(connection, claim);
  BufferConsumer* const consumers[] = {&tee, &compositor};
  while (result.count() < wanted) {
    auto memory = allocateBuffer(bufferRequestFor(header), heaps, table, &knowledge, consumers);
    if (!memory) {
      if (refusalOf(memory.error(), Refusal::None) != Refusal::HeapExhausted) return std::unexpected(memory.error());
      if (result.count() < minimum) return tooFew(result.count(), wanted, memory.error());
      break;
    }
    if (auto fits = checkLayout(header, memory->buffer); !fits) return std::unexpected(fits.error());
    auto teeMemory = TeeMemory::registerDmabuf(device, memory->buffer);
    if (!teeMemory) return std::unexpected(teeMemory.error());
    auto waylandBuffer = createWaylandBuffer(connection, memory->buffer, claim);
    if (!waylandBuffer) return std::unexpected(waylandBuffer.error());
    result.buffers_.push_back(
        std::make_unique<ProtectedBuffer>(std::move(*memory), std::move(*teeMemory), std::move(*waylandBuffer)));
    got = result.count();
  }
  return result;
}

Evidence ProtectedBuffers::evidence() const {
  Evidence weakest = Evidence::KernelProtected;
  for (const auto& buffer : buffers_)
    weakest = std::min(weakest, buffer->memory().buffer.evidence());
  return weakest;
}

ProtectedBuffer* ProtectedBuffers::findFree() const {
  const auto found = std::ranges::find(buffers_, ProtectedBuffer::State::Free, &ProtectedBuffer::state);
  return found == buffers_.end() ? nullptr : found->get();
}

ProtectedBuffer* ProtectedBuffers::findLatest(uint64_t frame) const {
  ProtectedBuffer* latest = nullptr;
  for (const auto& buffer : buffers_) {
    const bool candidate = buffer->state == ProtectedBuffer::State::Filled && buffer->frame <= frame;
    if (candidate && (latest == nullptr || buffer->frame > latest->frame)) latest = buffer.get();
  }
  return latest;
}

ProtectedBuffer* ProtectedBuffers::findEarliest() const {
  ProtectedBuffer* earliest = nullptr;
  for (const auto& buffer : buffers_) {
    const bool candidate = buffer->state == ProtectedBuffer::State::Filled;
    if (candidate && (earliest == nullptr || buffer->frame < earliest->frame)) earliest = buffer.get();
  }
  return earliest;
}

void ProtectedBuffers::dropBefore(uint64_t frame) {
  for (const auto& buffer : buffers_)
    if (buffer->state == ProtectedBuffer::State::Filled && buffer->frame < frame)
      buffer->state = ProtectedBuffer::State::Free;
}

} // namespace vitrine
