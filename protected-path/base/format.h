#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protected-path/base/geometry.h"

namespace vitrine {

/** Matrix from YCbCr to RGB; KMS property COLOR_ENCODING. */
enum class ColorEncoding : uint8_t { Bt601, Bt709, Bt2020 };

/** KMS property COLOR_RANGE. */
enum class ColorRange : uint8_t { Limited, Full };

/**
 * Where a sample of chroma was taken, relative to the pixels that it covers, if the planes of chroma have fewer samples. Horizontally at
 * the left pixel or in the middle of both, vertically at the upper pixel, in the middle or at the lower one. The order is that of H.273's
 * Chroma420SampleLocType; for 4:2:2 only the horizontal place counts. MPEG-2, H.264 and HEVC mean Left unless they say otherwise.
 */
enum class ChromaLocation : uint8_t { Left, Center, TopLeft, Top, BottomLeft, Bottom };

/** Facts about a DRM fourcc (drm_fourcc.h). */
struct FormatInfo {
  uint32_t fourcc;
  const char* name; ///< `NV12`
  uint8_t planes;
  /** Bytes of one sample position of each plane: NV12 is {1, 2, 0}. */
  std::array<uint8_t, 3> bytesPerSample;
  /** Horizontal and vertical subsampling of planes 1 and 2. */
  uint8_t hsub;
  uint8_t vsub;
  bool isYuv;
  bool hasAlpha;
  /** The same layout without alpha (XRGB8888 for ARGB8888), or the format itself if there is none. */
  uint32_t opaque;
};

/** The table's entry, or null for a fourcc that Vitrine does not know. */
[[nodiscard]] const FormatInfo* formatInfo(uint32_t fourcc);

/** Every format of the table. */
[[nodiscard]] std::span<const FormatInfo> allFormats();

/** Columns × rows of samples in plane `plane` of a buffer of `size` pixels (odd sizes round up). */
[[nodiscard]] Size planeSize(const FormatInfo& format, Size size, unsigned plane);

/** Shortest legal row of plane `plane` in bytes. */
[[nodiscard]] uint64_t minimumStrideBytes(const FormatInfo& format, Size size, unsigned plane);

/** `NV12`; for a fourcc that is not in the table, its characters: `R8`. */
[[nodiscard]] std::string fourccName(uint32_t fourcc);

/** `LINEAR`, `INVALID` or `0x…`. */
[[nodiscard]] std::string modifierName(uint64_t modifier);

/** A fourcc with a modifier. */
struct FormatModifier {
  uint32_t fourcc = 0;
  uint64_t modifier = 0;
  auto operator<=>(const FormatModifier&) const = default;
};

[[nodiscard]] const char* colorEncodingName(ColorEncoding encoding);
[[nodiscard]] const char* colorRangeName(ColorRange range);

} // namespace vitrine
