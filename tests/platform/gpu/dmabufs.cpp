#include "tests/platform/gpu/dmabufs.h"

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cstring>
#include <string>

#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/tee_session.h"
#include "tests/platform/gpu/gpu_fixture.h"
#include "tests/platform/kernel/vitrine_gpu.h"

namespace vitrine::gpu::test {
namespace {

UniqueFd allocateFrom(const char* heapName, size_t bytes) {
  const UniqueFd heap(open((std::string("/dev/dma_heap/") + heapName).c_str(), O_RDONLY | O_CLOEXEC));
  dma_heap_allocation_data allocation{.len = bytes, .fd_flags = O_RDWR | O_CLOEXEC};
  require(ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &allocation) == 0, heapName);
  return UniqueFd(static_cast<int>(allocation.fd));
}

} // namespace

UniqueFd ordinaryDmabuf() {
  return allocateFrom("system", bufferBytes);
}

UniqueFd protectedBuffer(const std::vector<uint32_t>& content) {
  const size_t bytes = content.size() * sizeof(uint32_t);
  UniqueFd fd = allocateFrom("protected,secure-video", bytes);
  const auto tee = TeeDevice::open();
  require(tee.has_value(), "a TEE");
  auto session = TeeSession::open(*tee, TeeUuid::parse(sdp_basic::uuid));
  auto shared = TeeMemory::allocateShared(*tee, bytes);
  auto target = TeeMemory::registerUnproven(*tee, fd.get());
  require(session && shared && target, "sdp_basic");
  std::memcpy(shared->bytes().data(), content.data(), bytes);
  TeeParameter parameters[] = {TeeParameter::memory(TeeParameter::Kind::MemoryInput, *shared, 0, bytes),
                               TeeParameter::memory(TeeParameter::Kind::MemoryOutput, *target, 0, bytes)};
  require(session->invoke(sdp_basic::commandInject, parameters).has_value(), "INJECT");
  return fd;
}

UniqueFd openRenderNode() {
  UniqueFd fd(open("/dev/dri/renderD128", O_RDWR | O_CLOEXEC));
  require(fd.isValid(), "/dev/dri/renderD128");
  return fd;
}

std::vector<uint32_t> contentOf(int protectedFd, size_t words) {
  const UniqueFd node = openRenderNode();
  drm_vitrine_gpu_view view{.fd = protectedFd, .view_fd = -1};
  require(ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &view) == 0, "VIEW");
  const UniqueFd mapped(view.view_fd);
  const size_t bytes = words * sizeof(uint32_t);
  void* at = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, mapped.get(), 0);
  require(at != MAP_FAILED, "mmap of a view");
  require(ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_JOB_BEGIN) == 0, "JOB_BEGIN");
  std::vector<uint32_t> content(words);
  std::memcpy(content.data(), at, bytes);
  require(ioctl(node.get(), DRM_IOCTL_VITRINE_GPU_JOB_END) == 0, "JOB_END");
  munmap(at, bytes);
  return content;
}

} // namespace vitrine::gpu::test
