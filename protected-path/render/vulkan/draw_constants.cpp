#include "protected-path/render/vulkan/draw_constants.h"

#include <algorithm>
#include <cmath>

#include "protected-path/render/placeholder.h"

namespace vitrine::vulkan {
namespace {

/**
 * Matrix of a transform, for points of the content with both axes −½…½ and y downwards: x′ = a·x + b·y, y′ = c·x + d·y.
 * A flipped transform mirrors left to right first. Then all rotate counter-clockwise.
 */
struct Turn {
  double a, b, c, d;
};
constexpr Turn turns[] = {{1, 0, 0, 1},  {0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0},
                          {-1, 0, 0, 1}, {0, 1, 1, 0},  {1, 0, 0, -1},  {0, -1, -1, 0}};

std::array<float, 4> opaque(const std::array<uint8_t, 3>& rgb) {
  return {static_cast<float>(rgb[0]) / 255.0F, static_cast<float>(rgb[1]) / 255.0F, static_cast<float>(rgb[2]) / 255.0F,
          1.0F};
}

bool isWhole(double value) {
  return value == std::floor(value);
}

/** Destination pixels to texels: undoes the rotation, scales to the source, translates. */
void setMapping(DrawConstants& constants, const DrawCommand& command) {
  const Turn& turn = turns[static_cast<size_t>(command.transform) % std::size(turns)];
  const double width = command.destination.width;
  const double height = command.destination.height;
  const double sourceWidth = command.source.width.toDouble();
  const double sourceHeight = command.source.height.toDouble();
  // The inverse of a rotation is its transpose.
  const double matrix[4] = {sourceWidth * turn.a / width, sourceWidth * turn.c / height, sourceHeight * turn.b / width,
                            sourceHeight * turn.d / height};
  const double translation[2] = {command.source.x.toDouble() + sourceWidth * (1 - turn.a - turn.c) / 2,
                                 command.source.y.toDouble() + sourceHeight * (1 - turn.b - turn.d) / 2};
  const bool exact = std::ranges::all_of(matrix, [](double entry) { return entry == 0 || std::abs(entry) == 1; }) &&
                     isWhole(translation[0]) && isWhole(translation[1]);
  for (size_t i = 0; i < 4; ++i)
    constants.matrix[i] = static_cast<float>(matrix[i]);
  constants.translation = {static_cast<float>(translation[0]), static_cast<float>(translation[1])};
  constants.origin = {static_cast<float>(command.destination.x), static_cast<float>(command.destination.y)};
  constants.nearest = command.nearest || exact ? 1 : 0;
}

/** The first and the last texel of one axis that the crop touches. */
std::array<int32_t, 2> texelRange(Fixed16_16 start, Fixed16_16 length, uint32_t extent) {
  const double last = static_cast<double>(extent) - 1;
  const double first = std::clamp(std::floor(start.toDouble()), 0.0, last);
  const double end = std::clamp(std::ceil(start.toDouble() + length.toDouble()) - 1, first, last);
  return {static_cast<int32_t>(first), static_cast<int32_t>(end)};
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
  setMapping(constants, command);
  const auto columns = texelRange(command.source.x, command.source.width, textureSize.width);
  const auto rows = texelRange(command.source.y, command.source.height, textureSize.height);
  constants.bounds = {columns[0], rows[0], columns[1], rows[1]};
  if (format.isYuv()) setConversion(constants, command, format);
  constants.texel = {1.0F / static_cast<float>(extent.width), 1.0F / static_cast<float>(extent.height)};
  return constants;
}

} // namespace vitrine::vulkan
