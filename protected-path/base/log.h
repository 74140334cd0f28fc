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
 * The named logger of a folder (`kms`, `heap`, `output` …). Created on first use; writes to stderr.
 *
 * Levels: error = our bug; warn = the outside world did something wrong; info = a state change that a user cares about;
 * debug and trace = for developers. Buffer contents and client titles are never logged. Loggers are the only globals.
 */
[[nodiscard]] spdlog::logger& log(std::string_view name);

/**
 * The audit logger: protection decisions with fixed event names (`buffer.admitted`, `buffer.refused`, `surface.path`
 * …). Its level cannot be set: info is always logged.
 */
[[nodiscard]] spdlog::logger& audit();

/** Levels by logger name. The empty name has the default level. */
using LogLevels = std::map<std::string, spdlog::level::level_enum, std::less<>>;

/** Parses a list as setLogLevels() does, without setting anything. */
[[nodiscard]] Result<LogLevels> parseLogLevels(std::string_view list);

/**
 * Sets levels from a list such as `info,kms=debug,vulkan=trace`: a bare level is the default, NAME=LEVEL is for one
 * logger. The environment variable VITRINE_LOG has the same form. Error: Invalid, with the name of the unknown level;
 * nothing is set then.
 */
[[nodiscard]] Result<> setLogLevels(std::string_view list);

} // namespace vitrine
