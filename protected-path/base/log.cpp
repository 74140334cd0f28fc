#include "protected-path/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace vitrine {
namespace {

struct Levels {
  std::mutex mutex;
  LogLevels byName{{"", spdlog::level::info}};
};

Levels& levels() {
  static Levels instance;
  return instance;
}

spdlog::level::level_enum levelFor(std::string_view name) {
  const auto& byName = levels().byName;
  const auto found = byName.find(name);
  return found != byName.end() ? found->second : byName.find("")->second;
}

spdlog::sink_ptr sharedSink() {
  static const spdlog::sink_ptr sink = [] {
    auto made = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    made->set_pattern("%H:%M:%S.%e %^%-5l%$ %n: %v");
    return made;
  }();
  return sink;
}

spdlog::logger& make(std::string_view name) {
  auto logger = std::make_shared<spdlog::logger>(std::string(name), sharedSink());
  logger->flush_on(spdlog::level::warn);
  logger->set_level(levelFor(name));
  spdlog::register_logger(logger);
  return *logger;
}

} // namespace

spdlog::logger& log(std::string_view name) {
  const std::scoped_lock lock(levels().mutex);
  const auto existing = spdlog::get(std::string(name));
  return existing ? *existing : make(name); // spdlog's registry owns it
}

spdlog::logger& audit() {
  spdlog::logger& logger = log("audit");
  if (logger.level() > spdlog::level::info) logger.set_level(spdlog::level::info);
  return logger;
}

Result<LogLevels> parseLogLevels(std::string_view list) {
  LogLevels parsed;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    const size_t equals = item.find('=');
    const std::string_view name = equals == std::string_view::npos ? std::string_view{} : item.substr(0, equals);
    const std::string_view word = equals == std::string_view::npos ? item : item.substr(equals + 1);
    const auto level = spdlog::level::from_str(std::string(word));
    if (level == spdlog::level::off && word != "off") {
      return invalid("log levels", std::string(item), "no such level",
                     "use trace, debug, info, warn, error, critical or off");
    }
    parsed.insert_or_assign(std::string(name), level);
  }
  return parsed;
}

Result<> setLogLevels(std::string_view list) {
  auto parsed = parseLogLevels(list);
  if (!parsed) return std::unexpected(parsed.error());
  const std::scoped_lock lock(levels().mutex);
  parsed->merge(levels().byName); // levels that the list does not name stay unchanged
  levels().byName = std::move(*parsed);
  spdlog::apply_all([](const std::shared_ptr<spdlog::logger>& logger) { logger->set_level(levelFor(logger->name())); });
  return {};
}

} // namespace vitrine
