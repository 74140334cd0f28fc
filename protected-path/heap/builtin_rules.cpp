#include "protected-path/heap/builtin_rules.h"

namespace vitrine {
namespace {

constexpr BuiltinRule rules[] = {
#define NAME(pattern, heapClass, memory, source) {pattern, HeapClass::heapClass, HeapMemory::memory, source},
#include "protected-path/heap/heap_names.inc"
#undef NAME
};

} // namespace

std::span<const BuiltinRule> builtinRules() {
  return rules;
}

} // namespace vitrine
