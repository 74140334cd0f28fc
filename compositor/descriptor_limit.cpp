#include "compositor/descriptor_limit.h"

#include <sys/resource.h>

#include <cerrno>
#include <optional>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** The soft limit that this process was started with. */
std::optional<rlim_t>& startedWith() {
  static std::optional<rlim_t> limit;
  return limit;
}

void set(rlim_t soft) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (!startedWith()) startedWith() = limit.rlim_cur;
  limit.rlim_cur = soft == RLIM_INFINITY ? limit.rlim_max : soft;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    log("server").warn("{}", systemError("setrlimit", "RLIMIT_NOFILE").error().text());
}

} // namespace

void raiseDescriptorLimit() {
  set(RLIM_INFINITY);
}

InheritedDescriptorLimit::InheritedDescriptorLimit() {
  if (startedWith()) set(*startedWith());
}

} // namespace vitrine
