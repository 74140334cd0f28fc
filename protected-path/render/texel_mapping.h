#pragma once

#include <array>
#include <cstdint>

#include "protected-path/render/draw_command.h"

namespace vitrine {

/** Where the pixels of a texture's draw come from; the same for every renderer. */
struct TexelMapping {
  /**
   * From a point of the destination, relative to its top-left corner, to a point of the texture, in texels:
   * x' = matrix[0] x + matrix[1] y + translation[0], y' = matrix[2] x + matrix[3] y + translation[1].
   */
  std::array<double, 4> matrix;
  std::array<double, 2> translation;
  /** Each pixel is one texel: filtering changes nothing. */
  bool exact;
  /** The first and the last texel that may be read, by column and by row. */
  std::array<int32_t, 2> columns;
  std::array<int32_t, 2> rows;
};

/** `textureSize`: of the command's texture. */
[[nodiscard]] TexelMapping texelMapping(const DrawCommand& command, Size textureSize);

} // namespace vitrine
