#include "protected-path/render/texel_mapping.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
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

bool isWhole(double value) {
  return value == std::floor(value);
}

/** The first and the last texel of one axis that the crop touches. */
std::array<int32_t, 2> texelRange(Fixed16_16 start, Fixed16_16 length, uint32_t extent) {
  const double last = static_cast<double>(extent) - 1;
  const double first = std::clamp(std::floor(start.toDouble()), 0.0, last);
  const double end = std::clamp(std::ceil(start.toDouble() + length.toDouble()) - 1, first, last);
  return {static_cast<int32_t>(first), static_cast<int32_t>(end)};
}

} // namespace

/** Undoes the rotation, scales to the source, translates. */
TexelMapping texelMapping(const DrawCommand& command, Size textureSize) {
  const Turn& turn = turns[static_cast<size_t>(command.transform) % std::size(turns)];
  const double width = command.destination.width;
  const double height = command.destination.height;
  const double sourceWidth = command.source.width.toDouble();
  const double sourceHeight = command.source.height.toDouble();
  // The inverse of a rotation is its transpose.
  TexelMapping mapping{.matrix = {sourceWidth * turn.a / width, sourceWidth * turn.c / height,
                                  sourceHeight * turn.b / width, sourceHeight * turn.d / height},
                       .translation = {command.source.x.toDouble() + sourceWidth * (1 - turn.a - turn.c) / 2,
                                       command.source.y.toDouble() + sourceHeight * (1 - turn.b - turn.d) / 2},
                       .exact = false,
                       .columns = texelRange(command.source.x, command.source.width, textureSize.width),
                       .rows = texelRange(command.source.y, command.source.height, textureSize.height)};
  mapping.exact =
      std::ranges::all_of(mapping.matrix, [](double entry) { return entry == 0 || std::abs(entry) == 1; }) &&
      std::ranges::all_of(mapping.translation, isWhole);
  return mapping;
}

} // namespace vitrine
