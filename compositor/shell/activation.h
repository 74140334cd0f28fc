#pragma once

#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

class Desktop;

/**
 * xdg-activation-v1: a client hands the focus to a window with a token. A token counts if it comes from an input event of the focused
 * client, whose serial wlroots checks.
 */
class Activation {
public:
  Activation(wl_display& display, Desktop& desktop);
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;

private:
  void onRequest(const wlr_xdg_activation_v1_request_activate_event& event);
  Desktop& desktop_;
  wlr_xdg_activation_v1* activation_;
  Listener<wlr_xdg_activation_v1_request_activate_event> request_;
};

} // namespace vitrine
