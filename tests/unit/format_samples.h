#pragma once

#include <vector>

#include "tests/unit/renderer_fixture.h"

// Buffers of every format that can be sampled, and reference pictures, computed in double precision from the formats'
// definitions.

namespace vitrine::test {

/** Every format that Vulkan can sample. Listed here, not taken from the table under test. */
[[nodiscard]] std::vector<uint32_t> rgbFormats();
[[nodiscard]] std::vector<uint32_t> yccFormats();

/** Random code values, including the ends of the range; for half floats, numbers from 0 to 1. */
void fillRandom(TestBuffer& buffer, unsigned seed);

/**
 * The picture in the buffer, with its alpha, or 255 if it has none. What follows is for YCbCr only. Chroma is interpolated linearly between
 * the places where it was taken, from the cells that `crop` touches; an empty box: from all.
 */
[[nodiscard]] Picture pictureOf(TestBuffer& buffer, ColorEncoding encoding, ColorRange range,
                                ChromaLocation location = ChromaLocation::Left, const Rect& crop = {});

/** Whether `renderer` can sample LINEAR dma-bufs of this format. */
[[nodiscard]] bool samplesLinear(const Renderer& renderer, uint32_t fourcc);

} // namespace vitrine::test
