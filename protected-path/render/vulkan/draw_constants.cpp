#include "protected-path/render/vulkan/draw_constants.h"

#include <algorithm>

#include "protected-path/render/placeholder.h"
#include "protected-path/render/texel_mapping.h"
#include "protected-path/render/ycc_conversion.h"

namespace vitrine::vulkan {
namespace {

std::array<float, 4> opaque(const std::array<uint8_t, 3>& rgb) {
  return {static_cast<float>(rgb[0]) / 255.0F, static_cast<float>(rgb[1]) / 255.0F, static_cast<float>(rgb[2]) / 255.0F,
          1.0F};
}

void setConversion(DrawConstants& constants, const DrawCommand& command, const VulkanFormat& format) {
  const YccConversion ycc = yccConversion(command.encoding, command.range, format.bits);
  constants.color = {ycc.lumaScale, ycc.lumaOffset, ycc.chromaOffset, 0};
  constants.second = {ycc.crToRed, ycc.cbToGreen, ycc.crToGreen, ycc.cbToBlue};
  const FormatInfo* info = formatInfo(format.fourcc);
  constants.subsampling = {info->hsub, info->vsub};
}

} // namespace

DrawConstants solidConstants(const Color& color) {
  DrawConstants constants;
  constants.color = {color.red * color.alpha, color.green * color.alpha, color.blue * color.alpha, color.alpha};
  return constants;
}

DrawConstants placeholderConstants(float alpha) {
  DrawConstants constants;
  constants.color = opaque(PlaceholderPattern::base);
  constants.second = opaque(PlaceholderPattern::stripe);
  constants.alpha = alpha;
  return constants;
}

DrawConstants textureConstants(const DrawCommand& command, Size textureSize, const VulkanFormat& format, Size extent) {
  DrawConstants constants;
  constants.alpha = command.alpha;
  const TexelMapping mapping = texelMapping(command, textureSize);
  std::ranges::transform(mapping.matrix, constants.matrix.begin(), [](double v) { return static_cast<float>(v); });
  std::ranges::transform(mapping.translation, constants.translation.begin(),
                         [](double v) { return static_cast<float>(v); });
  constants.origin = {static_cast<float>(command.destination.x), static_cast<float>(command.destination.y)};
  constants.nearest = command.nearest || mapping.exact ? 1 : 0;
  constants.bounds = {mapping.columns[0], mapping.rows[0], mapping.columns[1], mapping.rows[1]};
  if (format.isYuv()) setConversion(constants, command, format);
  constants.texel = {1.0F / static_cast<float>(extent.width), 1.0F / static_cast<float>(extent.height)};
  return constants;
}

} // namespace vitrine::vulkan
