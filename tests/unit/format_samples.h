#pragma once

#include <vector>

#include "tests/unit/renderer_fixture.h"

// Buffers of every format that can be sampled, and their pictures, computed in double precision by the formats' own
// definitions.

namespace vitrine::test {

/** Every format that Vulkan can sample, one by one: not taken from the production's table. */
[[nodiscard]] std::vector<uint32_t> rgbFormats();
[[nodiscard]] std::vector<uint32_t> yccFormats();

/** Random code values, with the ends of the range among them; numbers from 0 to 1 in half floats. */
void fillRandom(TestBuffer& buffer, unsigned seed);

/** What the buffer shows: alpha as it is, 255 where there is none. Encoding and range matter to YCbCr alone. */
[[nodiscard]] Picture pictureOf(TestBuffer& buffer, ColorEncoding encoding, ColorRange range);

/** Whether `renderer` takes LINEAR dma-bufs of this format. */
[[nodiscard]] bool samplesLinear(const Renderer& renderer, uint32_t fourcc);

} // namespace vitrine::test
