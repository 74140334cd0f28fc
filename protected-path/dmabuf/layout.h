#pragma once

#include <array>
#include <cstdint>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/** The numbers of DmabufAttributes without its fds, with the size of each plane's own dma-buf. */
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
 * What can be checked without asking the kernel: size, format, number of planes. Pure.
 * Refused(SizeInvalid, FormatUnknown, PlaneCountWrong), in that order.
 */
[[nodiscard]] Result<const FormatInfo*> checkShape(const DmabufNumbers& numbers);

/**
 * Strides and bounds of every plane against its own dma-buf, in 64 bits. Pure. Asks for a shape that checkShape() took.
 * Refused(StrideTooSmall, LayoutOutOfBounds), naming the first plane that is wrong.
 */
[[nodiscard]] Result<> checkBounds(const DmabufNumbers& numbers, const FormatInfo& format);

} // namespace vitrine
