#include "protected-path/heap/heap_allocator.h"

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <format>

#include "protected-path/base/log.h"
#include "protected-path/heap/permission.h"

namespace vitrine {
namespace {

/** A refusal that keeps the errno it comes from: `HeapExhausted: the heap has no room left: ENOMEM (12)`. */
std::unexpected<Error> refusedBy(int number, Refusal refusal, std::string_view operation, std::string_view object,
                                 std::string_view remedy) {
  auto error = refused(refusal, operation, object, remedy);
  error.error().detail += std::format(": {} ({})", errnoName(number), number);
  return error;
}

std::unexpected<Error> openFailed(int number, const std::string& node) {
  switch (number) {
  case EACCES:
  case EPERM:
    return refusedBy(number, Refusal::HeapNoPermission, "open", node, nodePermissionRemedy);
  case ENOENT:
  case ENODEV:
  case ENXIO:
    return refusedBy(number, Refusal::HeapAbsent, "open", node, {});
  default:
    return refusedBy(number, Refusal::HeapFailed, "open", node, {});
  }
}

std::unexpected<Error> allocationFailed(int number, const std::string& object) {
  constexpr const char* operation = "DMA_HEAP_IOCTL_ALLOC";
  switch (number) {
  case ENOMEM:
  case ENOSPC:
    return refusedBy(number, Refusal::HeapExhausted, operation, object,
                     "use fewer or smaller buffers, or give the pool more memory (firmware or device tree)");
  case EINVAL:
    return refusedBy(number, Refusal::HeapRequestInvalid, operation, object,
                     "is the TEE that owns the heap still there?");
  case EPERM:
  case EACCES:
    return refusedBy(number, Refusal::HeapDenied, operation, object, {});
  default:
    return refusedBy(number, Refusal::HeapFailed, operation, object, {});
  }
}

Result<Dmabuf> wrap(const BufferRequest& request, const BufferLayout& layout, UniqueFd fd) {
  DmabufAttributes attributes{request.size, request.fourcc, request.modifier, layout.planeCount, {}};
  for (unsigned plane = 0; plane < layout.planeCount; ++plane) {
    auto copy = duplicateFd(fd.get());
    if (!copy) return std::unexpected(copy.error());
    attributes.planes[plane] = {std::move(*copy), layout.offsetBytes[plane], layout.strideBytes[plane]};
  }
  return Dmabuf::create(std::move(attributes));
}

/** One allocation: what is asked for, and what is kept of what heaps and consumers say. */
struct Allocation {
  BufferRequest request;
  BufferLayout layout;
  const HeapTable& table;
  HeapKnowledge& knowledge;
  std::span<BufferConsumer* const> consumers;
};

/** What the heap promised by its name, this very buffer has to prove. */
Result<> requireProof(Dmabuf& buffer, const Heap& heap, const Allocation& allocation) {
  if (auto inspected = inspectorFor(allocation.table).inspect(buffer, false); !inspected) return inspected;
  allocation.knowledge.learn(heap, buffer.evidence());
  if (isProven(buffer.evidence())) return {};
  return refused(Refusal::HeapUnproven, "allocate from", heap.node.string());
}

/** Asks those that have not answered about this heap yet. */
Result<> askConsumers(const Dmabuf& buffer, const Heap& heap, const Allocation& allocation) {
  const FormatModifier format{buffer.fourcc(), buffer.modifier()};
  for (BufferConsumer* consumer : allocation.consumers) {
    const std::string& name = consumer->facts().name;
    if (answerOf(heap, consumer->facts(), format) != nullptr) continue; // a refusal is no candidate, so it was yes
    const auto taken = consumer->wouldTake(buffer);
    const Refusal refusal = taken ? Refusal::None : refusalOf(taken.error(), Refusal::None);
    if (!taken && refusal == Refusal::None) return std::unexpected(taken.error()); // no answer: nothing is learned
    allocation.knowledge.learn(heap, {name, format, refusal, taken ? std::string() : taken.error().text()});
    if (taken) continue;
    auto error = refused(Refusal::HeapRefused, "allocate from", heap.node.string());
    error.error().detail = std::format("{} refused its buffer: {}", name, taken.error().text());
    return error;
  }
  return {};
}

Result<HeapBuffer> allocateFrom(const Heap& heap, const Allocation& allocation) {
  const uint64_t sizeBytes = allocation.layout.sizeBytes;
  auto fd = allocateFromHeap(heap, sizeBytes);
  const bool full = !fd && refusalOf(fd.error(), Refusal::None) == Refusal::HeapExhausted;
  if (fd || full) allocation.knowledge.learnRoom(heap, sizeBytes, fd.has_value());
  if (!fd) return std::unexpected(fd.error());
  auto buffer = wrap(allocation.request, allocation.layout, std::move(*fd));
  if (!buffer) return std::unexpected(buffer.error());
  if (allocation.request.protectedContent) {
    if (auto proven = requireProof(*buffer, heap, allocation); !proven) return std::unexpected(proven.error());
  }
  if (auto taken = askConsumers(*buffer, heap, allocation); !taken) return std::unexpected(taken.error());
  return HeapBuffer{std::move(*buffer), heap.name};
}

/** Whether an error says something about this heap alone, and nothing about the room in another. */
bool isOfThisHeap(const Error& error) {
  const Refusal refusal = refusalOf(error, Refusal::None);
  return refusal == Refusal::HeapUnproven || refusal == Refusal::HeapRefused;
}

} // namespace

Result<UniqueFd> allocateFromHeap(const Heap& heap, uint64_t sizeBytes) {
  const std::string node = heap.node.string();
  const UniqueFd heapFd(open(node.c_str(), O_RDONLY | O_CLOEXEC));
  if (!heapFd) return openFailed(errno, node);
  dma_heap_allocation_data request{sizeBytes, 0, O_RDWR | O_CLOEXEC, 0};
  int result = 0;
  do {
    result = ioctl(heapFd.get(), DMA_HEAP_IOCTL_ALLOC, &request);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return allocationFailed(errno, std::format("{} ({} bytes)", node, sizeBytes));
  return UniqueFd(static_cast<int>(request.fd));
}

Result<HeapBuffer> allocateBuffer(const BufferRequest& request, std::span<const Heap> heaps, const HeapTable& table,
                                  HeapKnowledge* knowledge, std::span<BufferConsumer* const> consumers) {
  HeapKnowledge own;
  std::vector<ConsumerFacts> facts;
  for (const BufferConsumer* consumer : consumers)
    facts.push_back(consumer->facts());
  Allocation allocation{request, {}, table, knowledge != nullptr ? *knowledge : own, consumers};
  allocation.request.consumers = facts;
  const auto layout = layoutFor(allocation.request);
  if (!layout) return std::unexpected(layout.error());
  std::vector<Heap> known(heaps.begin(), heaps.end());
  allocation.knowledge.recall(known);
  const HeapChoice choice = chooseHeap(allocation.request, known);
  allocation.layout = *layout;
  auto last = refused(choice.refusal, "choose heap for",
                      std::format("{}x{} {}", request.size.width, request.size.height, fourccName(request.fourcc)));
  last.error().detail = choice.explanation; // says more than the refusal's own words
  for (const HeapVerdict& candidate : choice.candidates) {
    auto buffer = allocateFrom(candidate.heap, allocation);
    if (buffer) return buffer;
    log("heap").debug("{}", buffer.error().text());
    if (!isOfThisHeap(buffer.error()) || &candidate == choice.candidates.data())
      last = std::unexpected(std::move(buffer.error()));
  }
  return last;
}

} // namespace vitrine
