#include <fstream>

#include "protected-path/heap/heap_table.h"
#include "tests/fuzz/target.h"

void vitrine::fuzzOne(std::span<const uint8_t> input) {
  const char* file = "fuzz-heaps.toml";
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  HeapTable table;
  static_cast<void>(table.addOverrides(file));
  static_cast<void>(table.classify("protected,secure-video"));
}
