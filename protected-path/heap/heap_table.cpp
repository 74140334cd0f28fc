#include "protected-path/heap/heap_table.h"

#include "protected-path/heap/builtin_rules.h"
#include "protected-path/heap/name_pattern.h"

namespace vitrine {

const char* heapClassName(HeapClass heapClass) {
  switch (heapClass) {
  case HeapClass::Protected:
    return "protected";
  case HeapClass::ProtectedWorking:
    return "protected-working";
  case HeapClass::Ordinary:
    return "ordinary";
  case HeapClass::Unknown:
    return "unknown";
  }
  return "unknown";
}

HeapTable::HeapTable() {
  rules_.reserve(builtinRules().size());
  for (const BuiltinRule& rule : builtinRules()) {
    rules_.push_back({rule.pattern, rule.heapClass, rule.source});
  }
}

HeapClass HeapTable::classify(std::string_view heapName) const {
  for (const HeapRule& rule : rules_) {
    if (nameMatches(rule.pattern, heapName)) return rule.heapClass;
  }
  return HeapClass::Unknown;
}

std::optional<bool> HeapTable::exporterIsProtected(std::string_view exporterName) const {
  switch (classify(exporterName)) {
  case HeapClass::Protected:
  case HeapClass::ProtectedWorking:
    return true;
  case HeapClass::Ordinary:
    return false;
  case HeapClass::Unknown:
    return std::nullopt;
  }
  return std::nullopt;
}

} // namespace vitrine
