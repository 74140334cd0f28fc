#include "protected-path/base/format.h"

#include <drm_fourcc.h>

#include <format>

namespace vitrine {
namespace {

constexpr FormatInfo rgb(uint32_t fourcc, const char* name, uint8_t bytes, uint32_t opaque = 0) {
  return {fourcc, name, 1, {bytes, 0, 0}, 1, 1, false, opaque != 0, opaque != 0 ? opaque : fourcc};
}

constexpr FormatInfo semiPlanar(uint32_t fourcc, const char* name, uint8_t bytes, uint8_t hsub, uint8_t vsub) {
  return {fourcc, name, 2, {bytes, static_cast<uint8_t>(2 * bytes), 0}, hsub, vsub, true, false, fourcc};
}

constexpr FormatInfo planar(uint32_t fourcc, const char* name, uint8_t hsub, uint8_t vsub) {
  return {fourcc, name, 3, {1, 1, 1}, hsub, vsub, true, false, fourcc};
}

constexpr FormatInfo table[] = {
    rgb(DRM_FORMAT_XRGB8888, "XRGB8888", 4),
    rgb(DRM_FORMAT_ARGB8888, "ARGB8888", 4, DRM_FORMAT_XRGB8888),
    rgb(DRM_FORMAT_XBGR8888, "XBGR8888", 4),
    rgb(DRM_FORMAT_ABGR8888, "ABGR8888", 4, DRM_FORMAT_XBGR8888),
    rgb(DRM_FORMAT_RGBX8888, "RGBX8888", 4),
    rgb(DRM_FORMAT_RGBA8888, "RGBA8888", 4, DRM_FORMAT_RGBX8888),
    rgb(DRM_FORMAT_BGRX8888, "BGRX8888", 4),
    rgb(DRM_FORMAT_BGRA8888, "BGRA8888", 4, DRM_FORMAT_BGRX8888),
    rgb(DRM_FORMAT_RGB888, "RGB888", 3),
    rgb(DRM_FORMAT_BGR888, "BGR888", 3),
    rgb(DRM_FORMAT_RGB565, "RGB565", 2),
    rgb(DRM_FORMAT_BGR565, "BGR565", 2),
    rgb(DRM_FORMAT_XRGB2101010, "XRGB2101010", 4),
    rgb(DRM_FORMAT_ARGB2101010, "ARGB2101010", 4, DRM_FORMAT_XRGB2101010),
    rgb(DRM_FORMAT_XBGR2101010, "XBGR2101010", 4),
    rgb(DRM_FORMAT_ABGR2101010, "ABGR2101010", 4, DRM_FORMAT_XBGR2101010),
    rgb(DRM_FORMAT_XRGB16161616, "XRGB16161616", 8),
    rgb(DRM_FORMAT_ARGB16161616, "ARGB16161616", 8, DRM_FORMAT_XRGB16161616),
    rgb(DRM_FORMAT_XBGR16161616, "XBGR16161616", 8),
    rgb(DRM_FORMAT_ABGR16161616, "ABGR16161616", 8, DRM_FORMAT_XBGR16161616),
    rgb(DRM_FORMAT_XBGR16161616F, "XBGR16161616F", 8),
    rgb(DRM_FORMAT_ABGR16161616F, "ABGR16161616F", 8, DRM_FORMAT_XBGR16161616F),
    semiPlanar(DRM_FORMAT_NV12, "NV12", 1, 2, 2),
    semiPlanar(DRM_FORMAT_NV21, "NV21", 1, 2, 2),
    semiPlanar(DRM_FORMAT_NV16, "NV16", 1, 2, 1),
    semiPlanar(DRM_FORMAT_NV61, "NV61", 1, 2, 1),
    semiPlanar(DRM_FORMAT_NV24, "NV24", 1, 1, 1),
    semiPlanar(DRM_FORMAT_NV42, "NV42", 1, 1, 1),
    semiPlanar(DRM_FORMAT_P010, "P010", 2, 2, 2),
    semiPlanar(DRM_FORMAT_P012, "P012", 2, 2, 2),
    semiPlanar(DRM_FORMAT_P016, "P016", 2, 2, 2),
    planar(DRM_FORMAT_YUV420, "YUV420", 2, 2),
    planar(DRM_FORMAT_YVU420, "YVU420", 2, 2),
    planar(DRM_FORMAT_YUV422, "YUV422", 2, 1),
    planar(DRM_FORMAT_YVU422, "YVU422", 2, 1),
    planar(DRM_FORMAT_YUV444, "YUV444", 1, 1),
    planar(DRM_FORMAT_YVU444, "YVU444", 1, 1),
};

} // namespace

const FormatInfo* formatInfo(uint32_t fourcc) {
  for (const FormatInfo& info : table) {
    if (info.fourcc == fourcc) return &info;
  }
  return nullptr;
}

std::span<const FormatInfo> allFormats() {
  return table;
}

Size planeSize(const FormatInfo& format, Size size, unsigned plane) {
  if (plane == 0) return size;
  const auto divided = [](uint32_t extent, uint32_t by) { return extent / by + (extent % by != 0 ? 1 : 0); };
  return {divided(size.width, format.hsub), divided(size.height, format.vsub)};
}

uint64_t minimumStrideBytes(const FormatInfo& format, Size size, unsigned plane) {
  return uint64_t{planeSize(format, size, plane).width} * format.bytesPerSample[plane];
}

std::string fourccName(uint32_t fourcc) {
  if (const FormatInfo* info = formatInfo(fourcc)) return info->name;
  std::string name;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    const char character = static_cast<char>((fourcc >> shift) & 0x7f);
    name += character >= ' ' && character < 0x7f ? character : '?';
  }
  while (name.size() > 1 && name.back() == ' ') // `R8  ` is padded with spaces
    name.pop_back();
  return name;
}

std::string modifierName(uint64_t modifier) {
  if (modifier == DRM_FORMAT_MOD_LINEAR) return "LINEAR";
  if (modifier == DRM_FORMAT_MOD_INVALID) return "INVALID";
  return std::format("0x{:016x}", modifier);
}

const char* colorEncodingName(ColorEncoding encoding) {
  switch (encoding) {
  case ColorEncoding::Bt601:
    return "BT.601";
  case ColorEncoding::Bt709:
    return "BT.709";
  case ColorEncoding::Bt2020:
    return "BT.2020";
  }
  return "?";
}

const char* colorRangeName(ColorRange range) {
  return range == ColorRange::Limited ? "limited" : "full";
}

} // namespace vitrine
