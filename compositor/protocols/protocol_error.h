#pragma once

#include <cstdint>

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/result.h"

namespace vitrine {

/**
 * Ends a client's connection with the protocol's error `code` on `resource`. `why` is sent to the client (libwayland
 * truncates it to 128 bytes) and logged in full.
 */
void postError(wl_resource* resource, uint32_t code, const Error& why);

} // namespace vitrine
