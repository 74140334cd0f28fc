#include <string_view>

#include "protected-path/dmabuf/fdinfo.h"
#include "tests/fuzz/target.h"

void vitrine::fuzzOne(std::span<const uint8_t> input) {
  static_cast<void>(exporterNameIn({reinterpret_cast<const char*>(input.data()), input.size()}));
}
