#include "protected-path/render/ycc_conversion.h"

namespace vitrine {

YccConversion yccConversion(ColorEncoding encoding, ColorRange range, unsigned bits) {
  // Luma weights of red and blue.
  double kr = 0.2126;
  double kb = 0.0722;
  if (encoding == ColorEncoding::Bt601) {
    kr = 0.299;
    kb = 0.114;
  } else if (encoding == ColorEncoding::Bt2020) {
    kr = 0.2627;
    kb = 0.0593;
  }
  const double kg = 1 - kr - kb;
  // The code value v is sampled as v × unit.
  const unsigned container = bits == 8 ? 8 : 16;
  const double unit = (1U << (container - bits)) / ((1U << container) - 1.0);
  const double step = 1U << (bits - 8);
  const bool limited = range == ColorRange::Limited;
  const double lumaRange = limited ? 219 * step : (1U << bits) - 1.0;
  const double chromaScale = 1 / (unit * (limited ? 224 * step : (1U << bits) - 1.0));
  return {.lumaScale = static_cast<float>(1 / (unit * lumaRange)),
          .lumaOffset = limited ? static_cast<float>(16 * step * unit) : 0,
          .chromaOffset = static_cast<float>(128 * step * unit),
          .crToRed = static_cast<float>(chromaScale * 2 * (1 - kr)),
          .cbToGreen = static_cast<float>(-chromaScale * 2 * (1 - kb) * kb / kg),
          .crToGreen = static_cast<float>(-chromaScale * 2 * (1 - kr) * kr / kg),
          .cbToBlue = static_cast<float>(chromaScale * 2 * (1 - kb))};
}

ChromaShift chromaShift(ChromaLocation location, const FormatInfo& format) {
  using enum ChromaLocation;
  // The first pixel's centre is half a pixel into the cell, and the sample's centre half a sample.
  const auto first = [](uint32_t subsampling) { return 0.5F - 0.5F / static_cast<float>(subsampling); };
  const bool left = location == Left || location == TopLeft || location == BottomLeft;
  const bool top = location == TopLeft || location == Top;
  const bool bottom = location == BottomLeft || location == Bottom;
  return {left ? first(format.hsub) : 0, top ? first(format.vsub) : bottom ? -first(format.vsub) : 0};
}

} // namespace vitrine
