#pragma once

#include <span>

#include "protected-path/render/draw_command.h"
#include "protected-path/render/pixman/pixman_image.h"

namespace vitrine::pixman {

/** A YCbCr format as the CPU reads it. */
struct YccFormat {
  uint32_t fourcc;
  unsigned bits; ///< significant, at the high end of 8 or 16
  bool crFirst;
};

/** Null for RGB and for formats that are not known. */
[[nodiscard]] const YccFormat* yccFormat(uint32_t fourcc);
[[nodiscard]] std::span<const YccFormat> yccFormats();

/**
 * Converts the texels of `box` to a8r8g8b8, row by row without gaps. Chroma is interpolated between the places where it was sampled
 * (DrawCommand::chroma), from the cells of `box` alone. `planes`: as many as the format has, each with all rows of the texture.
 */
void convertTexels(const YccFormat& format, std::span<const PixelMemory> planes, const Rect& box,
                   const DrawCommand& command, std::span<uint32_t> to);

} // namespace vitrine::pixman
