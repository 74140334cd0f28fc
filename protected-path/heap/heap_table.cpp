#include "protected-path/heap/heap_table.h"

#include <algorithm>

#include "protected-path/heap/builtin_rules.h"
#include "protected-path/heap/name_pattern.h"

namespace vitrine {
namespace {

Nomination::As nominationAs(HeapClass heapClass) {
  switch (heapClass) {
  case HeapClass::Protected:
  case HeapClass::ProtectedWorking:
    return Nomination::As::Protected;
  case HeapClass::Ordinary:
    return Nomination::As::Ordinary;
  case HeapClass::Unknown:
    break;
  }
  return Nomination::As::Unknown;
}

/** Whether a name says of itself that its memory is not protected: `non_secure...`, `unprotected`. */
bool saysTheContrary(std::string_view name) {
  constexpr const char* denials[] = {"*insecure*",   "*unsecure*",    "*nonsecure*",   "*non-secure*",
                                     "*non_secure*", "*unprotected*", "*unrestricted*"};
  return std::ranges::any_of(denials, [name](const char* denial) { return nameMatches(denial, name); });
}

} // namespace

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

const char* heapMemoryName(HeapMemory memory) {
  switch (memory) {
  case HeapMemory::Scattered:
    return "scattered";
  case HeapMemory::Contiguous:
    return "contiguous";
  case HeapMemory::Growing:
    return "growing";
  case HeapMemory::Unknown:
    break;
  }
  return "unknown";
}

HeapTable::HeapTable() {
  rules_.reserve(builtinRules().size());
  for (const BuiltinRule& rule : builtinRules()) {
    rules_.push_back({rule.pattern, rule.heapClass, rule.source, rule.memory});
  }
}

HeapClass HeapTable::classify(std::string_view heapName) const {
  return classifyFrom(0, heapName);
}

HeapClass HeapTable::classifyFrom(size_t firstRule, std::string_view name) const {
  for (size_t i = firstRule; i < rules_.size(); ++i) {
    if (!nameMatches(rules_[i].pattern, name)) continue;
    const bool builtin = i >= overrides_;
    return builtin && saysTheContrary(name) ? HeapClass::Unknown : rules_[i].heapClass;
  }
  return HeapClass::Unknown;
}

HeapMemory HeapTable::memoryOf(std::string_view heapName) const {
  // An override says what a heap is for, not how its memory lies.
  for (size_t i = overrides_; i < rules_.size(); ++i) {
    if (nameMatches(rules_[i].pattern, heapName)) return rules_[i].memory;
  }
  return HeapMemory::Unknown;
}

Nomination HeapTable::nominate(std::string_view exporterName) const {
  const Nomination::As builtin = nominationAs(classifyFrom(overrides_, exporterName));
  const Nomination::As as = nominationAs(classify(exporterName));
  return {as, as != builtin};
}

Inspector inspectorFor(const HeapTable& table) {
  return Inspector([&table](std::string_view exporter) { return table.nominate(exporter); });
}

} // namespace vitrine
