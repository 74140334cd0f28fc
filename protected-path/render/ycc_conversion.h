#pragma once

#include "protected-path/base/format.h"

namespace vitrine {

/** Coefficients of a YCbCr to RGB conversion, for samples of UNORM images (0…1). */
struct YccConversion {
  float lumaScale;
  float lumaOffset;
  float chromaOffset;
  float crToRed;
  float cbToGreen;
  float crToGreen;
  float cbToBlue;
};

/**
 * The matrices of ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance), for `bits` significant bits at the high
 * end of an 8- or 16-bit container. Limited: Y′ 16…235, C 16…240, scaled by 2^(bits−8).
 *
 * Multi-planar formats use the same coefficients. Vulkan defines a sample of G10X6 as v / 1023, but Mesa's drivers
 * sample it as R16 (v × 64 / 65535). The difference is a thousandth, a quarter of a step of an 8-bit target.
 */
[[nodiscard]] YccConversion yccConversion(ColorEncoding encoding, ColorRange range, unsigned bits);

/** Shift from a position in the picture, divided by the subsampling, to the position in a plane of chroma, in its samples. */
struct ChromaShift {
  float x;
  float y;
};
[[nodiscard]] ChromaShift chromaShift(ChromaLocation location, const FormatInfo& format);

} // namespace vitrine
