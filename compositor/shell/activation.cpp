#include "compositor/shell/activation.h"

#include "compositor/shell/desktop.h"
#include "protected-path/base/log.h"

namespace vitrine {
Activation::Activation(wl_display& display, Desktop& desktop)
    : desktop_(desktop), activation_(wlr_xdg_activation_v1_create(&display)) {
  request_.connect(activation_->events.request_activate,
                   [this](wlr_xdg_activation_v1_request_activate_event* event) { onRequest(*event); });
}

void Activation::onRequest(const wlr_xdg_activation_v1_request_activate_event& event) {
  if (event.token->seat == nullptr) {
    log("shell").debug("activation refused: the token comes from no input event");
    return;
  }
  Toplevel* window = Desktop::find(*event.surface);
  if (window != nullptr && window->isMapped()) desktop_.focus(window);
}

} // namespace vitrine
