#pragma once

#include <cstdint>
#include <span>

namespace vitrine {

/** Gives one input to the parser that this program is about. Each target's file has its own; a fault ends the process. */
void fuzzOne(std::span<const uint8_t> input);

} // namespace vitrine
