#include "protected-path/dmabuf/layout.h"

#include <drm_fourcc.h>

#include <format>

namespace vitrine {
namespace {

constexpr const char* operation = "check dma-buf";

std::string describe(const DmabufNumbers& numbers) {
  return std::format("{}x{} {} {}", numbers.size.width, numbers.size.height, fourccName(numbers.fourcc),
                     modifierName(numbers.modifier));
}

std::string describePlane(const DmabufNumbers& numbers, unsigned plane) {
  return std::format("{}, plane {} (offset {}, stride {}, dma-buf of {} bytes)", describe(numbers), plane,
                     numbers.offsetBytes[plane], numbers.strideBytes[plane], numbers.dmabufSizeBytes[plane]);
}

/**
 * Whether the layout is row by row. An implicit modifier counts as such: an importer without more knowledge reads the
 * buffer row by row, and no tiled layout is smaller than that.
 */
bool isRowByRow(uint64_t modifier) {
  return modifier == DRM_FORMAT_MOD_LINEAR || modifier == DRM_FORMAT_MOD_INVALID;
}

Result<> checkRows(const DmabufNumbers& numbers, const FormatInfo& format, unsigned plane) {
  const uint64_t stride = numbers.strideBytes[plane];
  if (stride < minimumStrideBytes(format, numbers.size, plane)) {
    return refused(Refusal::StrideTooSmall, operation, describePlane(numbers, plane));
  }
  // 2^32 × 2^14 + 2^32 is far below 2^64, so nothing here can overflow.
  const uint64_t end = numbers.offsetBytes[plane] + stride * planeSize(format, numbers.size, plane).height;
  if (end > numbers.dmabufSizeBytes[plane]) {
    return refused(Refusal::LayoutOutOfBounds, operation, describePlane(numbers, plane));
  }
  return {};
}

} // namespace

Result<const FormatInfo*> checkShape(const DmabufNumbers& numbers) {
  const auto [width, height] = numbers.size;
  if (width == 0 || height == 0 || width > Dmabuf::maximumExtent || height > Dmabuf::maximumExtent) {
    return refused(Refusal::SizeInvalid, operation, describe(numbers));
  }
  const FormatInfo* format = formatInfo(numbers.fourcc);
  if (format == nullptr) return refused(Refusal::FormatUnknown, operation, describe(numbers));
  // Modifiers may add planes (compression, clear colour), but never remove one.
  const bool countFits = isRowByRow(numbers.modifier)
                             ? numbers.planeCount == format->planes
                             : numbers.planeCount >= format->planes && numbers.planeCount <= numbers.strideBytes.size();
  if (!countFits) {
    return refused(Refusal::PlaneCountWrong, operation,
                   std::format("{} with {} planes", describe(numbers), numbers.planeCount));
  }
  return format;
}

Result<> checkBounds(const DmabufNumbers& numbers, const FormatInfo& format) {
  for (unsigned plane = 0; plane < numbers.planeCount; ++plane) {
    if (isRowByRow(numbers.modifier)) {
      if (auto rows = checkRows(numbers, format, plane); !rows) return rows;
    } else if (numbers.offsetBytes[plane] >= numbers.dmabufSizeBytes[plane]) {
      return refused(Refusal::LayoutOutOfBounds, operation, describePlane(numbers, plane));
    }
  }
  return {};
}

} // namespace vitrine
