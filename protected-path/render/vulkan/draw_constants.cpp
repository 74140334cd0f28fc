#include "protected-path/render/vulkan/draw_constants.h"

#include <algorithm>

#include "protected-path/render/placeholder.h"
#include "protected-path/render/texel_mapping.h"
#include "protected-path/render/ycc_conversion.h"

namespace vitrine::vulkan {
namespace {

/** Bits of DrawConstants::flags, as in shaders/draw.glsl. */
constexpr int32_t flagNearest = 1;
constexpr int32_t flagSampler = 2;

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
  const ChromaShift shift = chromaShift(command.chroma, *info);
  constants.siting = {shift.x, shift.y};
}

/** The shift that a sampler makes by itself. */
void setConverted(DrawConstants& constants, const YccSamplerKey& key, const FormatInfo& info) {
  const ChromaShift cosited = chromaShift(ChromaLocation::TopLeft, info);
  constants.converted = {key.xChroma == VK_CHROMA_LOCATION_COSITED_EVEN ? cosited.x : 0,
                         key.yChroma == VK_CHROMA_LOCATION_COSITED_EVEN ? cosited.y : 0};
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

DrawConstants textureConstants(const DrawCommand& command, Size textureSize, const TextureResources& texture) {
  DrawConstants constants;
  constants.alpha = command.alpha;
  const TexelMapping mapping = texelMapping(command, textureSize);
  std::ranges::transform(mapping.matrix, constants.matrix.begin(), [](double v) { return static_cast<float>(v); });
  std::ranges::transform(mapping.translation, constants.translation.begin(),
                         [](double v) { return static_cast<float>(v); });
  constants.origin = {static_cast<float>(command.destination.x), static_cast<float>(command.destination.y)};
  constants.flags = (command.nearest || mapping.exact ? flagNearest : 0) | (texture.filtersLinearly ? flagSampler : 0);
  constants.bounds = {mapping.columns[0], mapping.rows[0], mapping.columns[1], mapping.rows[1]};
  if (texture.format->isYuv()) setConversion(constants, command, *texture.format);
  if (texture.sampler != nullptr) setConverted(constants, texture.sampler->key(), *formatInfo(texture.format->fourcc));
  constants.texel = {1.0F / static_cast<float>(texture.extent.width), 1.0F / static_cast<float>(texture.extent.height)};
  return constants;
}

} // namespace vitrine::vulkan
