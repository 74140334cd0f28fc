#include "tests/board/plane-bench/sw_sync.h"

#include <fcntl.h>
#include <linux/types.h>
#include <sys/ioctl.h>

namespace vitrine::bench {
namespace {

constexpr const char* node = "/sys/kernel/debug/sync/sw_sync";

// The interface has no public header: drivers/dma-buf/sw_sync.c.
struct CreateFence {
  __u32 value;
  char name[32];
  __s32 fence;
};
constexpr unsigned long ioctlCreateFence = _IOWR('W', 0, CreateFence);
constexpr unsigned long ioctlIncrement = _IOW('W', 1, __u32);

} // namespace

Result<SwSync> SwSync::open() {
  UniqueFd fd(::open(node, O_RDWR | O_CLOEXEC));
  if (!fd) return systemError("open", node, 0, "it needs root, debugfs and a kernel with CONFIG_SW_SYNC");
  return SwSync(std::move(fd));
}

Result<UniqueFd> SwSync::createFence() const {
  CreateFence request{++next_, "vitrine-plane-bench", -1};
  if (ioctl(timeline_.get(), ioctlCreateFence, &request) != 0) return systemError("SW_SYNC_IOC_CREATE_FENCE", node);
  return UniqueFd(request.fence);
}

Result<> SwSync::signal() const {
  __u32 step = 1;
  if (ioctl(timeline_.get(), ioctlIncrement, &step) != 0) return systemError("SW_SYNC_IOC_INC", node);
  return {};
}

} // namespace vitrine::bench
