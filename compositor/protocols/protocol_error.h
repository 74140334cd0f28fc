#pragma once

#include <cstdint>

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/result.h"

namespace vitrine {

/**
 * Ends a client's connection with the protocol's error `code` on `resource`. `why` goes to the client, which may get the
 * first 128 bytes of it, and whole to the log, for nobody else keeps what a client did.
 */
void postError(wl_resource* resource, uint32_t code, const Error& why);

} // namespace vitrine
