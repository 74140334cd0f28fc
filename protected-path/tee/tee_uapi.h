#pragma once

#include <linux/tee.h>

#include <cstdint>

namespace vitrine {

/**
 * TEE_IOC_SHM_REGISTER_FD (Linux 6.18), which is not in Debian 13's linux/tee.h. An older kernel fails it with EINVAL,
 * like every unknown ioctl of its TEE subsystem.
 */
struct TeeShmRegisterFd {
  int64_t fd;         ///< in: the dma-buf
  uint64_t sizeBytes; ///< out
  uint32_t flags;     ///< in: 0
  int32_t id;         ///< out: for the field `c` of a parameter
};
static_assert(sizeof(TeeShmRegisterFd) == 24);

inline constexpr unsigned long teeIocShmRegisterFd = _IOWR(TEE_IOC_MAGIC, TEE_IOC_BASE + 8, TeeShmRegisterFd);

/** Implementation ids of newer headers (linux/tee.h, TEE_IMPL_ID_*). */
inline constexpr uint32_t teeImplementationQtee = 4;
/** The platform's simulated secure world (tests/platform/kernel). */
inline constexpr uint32_t teeImplementationVitrine = 0x56495452;

/** GlobalPlatform's TEE_SUCCESS. Every other result is an error (teeResultName()). */
inline constexpr uint32_t teeSuccess = 0;

} // namespace vitrine
