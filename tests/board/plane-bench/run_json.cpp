#include "tests/board/plane-bench/run_json.h"

#include <cmath>
#include <format>

#include <nlohmann/json.hpp>

#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {
namespace {

using Json = nlohmann::ordered_json;

/** Samples are times of a clock with nanoseconds; three digits of a microsecond are all there is. */
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

Json summaryJson(const Summary& summary) {
  return {{"count", summary.count},      {"minimum", rounded(summary.minimum)}, {"p50", rounded(summary.p50)},
          {"p95", rounded(summary.p95)}, {"p99", rounded(summary.p99)},         {"maximum", rounded(summary.maximum)}};
}

} // namespace

Json seriesJson(const Series& series) {
  const Metric* metric = findMetric(series.metric);
  Json conditions = Json::object();
  for (const auto& [name, value] : series.conditions)
    conditions[name] = value;
  Json repetitions = Json::array();
  for (const Samples& samples : series.repetitions) {
    Json values = Json::array();
    for (const double sample : samples)
      values.push_back(rounded(sample));
    repetitions.push_back(std::move(values));
  }
  Json json = {{"metric", series.metric},
               {"conditions", std::move(conditions)},
               {"unit", metric != nullptr ? metric->unit : ""},
               {"better", metric != nullptr && metric->better == Better::Higher ? "higher" : "lower"}};
  if (series.unavailable.empty()) {
    json["summary"] = summaryJson(summarize(series.all()));
    json["repetitions"] = std::move(repetitions);
  } else {
    json["unavailable"] = series.unavailable;
  }
  return json;
}

namespace {

Json targetJson(const Target& target) {
  return {{"node", target.node},
          {"driver", target.driver},
          {"driver_version", target.driverVersion},
          {"planes", {{"primary", target.primaries}, {"overlay", target.overlays}, {"cursor", target.cursors}}},
          {"modifiers", target.modifiers},
          {"connector", target.connector},
          {"mode",
           {{"width", target.size.width},
            {"height", target.size.height},
            {"refresh_millihertz", target.refreshMilliHertz}}},
          {"protected_heap", target.protectedHeap.empty() ? Json(nullptr) : Json(target.protectedHeap)}};
}

Target targetFromJson(const Json& json) {
  Target target;
  target.node = json.at("node");
  target.driver = json.at("driver");
  target.driverVersion = json.at("driver_version");
  target.primaries = json.at("planes").at("primary");
  target.overlays = json.at("planes").at("overlay");
  target.cursors = json.at("planes").at("cursor");
  target.modifiers = json.at("modifiers");
  target.connector = json.at("connector");
  target.size = {json.at("mode").at("width"), json.at("mode").at("height")};
  target.refreshMilliHertz = json.at("mode").at("refresh_millihertz");
  if (!json.at("protected_heap").is_null()) target.protectedHeap = json.at("protected_heap");
  return target;
}

} // namespace

Series seriesFromJson(const Json& json) {
  Series series;
  series.metric = json.at("metric");
  for (const auto& [name, value] : json.at("conditions").items())
    series.conditions.emplace_back(name, value);
  if (json.contains("unavailable")) {
    series.unavailable = json.at("unavailable");
  } else {
    series.repetitions = json.at("repetitions").get<std::vector<Samples>>();
  }
  return series;
}

namespace {

BenchRun runFrom(const Json& json) {
  BenchRun run;
  run.program = json.at("program_version");
  run.started = json.at("started");
  run.seconds = json.at("seconds");
  run.complete = json.at("complete");
  run.endedBy = json.value("ended_by", "");
  run.notes = json.value("notes", std::vector<std::string>());
  run.machine = machineFromJson(json.at("machine"));
  run.target = targetFromJson(json.at("target"));
  run.settings.repetitions = json.at("settings").at("repetitions");
  run.settings.samples = json.at("settings").at("samples");
  run.settings.quick = json.at("settings").at("quick");
  for (const Json& series : json.at("series"))
    run.series.push_back(seriesFromJson(series));
  return run;
}

/** A field of a CSV line: quoted, with quotes doubled, where it has to be (RFC 4180). */
std::string csvField(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

} // namespace

std::string runToJson(const BenchRun& run) {
  Json json = {{"schema", schemaName},   {"schema_version", schemaVersion}, {"program_version", run.program},
               {"started", run.started}, {"seconds", rounded(run.seconds)}, {"complete", run.complete}};
  if (!run.complete) json["ended_by"] = run.endedBy;
  if (!run.notes.empty()) json["notes"] = run.notes;
  json["clock"] = "CLOCK_MONOTONIC";
  json["machine"] = machineJson(run.machine);
  json["target"] = targetJson(run.target);
  json["settings"] = {
      {"repetitions", run.settings.repetitions}, {"samples", run.settings.samples}, {"quick", run.settings.quick}};
  constexpr auto replace = Json::error_handler_t::replace;
  std::string text = json.dump(1, ' ', false, replace);
  text.resize(text.size() - 2); // the newline and the brace at its end
  text += ",\n \"series\": [";
  for (const Series& series : run.series)
    text += (&series == run.series.data() ? "\n  " : ",\n  ") + seriesJson(series).dump(-1, ' ', false, replace);
  return text + "\n ]\n}\n";
}

Result<BenchRun> runFromJson(const std::string& text, const std::string& file) {
  try { // nlohmann-json throws; nothing of it leaves this function
    const Json json = Json::parse(text);
    if (!json.is_object() || json.value("schema", "") != schemaName)
      return invalid("read", file,
                     std::format("it is no result of vitrine-plane-bench (`schema` is not {})", schemaName));
    if (const int version = json.value("schema_version", 0); version != schemaVersion) {
      return invalid("read", file,
                     std::format("its schema_version is {}, and this program reads {}", version, schemaVersion),
                     "compare it with the program that wrote it");
    }
    return runFrom(json);
  } catch (const nlohmann::json::exception& error) {
    return invalid("read", file, error.what());
  }
}

std::string runToCsv(const BenchRun& run) {
  std::string text = "metric,conditions,repetition,index,value,unit\n";
  for (const Series& series : run.series) {
    const Metric* metric = findMetric(series.metric);
    const std::string conditions = csvField(series.conditionText());
    for (size_t repetition = 0; repetition < series.repetitions.size(); ++repetition) {
      const Samples& samples = series.repetitions[repetition];
      for (size_t index = 0; index < samples.size(); ++index) {
        text += std::format("{},{},{},{},{:.3f},{}\n", series.metric, conditions, repetition + 1, index + 1,
                            samples[index], metric != nullptr ? metric->unit : "");
      }
    }
  }
  return text;
}

} // namespace vitrine::bench
