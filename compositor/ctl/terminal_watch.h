#pragma once

#include "compositor/ctl/control_client.h"

namespace vitrine {

enum class WatchStyle {
  Screen, ///< a page that is drawn again with each change
  Lines,  ///< each status as one line of JSON, for programs
};

/**
 * Shows the status of a session until Ctrl-C, SIGTERM, or the session's end. On a terminal it uses the alternate screen and follows the
 * terminal's size; the terminal is as before afterwards, after an error or a signal too. Errors: System, and what ControlClient says.
 */
[[nodiscard]] Result<> watchSession(ControlClient& client, WatchStyle style);

} // namespace vitrine
