#include "tests/board/plane-bench/capability_map.h"

#include <algorithm>
#include <format>

namespace vitrine::bench {
namespace {

std::string condition(const Series& series, std::string_view name) {
  const auto found = std::ranges::find(series.conditions, name, &std::pair<std::string, std::string>::first);
  return found == series.conditions.end() ? "" : found->second;
}

std::string columnOf(const Series& series) {
  const std::string scale = condition(series, "scale");
  const std::string rotation = condition(series, "rotation");
  if (scale != "1") return "scale " + scale;
  return rotation == "0" ? "as it is" : "rotation " + rotation;
}

size_t indexOf(std::vector<std::string>& list, const std::string& item) {
  const auto found = std::ranges::find(list, item);
  if (found != list.end()) return static_cast<size_t>(found - list.begin());
  list.push_back(item);
  return list.size() - 1;
}

CapabilityMap mapOf(const BenchRun& run, const std::string& kind) {
  CapabilityMap map{kind + " buffers", {}, {}};
  for (const Series& series : run.series) {
    if (series.metric != "planes-at-once" || condition(series, "buffers") != kind || series.all().empty()) continue;
    const std::string label = condition(series, "format") + " " + condition(series, "size");
    auto row = std::ranges::find(map.rows, label, &CapabilityMap::Row::label);
    if (row == map.rows.end()) row = map.rows.insert(row, {label, {}});
    const size_t column = indexOf(map.columns, columnOf(series));
    row->cells.resize(std::max(row->cells.size(), column + 1));
    row->cells[column] = std::format("{:.0f}", series.all()[0]);
  }
  return map;
}

} // namespace

std::vector<CapabilityMap> capabilityMaps(const BenchRun& run) {
  std::vector<CapabilityMap> maps;
  for (const char* kind : {"ordinary", "protected"}) {
    CapabilityMap map = mapOf(run, kind);
    if (map.rows.empty()) continue;
    if (!maps.empty() && maps[0].rows == map.rows && maps[0].columns == map.columns) {
      maps[0].caption = "ordinary and protected buffers alike";
    } else {
      maps.push_back(std::move(map));
    }
  }
  return maps;
}

} // namespace vitrine::bench
