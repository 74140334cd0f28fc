#include "compositor/protocols/protocol_error.h"

#include "protected-path/base/log.h"

namespace vitrine {

void postError(wl_resource* resource, uint32_t code, const Error& why) {
  const std::string words = why.text();
  log("protocols").warn("{}", words);
  wl_resource_post_error(resource, code, "%s", words.c_str());
}

} // namespace vitrine
