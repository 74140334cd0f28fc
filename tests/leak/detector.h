#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protected-path/render/placeholder.h"

// Searches all memory that this process can read for the secret. Protected buffers are bright green; everything else
// that is shown has almost no green.
namespace vitrine::test {

constexpr uint8_t mostGreen = PlaceholderPattern::stripe[1] + 4;      ///< of pixels that are not secret
constexpr std::array<uint8_t, 4> secretPixel{0x37, 0xff, 0x13, 0xff}; ///< blue, green, red, alpha
constexpr uint8_t secretLuma = 150;                                   ///< with this chroma: green, (0, 231, 0)
constexpr std::array<uint8_t, 2> secretChroma{44, 21};

/** The index of the first byte of a green pixel, among pixels of four bytes (blue, green, red, alpha); empty: none. */
[[nodiscard]] std::optional<size_t> findGreen(std::span<const uint8_t> pixels);

/** What was found, as text, and how much was searched. */
struct Search {
  std::optional<std::string> found;
  size_t buffers = 0;
  size_t bytes = 0;
};

/** Searches every dma-buf of this process that can be mapped and read for green. */
[[nodiscard]] Search searchBuffers();

/** Searches every readable page of this process for runs of the secret. */
[[nodiscard]] Search searchMemory();

} // namespace vitrine::test
