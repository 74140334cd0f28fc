#include "tests/unit/format_samples.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <ranges>
#include <stdexcept>

namespace vitrine::test {
namespace {

/** A component of a packed RGB format: its lowest bit in the little-endian word, and its number of bits. */
struct RgbComponent {
  unsigned shift = 0;
  unsigned bits = 0; ///< 0: the format has no such component
};

/** The memory layout of a packed RGB format. */
struct RgbLayout {
  uint32_t fourcc;
  RgbComponent red, green, blue, alpha = {};
  bool halfFloat = false; ///< IEEE 754 binary16, otherwise unsigned normalised
};

/** The memory layout of a YCbCr format's samples. */
struct YccLayout {
  uint32_t fourcc;
  unsigned bits; ///< significant, at the high end of 8 or 16
  bool crFirst;
};

constexpr RgbLayout rgbTable[] = {{DRM_FORMAT_XRGB8888, {16, 8}, {8, 8}, {0, 8}},
                                  {DRM_FORMAT_ARGB8888, {16, 8}, {8, 8}, {0, 8}, {24, 8}},
                                  {DRM_FORMAT_XBGR8888, {0, 8}, {8, 8}, {16, 8}},
                                  {DRM_FORMAT_ABGR8888, {0, 8}, {8, 8}, {16, 8}, {24, 8}},
                                  {DRM_FORMAT_RGBX8888, {24, 8}, {16, 8}, {8, 8}},
                                  {DRM_FORMAT_RGBA8888, {24, 8}, {16, 8}, {8, 8}, {0, 8}},
                                  {DRM_FORMAT_BGRX8888, {8, 8}, {16, 8}, {24, 8}},
                                  {DRM_FORMAT_BGRA8888, {8, 8}, {16, 8}, {24, 8}, {0, 8}},
                                  {DRM_FORMAT_RGB565, {11, 5}, {5, 6}, {0, 5}},
                                  {DRM_FORMAT_BGR565, {0, 5}, {5, 6}, {11, 5}},
                                  {DRM_FORMAT_XRGB2101010, {20, 10}, {10, 10}, {0, 10}},
                                  {DRM_FORMAT_ARGB2101010, {20, 10}, {10, 10}, {0, 10}, {30, 2}},
                                  {DRM_FORMAT_XBGR2101010, {0, 10}, {10, 10}, {20, 10}},
                                  {DRM_FORMAT_ABGR2101010, {0, 10}, {10, 10}, {20, 10}, {30, 2}},
                                  {DRM_FORMAT_XRGB16161616, {32, 16}, {16, 16}, {0, 16}},
                                  {DRM_FORMAT_ARGB16161616, {32, 16}, {16, 16}, {0, 16}, {48, 16}},
                                  {DRM_FORMAT_XBGR16161616, {0, 16}, {16, 16}, {32, 16}},
                                  {DRM_FORMAT_ABGR16161616, {0, 16}, {16, 16}, {32, 16}, {48, 16}},
                                  {DRM_FORMAT_XBGR16161616F, {0, 16}, {16, 16}, {32, 16}, {}, true},
                                  {DRM_FORMAT_ABGR16161616F, {0, 16}, {16, 16}, {32, 16}, {48, 16}, true}};

constexpr YccLayout yccTable[] = {
    {DRM_FORMAT_NV12, 8, false},   {DRM_FORMAT_NV21, 8, true},    {DRM_FORMAT_NV16, 8, false},
    {DRM_FORMAT_NV61, 8, true},    {DRM_FORMAT_NV24, 8, false},   {DRM_FORMAT_NV42, 8, true},
    {DRM_FORMAT_P010, 10, false},  {DRM_FORMAT_P012, 12, false},  {DRM_FORMAT_P016, 16, false},
    {DRM_FORMAT_YUV420, 8, false}, {DRM_FORMAT_YVU420, 8, true},  {DRM_FORMAT_YUV422, 8, false},
    {DRM_FORMAT_YVU422, 8, true},  {DRM_FORMAT_YUV444, 8, false}, {DRM_FORMAT_YVU444, 8, true}};

uint8_t byteOf(double value) {
  return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255));
}

template<typename Layout, size_t Count>
const Layout& layoutOf(const Layout (&table)[Count], uint32_t fourcc) {
  const auto found = std::ranges::find(table, fourcc, &Layout::fourcc);
  if (found == std::end(table)) throw std::runtime_error("no layout for " + fourccName(fourcc));
  return *found;
}

// ---- RGB ----

/** IEEE 754 binary16, of no more than 1. */
double halfFloat(uint64_t bits) {
  const auto exponent = static_cast<int>(bits >> 10 & 0x1f);
  const auto mantissa = static_cast<double>(bits & 0x3ff);
  return exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
}

double valueOf(uint64_t word, const RgbComponent& component, bool isFloat) {
  if (component.bits == 0) return 1; // opaque
  const uint64_t top = (uint64_t{1} << component.bits) - 1;
  const uint64_t bits = word >> component.shift & top;
  return isFloat ? halfFloat(bits) : static_cast<double>(bits) / static_cast<double>(top);
}

Picture unpack(TestBuffer& buffer, const RgbLayout& layout) {
  const size_t bytes = buffer.dmabuf().format().bytesPerSample[0];
  Picture result(static_cast<int>(buffer.dmabuf().size().width), static_cast<int>(buffer.dmabuf().size().height));
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      uint64_t word = 0;
      std::memcpy(&word, &buffer.row(0, static_cast<uint32_t>(y))[static_cast<size_t>(x) * bytes], bytes);
      const auto byte = [&](const RgbComponent& of) { return byteOf(valueOf(word, of, layout.halfFloat)); };
      result.at(x, y) = {byte(layout.blue), byte(layout.green), byte(layout.red), byte(layout.alpha)};
    }
  }
  return result;
}

void fillHalfFloats(TestBuffer& buffer, std::mt19937& random) {
  for (uint32_t y = 0; y < buffer.dmabuf().size().height; ++y) {
    const auto row = buffer.row(0, y);
    for (size_t i = 0; i < size_t{buffer.dmabuf().size().width} * 4; ++i) {
      const auto half = static_cast<uint16_t>(random() % (0x3c00 + 1)); // 0 to 1
      std::memcpy(&row[i * 2], &half, 2);
    }
  }
}

// ---- YCbCr ----

struct Rgb {
  double red, green, blue;
};

/** The definitions of ITU-R BT.601-7, BT.709-6 and BT.2020-2, from code values of `bits` bits. */
Rgb rgbOf(ColorEncoding encoding, ColorRange range, unsigned bits, double y, double cb, double cr) {
  const double kr = encoding == ColorEncoding::Bt601 ? 0.299 : encoding == ColorEncoding::Bt709 ? 0.2126 : 0.2627;
  const double kb = encoding == ColorEncoding::Bt601 ? 0.114 : encoding == ColorEncoding::Bt709 ? 0.0722 : 0.0593;
  const double step = std::pow(2.0, bits - 8);
  const double top = std::pow(2.0, bits) - 1;
  const bool limited = range == ColorRange::Limited;
  const double luma = limited ? (y - 16 * step) / (219 * step) : y / top;
  const double blueDifference = (cb - 128 * step) / (limited ? 224 * step : top);
  const double redDifference = (cr - 128 * step) / (limited ? 224 * step : top);
  const double red = luma + 2 * (1 - kr) * redDifference;
  const double blue = luma + 2 * (1 - kb) * blueDifference;
  return {red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue};
}

/** One sample: the code value of `bits` bits at the high end of its container. */
uint32_t sample(TestBuffer& buffer, unsigned plane, uint32_t index, uint32_t y, unsigned bits) {
  const auto row = buffer.row(plane, y);
  if (bits == 8) return row[index];
  uint16_t word = 0;
  std::memcpy(&word, &row[index * 2], 2);
  return word >> (16 - bits);
}

/** How chroma is reconstructed. */
struct Chroma {
  ChromaLocation location;
  Rect crop;
};

/** Where the first sample of one axis was taken, in pixels from the centre of its first pixel, by H.273's figure. */
double firstColumn(ChromaLocation location) {
  using enum ChromaLocation;
  return location == Left || location == TopLeft || location == BottomLeft ? 0 : 0.5;
}
double firstRow(ChromaLocation location) {
  using enum ChromaLocation;
  return location == TopLeft || location == Top ? 0 : location == BottomLeft || location == Bottom ? 1 : 0.5;
}

/** The samples on both sides of a pixel, and the second one's share. */
struct Neighbours {
  uint32_t first, second;
  double share;
};
Neighbours neighbours(int pixel, double place, int subsampling, int start, int length) {
  if (subsampling == 1) return {static_cast<uint32_t>(pixel), static_cast<uint32_t>(pixel), 0};
  const int low = start / subsampling;
  const int high = (start + length - 1) / subsampling;
  const double at = std::clamp((pixel - place) / subsampling, double(low), double(high));
  const int first = static_cast<int>(at);
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(std::min(first + 1, high)), at - first};
}

Picture convert(TestBuffer& buffer, const YccLayout& layout, ColorEncoding encoding, ColorRange range,
                const Chroma& how) {
  const FormatInfo& format = buffer.dmabuf().format();
  Picture result(static_cast<int>(buffer.dmabuf().size().width), static_cast<int>(buffer.dmabuf().size().height));
  const Rect crop = how.crop.empty() ? Rect{0, 0, result.width, result.height} : how.crop;
  const bool planar = format.planes == 3;
  for (int y = crop.y; y < crop.bottom(); ++y) {
    const Neighbours rows = neighbours(y, firstRow(how.location), format.vsub, crop.y, crop.height);
    for (int x = crop.x; x < crop.right(); ++x) {
      const Neighbours columns = neighbours(x, firstColumn(how.location), format.hsub, crop.x, crop.width);
      const auto chroma = [&](unsigned which) {
        const auto at = [&](uint32_t column, uint32_t row) {
          return double(planar ? sample(buffer, 1 + which, column, row, layout.bits)
                               : sample(buffer, 1, column * 2 + which, row, layout.bits));
        };
        const double above = std::lerp(at(columns.first, rows.first), at(columns.second, rows.first), columns.share);
        const double below = std::lerp(at(columns.first, rows.second), at(columns.second, rows.second), columns.share);
        return std::lerp(above, below, rows.share);
      };
      const Rgb rgb = rgbOf(encoding, range, layout.bits,
                            sample(buffer, 0, static_cast<uint32_t>(x), static_cast<uint32_t>(y), layout.bits),
                            chroma(layout.crFirst ? 1 : 0), chroma(layout.crFirst ? 0 : 1));
      result.at(x, y) = {byteOf(rgb.blue), byteOf(rgb.green), byteOf(rgb.red), 255};
    }
  }
  return result;
}

/** Fills the whole buffer with samples of `bits` bits at the high end of their container. */
void fillSamples(TestBuffer& buffer, unsigned bits, std::mt19937& random) {
  const FormatInfo& format = buffer.dmabuf().format();
  for (unsigned plane = 0; plane < format.planes; ++plane) {
    const Size size = planeSize(format, buffer.dmabuf().size(), plane);
    for (uint32_t y = 0; y < size.height; ++y) {
      const auto row = buffer.row(plane, y);
      const uint32_t samples = size.width * format.bytesPerSample[plane] / (bits == 8 ? 1 : 2);
      for (uint32_t i = 0; i < samples; ++i) {
        const auto choice = random() % 10;
        const uint32_t top = (1U << bits) - 1;
        const uint32_t value = choice == 0 ? 0 : choice == 1 ? top : static_cast<uint32_t>(random() & top);
        const auto word = static_cast<uint16_t>(value << (16 - bits));
        if (bits == 8) {
          row[i] = static_cast<uint8_t>(value);
        } else {
          std::memcpy(&row[i * 2], &word, 2);
        }
      }
    }
  }
}

} // namespace

std::vector<uint32_t> rgbFormats() {
  return std::ranges::to<std::vector>(rgbTable | std::views::transform(&RgbLayout::fourcc));
}

std::vector<uint32_t> yccFormats() {
  return std::ranges::to<std::vector>(yccTable | std::views::transform(&YccLayout::fourcc));
}

void fillRandom(TestBuffer& buffer, unsigned seed) {
  std::mt19937 random(seed);
  const uint32_t fourcc = buffer.dmabuf().fourcc();
  if (buffer.dmabuf().format().isYuv) {
    fillSamples(buffer, layoutOf(yccTable, fourcc).bits, random);
  } else if (layoutOf(rgbTable, fourcc).halfFloat) {
    fillHalfFloats(buffer, random);
  } else {
    fillSamples(buffer, 8, random); // any bytes are valid words
  }
}

Picture pictureOf(TestBuffer& buffer, ColorEncoding encoding, ColorRange range, ChromaLocation location,
                  const Rect& crop) {
  const uint32_t fourcc = buffer.dmabuf().fourcc();
  return buffer.dmabuf().format().isYuv ? convert(buffer, layoutOf(yccTable, fourcc), encoding, range, {location, crop})
                                        : unpack(buffer, layoutOf(rgbTable, fourcc));
}

bool samplesLinear(const Renderer& renderer, uint32_t fourcc) {
  return std::ranges::contains(renderer.sampledFormats(), FormatModifier{fourcc, DRM_FORMAT_MOD_LINEAR});
}

} // namespace vitrine::test
