#pragma once

#include "compositor/input/seat.h"
#include "compositor/protocols/idle.h"
#include "compositor/shell/activation.h"
#include "compositor/shell/dialogs.h"
#include "compositor/shell/toplevel_icons.h"

namespace vitrine {

/**
 * The protocols of a session that are no part of desktop, seat or outputs: made once, before the first client. Those of wlroots that
 * need nothing of ours are made here and owned by the display.
 */
class SessionProtocols {
public:
  SessionProtocols(wl_display& display, wlr_seat& wlrSeat, Desktop& desktop, Seat& seat);
  SessionProtocols(const SessionProtocols&) = delete;
  SessionProtocols& operator=(const SessionProtocols&) = delete;
  ~SessionProtocols();

private:
  void makePlainGlobals(wl_display& display);
  void connectVirtualDevices(wl_display& display);

  Desktop& desktop_;
  Seat& seat_;
  Idle idle_;
  Activation activation_;
  Dialogs dialogs_;
  ToplevelIcons icons_;
  Listener<void> changed_;
  Listener<wlr_virtual_keyboard_v1> newVirtualKeyboard_;
  Listener<wlr_virtual_pointer_v1_new_pointer_event> newVirtualPointer_;
};

} // namespace vitrine
