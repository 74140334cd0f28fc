#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "protected-path/base/result.h"

namespace vitrine {

/**
 * The named logger of a folder (`kms`, `heap`, `output` …); made on first use, writing to stderr.
 *
 * Levels: error = our bug; warn = the outside world did wrong; info = a state change that a user cares about;
 * debug and trace = for us. Buffer contents and client titles are never logged. Loggers are the only globals there are.
 */
[[nodiscard]] spdlog::logger& log(std::string_view name);

/**
 * The audit logger: protection decisions with fixed event names (`buffer.admitted`, `buffer.refused`, `surface.path` …).
 * It is never filtered below info.
 */
[[nodiscard]] spdlog::logger& audit();

/** Levels by logger name; that of the empty name is the default. */
using LogLevels = std::map<std::string, spdlog::level::level_enum, std::less<>>;

/** What setLogLevels() takes, without setting anything. */
[[nodiscard]] Result<LogLevels> parseLogLevels(std::string_view list);

/**
 * Sets levels from a list such as `info,kms=debug,vulkan=trace`: a bare level is the default, NAME=LEVEL one logger's.
 * The environment variable VITRINE_LOG has the same form. An unknown level is an Invalid error that names it; then
 * nothing is set.
 */
[[nodiscard]] Result<> setLogLevels(std::string_view list);

} // namespace vitrine
