#pragma once

#include <array>
#include <cstdint>

#include "protected-path/render/renderer.h"
#include "protected-path/render/vulkan/resources.h"

namespace vitrine::vulkan {

/** Push constants of all fragment shaders. Layout: `Draw` in shaders/draw.glsl. */
struct DrawConstants {
  std::array<float, 4> color{};
  std::array<float, 4> second{};
  std::array<float, 4> matrix{};
  std::array<float, 2> origin{};
  std::array<float, 2> translation{};
  std::array<int32_t, 4> bounds{};
  std::array<int32_t, 2> subsampling{1, 1};
  float alpha = 1;
  int32_t flags = 0;
  std::array<float, 2> texel{};
  std::array<float, 2> siting{};
  std::array<float, 2> converted{};
};
static_assert(sizeof(DrawConstants) == 120, "must match shaders/draw.glsl");

[[nodiscard]] DrawConstants solidConstants(const Color& color);
[[nodiscard]] DrawConstants placeholderConstants(float alpha);

/**
 * Maps destination pixels to texels: crop, the eight transforms, scaling. Whole-pixel mappings (1:1, rotated or not)
 * use nearest filtering, which is exact then. Texels outside the crop are never read.
 */
[[nodiscard]] DrawConstants textureConstants(const DrawCommand& command, Size textureSize,
                                             const TextureResources& texture);

} // namespace vitrine::vulkan
