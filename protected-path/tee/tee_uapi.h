#pragma once

#include <linux/tee.h>

#include <cstdint>

namespace vitrine {

/**
 * TEE_IOC_SHM_REGISTER_FD (Linux 6.18), which Debian 13's linux/tee.h does not have yet. An older kernel answers it
 * with EINVAL, like every ioctl that its TEE subsystem does not know.
 */
struct TeeShmRegisterFd {
  int64_t fd;         ///< in: the dma-buf
  uint64_t sizeBytes; ///< out
  uint32_t flags;     ///< in: 0
  int32_t id;         ///< out: for a parameter's `c`
};
static_assert(sizeof(TeeShmRegisterFd) == 24);

inline constexpr unsigned long teeIocShmRegisterFd = _IOWR(TEE_IOC_MAGIC, TEE_IOC_BASE + 8, TeeShmRegisterFd);

/** Implementation ids that newer headers name (linux/tee.h, TEE_IMPL_ID_*). */
inline constexpr uint32_t teeImplementationQtee = 4;
/** The platform's simulated secure world (tests/platform/kernel). */
inline constexpr uint32_t teeImplementationVitrine = 0x56495452;

/** GlobalPlatform's TEE_SUCCESS; every other result is an error (teeResultName()). */
inline constexpr uint32_t teeSuccess = 0;

} // namespace vitrine
