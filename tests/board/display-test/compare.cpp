#include <algorithm>
#include <format>
#include <map>

#include <nlohmann/json.hpp>

#include "tests/board/display-test/report.h"

namespace vitrine::display_test {
namespace {

using nlohmann::json;

/** What of a case is compared: its worst verdict over the repetitions, why, and what it saw. */
struct Kept {
  std::string verdict;
  std::string reason;
  std::map<std::string, std::string> seen;
};

int badness(std::string_view verdict) {
  return verdict == "fail" ? 2 : verdict == "pass" ? 1 : 0;
}

Result<std::map<std::string, Kept>> casesOf(const json& report) {
  if (!report.is_object() || report.value("schema", "") != "vitrine-display-test")
    return invalid("compare", "report", "it is no JSON report of vitrine-display-test");
  if (report.value("schema_version", 0) != schemaVersion)
    return invalid("compare", "report",
                   std::format("its schema has version {}, not {}", report.value("schema_version", 0), schemaVersion));
  std::map<std::string, Kept> cases;
  for (const json& result : report.value("results", json::array())) {
    const std::string heap = result.value("heap", "");
    Kept one{result.value("verdict", ""), result.value("reason", ""), {}};
    for (const json& seen : result.value("seen", json::array()))
      one.seen[seen.value("what", "")] = seen.value("value", "");
    Kept& kept = cases[result.value("name", "") + (heap.empty() ? "" : " [" + heap + "]")];
    if (kept.verdict.empty() || badness(one.verdict) > badness(kept.verdict)) kept = std::move(one);
  }
  return cases;
}

std::string machineText(const json& report) {
  const json machine = report.value("board", json::object()).value("machine", json::object());
  return std::format("Linux {} on {}, {}", machine.value("kernel", "?"),
                     machine.value("model", "").empty() ? report.value("board", json::object()).value("hostname", "?")
                                                        : machine.value("model", ""),
                     report.value("started", ""));
}

/** What both saw, and saw differently. */
std::string seenText(const Kept& before, const Kept& after) {
  std::string text;
  for (const auto& [what, value] : after.seen) {
    const auto was = before.seen.find(what);
    if (was != before.seen.end() && was->second != value)
      text += std::format("      {}: {} -> {}\n", what, was->second, value);
  }
  return text;
}

} // namespace

Result<Comparison> compareReports(const json& before, const json& after) {
  const auto first = casesOf(before);
  const auto second = casesOf(after);
  if (!first) return std::unexpected(first.error());
  if (!second) return std::unexpected(second.error());
  Comparison comparison;
  comparison.text = std::format("before: {}\nafter:  {}\n\n", machineText(before), machineText(after));
  unsigned changed = 0;
  for (const auto& [name, now] : *second) {
    const auto was = first->find(name);
    if (was == first->end()) {
      comparison.text += std::format("new     {}: {} {}\n", name, now.verdict, now.reason);
      ++changed;
      continue;
    }
    const std::string seen = seenText(was->second, now);
    if (was->second.verdict == now.verdict && seen.empty()) continue;
    ++changed;
    const bool worse = was->second.verdict == "pass" && now.verdict == "fail";
    const bool better = was->second.verdict == "fail" && now.verdict == "pass";
    comparison.worse |= worse;
    comparison.text +=
        std::format("{:<7} {}: {}{}\n",
                    worse    ? "worse"
                    : better ? "better"
                             : "changed",
                    name, was->second.verdict == now.verdict ? now.verdict : was->second.verdict + " -> " + now.verdict,
                    now.reason.empty() ? "" : ": " + now.reason);
    comparison.text += seen;
  }
  for (const auto& [name, was] : *first) {
    if (second->contains(name)) continue;
    comparison.text += std::format("gone    {}: was {}\n", name, was.verdict);
    ++changed;
  }
  comparison.text += std::format("{} of {} cases changed\n", changed, std::max(first->size(), second->size()));
  return comparison;
}

} // namespace vitrine::display_test
