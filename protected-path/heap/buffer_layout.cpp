#include "protected-path/heap/buffer_layout.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <format>
#include <limits>
#include <numeric>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {
namespace {

constexpr uint64_t pageBytes = 4096;            ///< dma-heap rounds up itself where the kernel's pages are larger
constexpr uint64_t largestAlignment = 64 << 10; ///< more than any device asks for

constexpr uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/**
 * Bytes of a row of plane `plane`, where plane 0 has `firstStride`. One stride follows from the other, since many
 * display controllers have one register for both.
 */
uint64_t strideOf(const FormatInfo& format, unsigned plane, uint64_t firstStride) {
  if (plane == 0) return firstStride;
  return firstStride * format.bytesPerSample[plane] / (uint64_t{format.hsub} * format.bytesPerSample[0]);
}

/** Plane 0's stride is a multiple of this, so that every plane's is a multiple of `alignment`. */
uint64_t firstStrideAlignment(const FormatInfo& format, uint64_t alignment) {
  if (format.planes == 1) return alignment;
  const uint64_t ratio = uint64_t{format.hsub} * format.bytesPerSample[0] / format.bytesPerSample[1];
  return alignment * std::max<uint64_t>(ratio, 1);
}

std::string describe(const BufferRequest& request) {
  return std::format("{}x{} {} {}", request.size.width, request.size.height, fourccName(request.fourcc),
                     modifierName(request.modifier));
}

/** The least common multiple; false where it exceeds what any device asks for. */
bool join(uint32_t& whole, uint32_t part) {
  const uint64_t joined = std::lcm(uint64_t{whole}, uint64_t{std::max(part, 1U)});
  if (joined > largestAlignment) return false;
  whole = static_cast<uint32_t>(joined);
  return true;
}

} // namespace

Result<LayoutConstraints> joinConstraints(const BufferRequest& request) {
  LayoutConstraints all;
  bool fits =
      join(all.strideAlignmentBytes, request.strideAlignmentBytes) && join(all.rowMultiple, request.rowMultiple);
  for (const ConsumerFacts& consumer : request.consumers) {
    fits = fits && join(all.strideAlignmentBytes, consumer.strideAlignmentBytes) &&
           join(all.rowMultiple, consumer.rowMultiple) && join(all.planeAlignmentBytes, consumer.planeAlignmentBytes);
    all.contiguous = all.contiguous || consumer.contiguous;
    if (!fits) return refused(Refusal::ConsumersDisagree, "join alignments with", consumer.name);
  }
  if (!fits) return refused(Refusal::ConsumersDisagree, "lay out buffer", describe(request));
  return all;
}

Result<BufferLayout> layoutFor(const BufferRequest& request) {
  constexpr const char* operation = "lay out buffer";
  const auto [width, height] = request.size;
  if (width == 0 || height == 0 || width > Dmabuf::maximumExtent || height > Dmabuf::maximumExtent) {
    return refused(Refusal::SizeInvalid, operation, describe(request));
  }
  const FormatInfo* format = formatInfo(request.fourcc);
  if (format == nullptr) return refused(Refusal::FormatUnknown, operation, describe(request));
  if (request.modifier != DRM_FORMAT_MOD_LINEAR) {
    return refused(Refusal::ModifierUnsupported, operation, describe(request), "ask for LINEAR");
  }
  const auto constraints = joinConstraints(request);
  if (!constraints) return std::unexpected(constraints.error());
  const uint64_t alignment = constraints->strideAlignmentBytes;
  const uint64_t firstStride =
      roundUp(minimumStrideBytes(*format, request.size, 0), firstStrideAlignment(*format, alignment));
  const Size laidOut{width, static_cast<uint32_t>(roundUp(height, constraints->rowMultiple))};
  BufferLayout layout;
  layout.planeCount = format->planes;
  uint64_t end = 0;
  for (unsigned plane = 0; plane < layout.planeCount; ++plane) {
    // An odd width has a chroma sample more than half of it.
    const uint64_t stride = std::max(strideOf(*format, plane, firstStride),
                                     roundUp(minimumStrideBytes(*format, request.size, plane), alignment));
    const uint64_t offset = roundUp(end, constraints->planeAlignmentBytes);
    end = offset + stride * planeSize(*format, laidOut, plane).height;
    if (end > std::numeric_limits<uint32_t>::max()) return refused(Refusal::SizeInvalid, operation, describe(request));
    layout.offsetBytes[plane] = static_cast<uint32_t>(offset);
    layout.strideBytes[plane] = static_cast<uint32_t>(stride);
  }
  layout.sizeBytes = roundUp(end, pageBytes);
  return layout;
}

} // namespace vitrine
