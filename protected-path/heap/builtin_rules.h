#pragma once

#include <span>

#include "protected-path/heap/heap_table.h"

namespace vitrine {

/** A HeapRule that needs no memory of its own. */
struct BuiltinRule {
  const char* pattern;
  HeapClass heapClass;
  HeapMemory memory;
  const char* source;
};

/** What is known about heap and exporter names (heap_names.inc): the first rule that matches counts. */
[[nodiscard]] std::span<const BuiltinRule> builtinRules();

} // namespace vitrine
