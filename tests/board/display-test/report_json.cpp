#include <nlohmann/json.hpp>

#include "tests/board/common/png.h"
#include "tests/board/display-test/report.h"

namespace vitrine::display_test {

using nlohmann::json;

json toJson(const Report& report) {
  json results = json::array();
  for (const CaseResult& result : report.results) {
    json one = result.outcome; // verdict, reason, seen, pictures
    one["name"] = result.name;
    one["heap"] = result.heap;
    one["seconds"] = result.seconds;
    one.erase("pictures");
    for (const Picture& picture : result.outcome.pictures)
      one["pictures"].push_back({{"title", picture.title}, {"png", pngDataUri(picture.png)}});
    results.push_back(std::move(one));
  }
  const Counts counts = countsOf(report);
  const Summary summary = summaryOf(report);
  return {{"schema", "vitrine-display-test"},
          {"schema_version", schemaVersion},
          {"version", VITRINE_VERSION},
          {"started", report.started},
          {"seed", report.seed},
          {"interrupted", report.interrupted},
          {"board", report.board},
          {"summary", summary.sentence},
          {"passed", counts.passed},
          {"failed", counts.failed},
          {"skipped", counts.skipped},
          {"results", results}};
}

} // namespace vitrine::display_test
