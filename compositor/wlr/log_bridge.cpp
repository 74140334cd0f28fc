#include "compositor/wlr/log_bridge.h"

#include <cstdarg>
#include <cstdio>
#include <string>

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

std::string formatted(const char* format, va_list arguments) {
  char text[1024];
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string line(text);
  while (!line.empty() && line.back() == '\n')
    line.pop_back();
  return line;
}

// wlroots' errors are faults of the outside world, which are warnings by our levels.
void fromWlroots(wlr_log_importance importance, const char* format, va_list arguments) {
  const std::string line = formatted(format, arguments);
  switch (importance) {
  case WLR_ERROR:
    log("wlroots").warn("{}", line);
    break;
  case WLR_INFO:
    log("wlroots").debug("{}", line);
    break;
  default:
    log("wlroots").trace("{}", line);
  }
}

void fromWayland(const char* format, va_list arguments) {
  log("wayland").debug("{}", formatted(format, arguments));
}

} // namespace

void installLogBridge() {
  wlr_log_init(WLR_DEBUG, fromWlroots);
  wl_log_set_handler_server(fromWayland);
}

} // namespace vitrine
