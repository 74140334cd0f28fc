#include "tests/platform/gpu/render_node.h"

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/platform/kernel/vitrine_gpu.h"

namespace vitrine::gpu {
namespace {

constexpr std::string_view driverName = "vitrine-gpu";

bool isOurs(int fd) {
  char name[32] = {};
  drm_version version{};
  version.name = name;
  version.name_len = sizeof(name) - 1;
  return ioctl(fd, DRM_IOCTL_VERSION, &version) == 0 && name == driverName;
}

} // namespace

RenderNode RenderNode::open() {
  RenderNode node;
  for (int minor = 128; minor < 136; ++minor) {
    Fd fd(::open(("/dev/dri/renderD" + std::to_string(minor)).c_str(), O_RDWR | O_CLOEXEC));
    if (!fd || !isOurs(fd.get())) continue;
    node.fd_ = std::move(fd);
    break;
  }
  return node;
}

Fd RenderNode::view(int dmabuf) const {
  drm_vitrine_gpu_view view{.fd = dmabuf, .view_fd = -1};
  if (ioctl(fd_.get(), DRM_IOCTL_VITRINE_GPU_VIEW, &view) != 0) return Fd();
  return Fd(view.view_fd);
}

RenderNode::Job::Job(const RenderNode& node) : node_(node) {
  if (ioctl(node_.fd_.get(), DRM_IOCTL_VITRINE_GPU_JOB_BEGIN) != 0) {
    std::perror("vitrine-gpu: JOB_BEGIN"); // the job's first access to protected memory will raise SIGBUS
  }
}

RenderNode::Job::~Job() {
  if (ioctl(node_.fd_.get(), DRM_IOCTL_VITRINE_GPU_JOB_END) != 0) {
    std::perror("vitrine-gpu: JOB_END"); // the CPU may still have access to protected memory
    std::abort();
  }
}

Fd allocateProtected(size_t sizeBytes) {
  const Fd heap(::open("/dev/dma_heap/protected,secure-video", O_RDONLY | O_CLOEXEC));
  dma_heap_allocation_data allocation{.len = sizeBytes, .fd_flags = O_RDWR | O_CLOEXEC};
  if (!heap || ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &allocation) != 0) return Fd();
  return Fd(static_cast<int>(allocation.fd));
}

} // namespace vitrine::gpu
