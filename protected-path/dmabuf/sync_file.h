#pragma once

#include <span>

#include "protected-path/base/unique_fd.h"

namespace vitrine {

/** Selects the fences for which a reader must wait, or those for which a writer must wait. */
enum class FenceUse { Read, Write };

/** The implicit fences of a dma-buf as a sync file (DMA_BUF_IOCTL_EXPORT_SYNC_FILE). */
[[nodiscard]] Result<UniqueFd> exportSyncFile(int dmabufFd, FenceUse use);

/** Adds a sync file's fence to a dma-buf's implicit ones (DMA_BUF_IOCTL_IMPORT_SYNC_FILE). Borrows both fds. */
[[nodiscard]] Result<> importSyncFile(int dmabufFd, int syncFile, FenceUse use);

/** One sync file that signals when both have signalled (SYNC_IOC_MERGE). Borrows both. */
[[nodiscard]] Result<UniqueFd> mergeSyncFiles(int first, int second);

/** Whether a sync file has signalled; never waits. */
[[nodiscard]] Result<bool> syncFileSignalled(int syncFile);

/** Blocks until a sync file has signalled. */
[[nodiscard]] Result<> waitForSyncFile(int syncFile);

} // namespace vitrine
