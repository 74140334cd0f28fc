#include "protected-path/render/pixman/ycc_texels.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cstring>

#include "protected-path/render/ycc_conversion.h"

namespace vitrine::pixman {
namespace {

constexpr YccFormat table[] = {
    {DRM_FORMAT_NV12, 8, false},   {DRM_FORMAT_NV21, 8, true},    {DRM_FORMAT_NV16, 8, false},
    {DRM_FORMAT_NV61, 8, true},    {DRM_FORMAT_NV24, 8, false},   {DRM_FORMAT_NV42, 8, true},
    {DRM_FORMAT_P010, 10, false},  {DRM_FORMAT_P012, 12, false},  {DRM_FORMAT_P016, 16, false},
    {DRM_FORMAT_YUV420, 8, false}, {DRM_FORMAT_YVU420, 8, true},  {DRM_FORMAT_YUV422, 8, false},
    {DRM_FORMAT_YVU422, 8, true},  {DRM_FORMAT_YUV444, 8, false}, {DRM_FORMAT_YVU444, 8, true}};

/** A sample, 0…1. `at`: the row; `index`: of the sample in it. */
float sample(const std::byte* at, size_t index, unsigned bits) {
  if (bits == 8) return static_cast<float>(std::to_integer<uint8_t>(at[index])) / 0xff;
  uint16_t word = 0;
  std::memcpy(&word, at + index * sizeof(word), sizeof(word));
  return static_cast<float>(word) / 0xffff;
}

uint32_t byteOf(float value) {
  return static_cast<uint32_t>(std::clamp(value, 0.0F, 1.0F) * 0xff + 0.5F);
}

const std::byte* rowOf(const PixelMemory& plane, size_t row) {
  return plane.first + row * plane.strideBytes;
}

} // namespace

const YccFormat* yccFormat(uint32_t fourcc) {
  const auto* found = std::ranges::find(table, fourcc, &YccFormat::fourcc);
  return found != std::end(table) ? found : nullptr;
}

std::span<const YccFormat> yccFormats() {
  return table;
}

void convertTexels(const YccFormat& format, std::span<const PixelMemory> planes, const Rect& box,
                   const DrawCommand& command, std::span<uint32_t> to) {
  const FormatInfo& info = *formatInfo(format.fourcc);
  const YccConversion ycc = yccConversion(command.encoding, command.range, format.bits);
  const bool planar = planes.size() == 3;
  // Cb and Cr: the plane, how many samples a cell has in it, and which of them.
  const size_t perCell = planar ? 1 : 2;
  const size_t cbAt = format.crFirst ? 1 : 0;
  const size_t crAt = 1 - cbAt;
  auto pixel = to.begin();
  for (auto y = static_cast<size_t>(box.y); y < static_cast<size_t>(box.bottom()); ++y) {
    const std::byte* lumaRow = rowOf(planes[0], y);
    const std::byte* cbRow = rowOf(planes[planar ? 1 + cbAt : 1], y / info.vsub);
    const std::byte* crRow = rowOf(planes[planar ? 1 + crAt : 1], y / info.vsub);
    for (auto x = static_cast<size_t>(box.x); x < static_cast<size_t>(box.right()); ++x) {
      const size_t cell = x / info.hsub * perCell;
      const float luma = (sample(lumaRow, x, format.bits) - ycc.lumaOffset) * ycc.lumaScale;
      const float cb = sample(cbRow, planar ? cell : cell + cbAt, format.bits) - ycc.chromaOffset;
      const float cr = sample(crRow, planar ? cell : cell + crAt, format.bits) - ycc.chromaOffset;
      *pixel++ = 0xff000000U | byteOf(luma + ycc.crToRed * cr) << 16 |
                 byteOf(luma + ycc.cbToGreen * cb + ycc.crToGreen * cr) << 8 | byteOf(luma + ycc.cbToBlue * cb);
    }
  }
}

} // namespace vitrine::pixman
