#pragma once

namespace vitrine {

/** Sends wlroots' and libwayland-server's messages to the `wlroots` and `wayland` loggers. Call once, first. */
void installLogBridge();

} // namespace vitrine
