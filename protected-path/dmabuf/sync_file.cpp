#include "protected-path/dmabuf/sync_file.h"

#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <format>

namespace vitrine {
namespace {

uint32_t flagsFor(FenceUse use) {
  return use == FenceUse::Read ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE;
}

Result<bool> pollSyncFile(int syncFile, int milliseconds) {
  pollfd request{syncFile, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&request, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return systemError("poll", std::format("sync file {}", syncFile));
  if ((request.revents & (POLLNVAL | POLLERR)) != 0)
    return systemError("poll", std::format("sync file {}", syncFile), EBADF);
  return (request.revents & POLLIN) != 0;
}

} // namespace

Result<UniqueFd> exportSyncFile(int dmabufFd, FenceUse use) {
  dma_buf_export_sync_file request{flagsFor(use), -1};
  if (ioctl(dmabufFd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request) != 0) {
    return systemError("DMA_BUF_IOCTL_EXPORT_SYNC_FILE", std::format("fd {}", dmabufFd));
  }
  return UniqueFd(request.fd);
}

Result<> importSyncFile(int dmabufFd, int syncFile, FenceUse use) {
  dma_buf_import_sync_file request{flagsFor(use), syncFile};
  if (ioctl(dmabufFd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request) != 0) {
    return systemError("DMA_BUF_IOCTL_IMPORT_SYNC_FILE", std::format("fd {} with sync file {}", dmabufFd, syncFile));
  }
  return {};
}

Result<UniqueFd> mergeSyncFiles(int first, int second) {
  sync_merge_data request{};
  std::strncpy(request.name, "vitrine", sizeof(request.name) - 1);
  request.fd2 = second;
  request.fence = -1;
  if (ioctl(first, SYNC_IOC_MERGE, &request) != 0) {
    return systemError("SYNC_IOC_MERGE", std::format("sync files {} and {}", first, second));
  }
  return UniqueFd(request.fence);
}

Result<bool> syncFileSignalled(int syncFile) {
  return pollSyncFile(syncFile, 0);
}

Result<> waitForSyncFile(int syncFile) {
  const auto signalled = pollSyncFile(syncFile, -1);
  if (!signalled) return std::unexpected(signalled.error());
  return {};
}

} // namespace vitrine
