#include "tests/board/clip/clip_header.h"
#include "tests/fuzz/target.h"

void vitrine::fuzzOne(std::span<const uint8_t> input) {
  static_cast<void>(decodeClipHeader(std::as_bytes(input)));
}
