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

/** What the heap promised by its name, this very buffer has to prove. */
Result<> requireProof(Dmabuf& buffer, const Heap& heap, const HeapTable& table, HeapKnowledge* knowledge) {
  if (auto inspected = inspectorFor(table).inspect(buffer, false); !inspected) return inspected;
  if (knowledge != nullptr) knowledge->learn(heap, buffer.evidence());
  if (isProven(buffer.evidence())) return {};
  return refused(Refusal::HeapUnproven, "allocate from", heap.node.string());
}

Result<HeapBuffer> allocateFrom(const Heap& heap, const BufferRequest& request, const BufferLayout& layout,
                                const HeapTable& table, HeapKnowledge* knowledge) {
  auto fd = allocateFromHeap(heap, layout.sizeBytes);
  if (!fd) return std::unexpected(fd.error());
  auto buffer = wrap(request, layout, std::move(*fd));
  if (!buffer) return std::unexpected(buffer.error());
  if (request.protectedContent) {
    if (auto proven = requireProof(*buffer, heap, table, knowledge); !proven) return std::unexpected(proven.error());
  }
  return HeapBuffer{std::move(*buffer), heap.name};
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
                                  HeapKnowledge* knowledge) {
  const auto layout = layoutFor(request);
  if (!layout) return std::unexpected(layout.error());
  std::vector<Heap> known(heaps.begin(), heaps.end());
  if (knowledge != nullptr) knowledge->recall(known);
  const HeapChoice choice = chooseHeap(request, known);
  auto last = refused(choice.refusal, "choose heap for",
                      std::format("{}x{} {}", request.size.width, request.size.height, fourccName(request.fourcc)));
  last.error().detail = choice.explanation; // says more than the refusal's own words
  for (const HeapVerdict& candidate : choice.candidates) {
    auto buffer = allocateFrom(candidate.heap, request, *layout, table, knowledge);
    if (buffer) return buffer;
    log("heap").debug("{}", buffer.error().text());
    // A heap that is not what it is called says nothing about the room in another.
    const bool unproven = refusalOf(buffer.error(), Refusal::None) == Refusal::HeapUnproven;
    if (!unproven || &candidate == choice.candidates.data()) last = std::unexpected(std::move(buffer.error()));
  }
  return last;
}

} // namespace vitrine
