#include "tests/board/plane-bench/bench_run.h"

#include <algorithm>

namespace vitrine::bench {

std::string Series::conditionText() const {
  std::string text;
  for (const auto& [condition, value] : conditions) {
    if (!text.empty()) text += ' ';
    text += condition + '=' + value;
  }
  return text;
}

std::string Series::name() const {
  return conditions.empty() ? metric : metric + ' ' + conditionText();
}

Samples Series::all() const {
  Samples all;
  for (const Samples& repetition : repetitions)
    all.insert(all.end(), repetition.begin(), repetition.end());
  return all;
}

const Series* BenchRun::find(std::string_view name) const {
  const auto found = std::ranges::find_if(series, [name](const Series& each) { return each.name() == name; });
  return found == series.end() ? nullptr : &*found;
}

} // namespace vitrine::bench
