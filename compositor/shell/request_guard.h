#pragma once

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * Requests that wlroots 0.18 does not survive, refused before it sees them. Each is a client's error by the protocol, or is made one.
 */

/** A second xdg_popup.grab: it corrupts wlroots' list of grabbing popups. Error xdg_popup.invalid_grab. Call once for each popup. */
void guardPopup(wlr_xdg_popup& popup);

/**
 * An xdg_surface for a wl_surface with commits that wait (holdCommitUntil()): wlroots aborts when they take effect before the
 * xdg_surface has a role. A buffer that was committed before is an error by the protocol (xdg_surface.unconfigured_buffer). Call once
 * for each xdg_surface, when it is new.
 */
void guardXdgSurface(wlr_xdg_surface& surface);

} // namespace vitrine
