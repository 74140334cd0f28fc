#include "compositor/protocols/protocol_error.h"

#include "compositor/client_quota.h"

namespace vitrine {

void postError(wl_resource* resource, uint32_t code, const Error& why) {
  const std::string words = why.text();
  warnOfClient(*wl_resource_get_client(resource), words);
  wl_resource_post_error(resource, code, "%s", words.c_str());
}

} // namespace vitrine
