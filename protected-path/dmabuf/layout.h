#pragma once

#include <array>
#include <cstdint>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/** The numbers of DmabufAttributes without the fds, and the size of each plane's dma-buf. */
struct DmabufNumbers {
  Size size;
  uint32_t fourcc = 0;
  uint64_t modifier = 0;
  unsigned planeCount = 0;
  std::array<uint32_t, 4> offsetBytes{};
  std::array<uint32_t, 4> strideBytes{};
  std::array<uint64_t, 4> dmabufSizeBytes{};
};

/**
 * Checks size, format and number of planes, for which the kernel is not needed. Pure. Errors: Refused(SizeInvalid,
 * FormatUnknown, PlaneCountWrong), in that order.
 */
[[nodiscard]] Result<const FormatInfo*> checkShape(const DmabufNumbers& numbers);

/**
 * Checks the stride and bounds of every plane against its dma-buf, in 64 bits. Pure. checkShape() must have succeeded.
 * Errors: Refused(StrideTooSmall, LayoutOutOfBounds), which names the first plane that is wrong.
 */
[[nodiscard]] Result<> checkBounds(const DmabufNumbers& numbers, const FormatInfo& format);

} // namespace vitrine
