#include <string>

#include "compositor/config/config.h"
#include "tests/fuzz/target.h"

void vitrine::fuzzOne(std::span<const uint8_t> input) {
  static_cast<void>(Config::parse(std::string(input.begin(), input.end()), "fuzz.toml"));
}
