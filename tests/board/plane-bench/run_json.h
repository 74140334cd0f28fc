#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "protected-path/base/result.h"
#include "tests/board/plane-bench/bench_run.h"

namespace vitrine::bench {

/** `schema` and `schema_version` of the files. A reader takes this version only. */
inline constexpr const char* schemaName = "vitrine-plane-bench";
inline constexpr int schemaVersion = 1;

/** As run.schema.json describes it: one line per series. Text that is no UTF-8 is replaced. */
[[nodiscard]] std::string runToJson(const BenchRun& run);

/**
 * Reads what runToJson() wrote. `file` names it in errors. Invalid where it is no JSON, another schema or version, or lacks a
 * member; the text says which.
 */
[[nodiscard]] Result<BenchRun> runFromJson(const std::string& text, const std::string& file);

/** One series, also as the measuring process hands it to the one that reports. */
[[nodiscard]] nlohmann::ordered_json seriesJson(const Series& series);
/** Its inverse. Throws nlohmann's exceptions; callers catch them. */
[[nodiscard]] Series seriesFromJson(const nlohmann::ordered_json& json);

/** One line per sample: series, metric, conditions, repetition, index, value, unit. With a heading. */
[[nodiscard]] std::string runToCsv(const BenchRun& run);

} // namespace vitrine::bench
