#include "protected-path/render/pixman/ycc_texels.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>
#include <cmath>
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

/** The two samples of chroma around a pixel, and the second one's share. */
struct Tap {
  size_t first;
  size_t second;
  float part;
};

/** One axis of a box of pixels, from `first` to `last`. */
struct Taps {
  int32_t first;
  int32_t last;
  int32_t subsampling;
  float shift;

  [[nodiscard]] Tap at(int32_t pixel) const {
    const auto low = static_cast<float>(first / subsampling);
    const auto high = static_cast<float>(last / subsampling);
    const float centre = (static_cast<float>(pixel) + 0.5F) / static_cast<float>(subsampling) + shift - 0.5F;
    const float position = std::clamp(centre, low, high);
    const float whole = std::floor(position);
    return {static_cast<size_t>(whole), static_cast<size_t>(std::min(whole + 1, high)), position - whole};
  }
};

/** Pixels that are converted together: so many that their samples of chroma fit on the stack. */
constexpr int32_t stripWidth = 256;

float between(float first, float second, float part) {
  return first + (second - first) * part;
}

/** Cb or Cr of all cells. */
struct ChromaSamples {
  const PixelMemory& plane;
  size_t index;   ///< in a cell
  size_t perCell; ///< samples in the plane
  unsigned bits;

  /** The samples of cells side by side, from `firstCell`, between two rows of them. */
  void interpolate(const Tap& row, size_t firstCell, std::span<float> to) const {
    const std::byte* upper = rowOf(plane, row.first);
    const std::byte* lower = rowOf(plane, row.second);
    size_t at = firstCell * perCell + index;
    for (float& value : to) {
      value = between(sample(upper, at, bits), sample(lower, at, bits), row.part);
      at += perCell;
    }
  }
};

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
  const ChromaShift shift = chromaShift(command.chroma, info);
  const bool planar = planes.size() == 3;
  const size_t cbAt = format.crFirst ? 1 : 0;
  const size_t crAt = 1 - cbAt;
  const auto samplesOf = [&](size_t at) {
    return planar ? ChromaSamples{planes[1 + at], 0, 1, format.bits} : ChromaSamples{planes[1], at, 2, format.bits};
  };
  const ChromaSamples cbSamples = samplesOf(cbAt);
  const ChromaSamples crSamples = samplesOf(crAt);
  const Taps columns{box.x, box.right() - 1, info.hsub, shift.x};
  const Taps rows{box.y, box.bottom() - 1, info.vsub, shift.y};
  std::array<Tap, stripWidth> taps{};
  std::array<float, stripWidth + 1> cbRow{};
  std::array<float, stripWidth + 1> crRow{};
  for (int32_t left = box.x; left < box.right(); left += stripWidth) {
    const std::span<Tap> across(taps.data(), static_cast<size_t>(std::min(stripWidth, box.right() - left)));
    for (int32_t x = left; Tap & column : across)
      column = columns.at(x++);
    const size_t firstCell = across.front().first;
    const size_t cells = across.back().second - firstCell + 1;
    for (int32_t y = box.y; y < box.bottom(); ++y) {
      const Tap row = rows.at(y);
      cbSamples.interpolate(row, firstCell, {cbRow.data(), cells});
      crSamples.interpolate(row, firstCell, {crRow.data(), cells});
      const std::byte* lumaRow = rowOf(planes[0], static_cast<size_t>(y));
      auto x = static_cast<size_t>(left);
      auto pixel = to.begin() + (static_cast<ptrdiff_t>(y - box.y) * box.width + (left - box.x));
      for (const Tap& column : across) {
        const size_t first = column.first - firstCell;
        const size_t second = column.second - firstCell;
        const float luma = (sample(lumaRow, x++, format.bits) - ycc.lumaOffset) * ycc.lumaScale;
        const float cb = between(cbRow[first], cbRow[second], column.part) - ycc.chromaOffset;
        const float cr = between(crRow[first], crRow[second], column.part) - ycc.chromaOffset;
        *pixel++ = 0xff000000U | byteOf(luma + ycc.crToRed * cr) << 16 |
                   byteOf(luma + ycc.cbToGreen * cb + ycc.crToGreen * cr) << 8 | byteOf(luma + ycc.cbToBlue * cb);
      }
    }
  }
}

} // namespace vitrine::pixman
