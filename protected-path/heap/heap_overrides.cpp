#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <iterator>

#include "protected-path/base/toml.h"
#include "protected-path/heap/heap_table.h"

namespace vitrine {
namespace {

constexpr const char* operation = "read heap overrides";
constexpr const char* remedy =
    R"(write it as: [heaps] and below it "name or pattern" = "protected", "protected-working" or "ordinary")";

std::string at(const std::filesystem::path& file, const toml::source_position& position) {
  return std::format("{}:{}:{}", file.string(), position.line, position.column);
}

std::optional<HeapClass> classNamed(std::string_view name) {
  for (const HeapClass candidate : {HeapClass::Protected, HeapClass::ProtectedWorking, HeapClass::Ordinary}) {
    if (name == heapClassName(candidate)) return candidate;
  }
  return std::nullopt;
}

Result<HeapRule> ruleFrom(const std::filesystem::path& file, const toml::key& key, const toml::node& value) {
  if (key.empty()) return invalid(operation, at(file, key.source().begin), "an empty name", remedy);
  const auto word = value.value_exact<std::string_view>();
  const auto heapClass = word ? classNamed(*word) : std::nullopt;
  if (!heapClass) {
    const std::string what = word ? std::format("unknown class \"{}\" for \"{}\"", *word, key.str())
                                  : std::format("the class of \"{}\" is not a string", key.str());
    return invalid(operation, at(file, value.source().begin), what, remedy);
  }
  return HeapRule{std::string(key.str()), *heapClass, at(file, key.source().begin), HeapMemory::Unknown};
}

Result<std::vector<HeapRule>> rulesFrom(const std::filesystem::path& file, const toml::table& root) {
  for (const auto& [key, value] : root) {
    if (key != "heaps") {
      return invalid(operation, at(file, key.source().begin), std::format("unknown key \"{}\"", key.str()), remedy);
    }
    if (!value.is_table()) return invalid(operation, at(file, value.source().begin), "heaps is not a table", remedy);
  }
  std::vector<HeapRule> rules;
  const toml::table* heaps = root["heaps"].as_table();
  if (heaps == nullptr) return rules;
  for (const auto& [key, value] : *heaps) {
    auto rule = ruleFrom(file, key, value);
    if (!rule) return std::unexpected(rule.error());
    rules.push_back(std::move(*rule));
  }
  // A TOML table has no order of its own: exact names go before patterns, as in the built-in table, longer patterns
  // first.
  std::ranges::stable_sort(rules, [](const HeapRule& a, const HeapRule& b) {
    const bool aIsPattern = a.pattern.contains('*');
    const bool bIsPattern = b.pattern.contains('*');
    return aIsPattern != bIsPattern ? bIsPattern : a.pattern.size() > b.pattern.size();
  });
  return rules;
}

} // namespace

Result<> HeapTable::addOverrides(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return systemError("read", file.string(), EISDIR);
  std::ifstream stream(file);
  if (!stream) return systemError("open", file.string());
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const auto parsed = parseToml(operation, text, file.string(), remedy);
  if (!parsed) return std::unexpected(parsed.error());
  auto rules = rulesFrom(file, *parsed);
  if (!rules) return std::unexpected(rules.error());
  overrides_ += rules->size();
  rules_.insert(rules_.begin(), std::make_move_iterator(rules->begin()), std::make_move_iterator(rules->end()));
  return {};
}

} // namespace vitrine
