#include "tests/unit/protected_twin.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "protected-path/dmabuf/inspector.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/tee_session.h"
#include "tests/platform/kernel/vitrine_gpu.h"

namespace vitrine::test {
namespace {

template<typename Value>
Value require(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

std::optional<Heap> protectedHeap() {
  const auto heaps = listHeaps(HeapTable());
  const auto found = std::ranges::find(heaps, HeapClass::Protected, &Heap::heapClass);
  return found != heaps.end() ? std::optional(*found) : std::nullopt;
}

/** Of the protected heap, filled through optee_test's application. */
UniqueFd filled(std::span<const uint8_t> bytes) {
  UniqueFd fd = require(allocateFromHeap(protectedHeap().value(), bytes.size()));
  // One for all: a session is a process, and this one is large.
  static const TeeDevice tee = require(TeeDevice::open());
  static TeeSession session = require(TeeSession::open(tee, TeeUuid::parse(sdp_basic::uuid)));
  const TeeMemory shared = require(TeeMemory::allocateShared(tee, bytes.size()));
  const TeeMemory target = require(TeeMemory::registerUnproven(tee, fd.get()));
  std::memcpy(shared.bytes().data(), bytes.data(), bytes.size());
  TeeParameter parameters[] = {TeeParameter::memory(TeeParameter::Kind::MemoryInput, shared, 0, bytes.size()),
                               TeeParameter::memory(TeeParameter::Kind::MemoryOutput, target, 0, bytes.size())};
  require(session.invoke(sdp_basic::commandInject, parameters).has_value(), "INJECT");
  return fd;
}

/** The bytes from where `plane` begins to where the next does; zeros elsewhere. */
std::vector<uint8_t> onlyPlane(TestBuffer& model, unsigned plane) {
  const std::span<const uint8_t> all = model.bytes();
  const Dmabuf& layout = model.dmabuf();
  const size_t begin = layout.plane(plane).offsetBytes;
  const size_t end = plane + 1 < layout.planeCount() ? layout.plane(plane + 1).offsetBytes : all.size();
  std::vector<uint8_t> bytes(all.size());
  std::ranges::copy(all.subspan(begin, end - begin), bytes.begin() + static_cast<ptrdiff_t>(begin));
  return bytes;
}

} // namespace

bool hasProtectedHeap() {
  return protectedHeap().has_value();
}

Dmabuf protectedTwin(TestBuffer& model, TwinPlanes planes) {
  const Dmabuf& layout = model.dmabuf();
  DmabufAttributes attributes{.size = layout.size(),
                              .fourcc = layout.fourcc(),
                              .modifier = layout.modifier(),
                              .planeCount = layout.planeCount()};
  const UniqueFd all = planes == TwinPlanes::Together ? filled(model.bytes()) : UniqueFd();
  for (unsigned i = 0; i < layout.planeCount(); ++i) {
    attributes.planes[i] = {all ? require(duplicateFd(all.get())) : filled(onlyPlane(model, i)),
                            layout.plane(i).offsetBytes, layout.plane(i).strideBytes};
  }
  Dmabuf twin = require(Dmabuf::create(std::move(attributes)));
  const HeapTable table;
  require(inspectorFor(table).inspect(twin, false).has_value(), "inspect");
  require(twin.evidence() == Evidence::KernelProtected, "evidence of protected memory");
  return twin;
}

void copyBack(const Dmabuf& twin, TestBuffer& model) {
  const UniqueFd node(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC));
  drm_vitrine_gpu_view view{.fd = twin.plane(0).fd.get(), .view_fd = -1};
  require(ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &view) == 0, "VIEW");
  const UniqueFd viewFd(view.view_fd);
  const std::span<uint8_t> bytes = model.bytes();
  void* address = mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, viewFd.get(), 0);
  require(address != MAP_FAILED, "mmap of a view");
  require(ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_JOB_BEGIN) == 0, "JOB_BEGIN");
  std::memcpy(bytes.data(), address, bytes.size());
  require(ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_JOB_END) == 0, "JOB_END");
  munmap(address, bytes.size());
}

} // namespace vitrine::test
