#include "tests/clients/late_gpu.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstdint>

namespace vitrine {

Result<LateGpu> LateGpu::start() {
  UniqueFd device(open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC));
  if (!device) return systemError("open", "/sys/kernel/debug/sync/sw_sync", 0, "mount debugfs; CONFIG_SW_SYNC");
  struct {
    uint32_t value;
    char name[32];
    int32_t fence;
  } request{1, "late", -1};
  if (ioctl(device.get(), _IOWR('W', 0, decltype(request)), &request) != 0)
    return systemError("create fence", "sw_sync");
  return LateGpu(std::move(device), UniqueFd(request.fence));
}

Result<> LateGpu::finish() const {
  uint32_t by = 1;
  if (ioctl(device_.get(), _IOW('W', 1, uint32_t), &by) != 0) return systemError("signal", "sw_sync");
  return {};
}

} // namespace vitrine
