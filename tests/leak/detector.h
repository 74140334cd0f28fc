#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protected-path/render/vulkan/placeholder.h"

// Looks for the secret where this process can read. Protected buffers hold a bright green; everything else that is shown has hardly any.
namespace vitrine::test {

constexpr uint8_t mostGreen = PlaceholderPattern::stripe[1] + 4;      ///< of what is no secret
constexpr std::array<uint8_t, 4> secretPixel{0x37, 0xff, 0x13, 0xff}; ///< blue, green, red, alpha
constexpr uint8_t secretLuma = 150;                                   ///< with this chroma: green, (0, 231, 0)
constexpr std::array<uint8_t, 2> secretChroma{44, 21};

/** Where pixels of four bytes, blue, green, red and alpha, are green; the index of the byte. */
[[nodiscard]] std::optional<size_t> findGreen(std::span<const uint8_t> pixels);

/** What was found, in words, and how much was looked through. */
struct Search {
  std::optional<std::string> found;
  size_t buffers = 0;
  size_t bytes = 0;
};

/** Green in every dma-buf of this process that can be mapped and read. */
[[nodiscard]] Search searchBuffers();

/** Runs of the secret in every page of this process that can be read. */
[[nodiscard]] Search searchMemory();

} // namespace vitrine::test
