#include "compositor/protocols/session_protocols.h"

namespace vitrine {

SessionProtocols::SessionProtocols(wl_display& display, wlr_seat& wlrSeat, Desktop& desktop, Seat& seat)
    : desktop_(desktop), seat_(seat), idle_(display, wlrSeat), activation_(display, desktop), dialogs_(display),
      icons_(display) {
  makePlainGlobals(display);
  connectVirtualDevices(display);
  changed_.connect(desktop_.events.changed, [this](void*) { idle_.update(); });
  seat_.onActivity = [this] { idle_.onActivity(); };
}

SessionProtocols::~SessionProtocols() {
  seat_.onActivity = nullptr;
}

void SessionProtocols::makePlainGlobals(wl_display& display) {
  wlr_data_control_manager_v1_create(&display);
  wlr_alpha_modifier_v1_create(&display);
  wlr_xdg_foreign_registry* registry = wlr_xdg_foreign_registry_create(&display);
  wlr_xdg_foreign_v1_create(&display, registry);
  wlr_xdg_foreign_v2_create(&display, registry);
  // Clients draw their own decorations.
  wlr_server_decoration_manager* decorations = wlr_server_decoration_manager_create(&display);
  wlr_server_decoration_manager_set_default_mode(decorations, WLR_SERVER_DECORATION_MANAGER_MODE_CLIENT);
}

void SessionProtocols::connectVirtualDevices(wl_display& display) {
  wlr_virtual_keyboard_manager_v1* keyboards = wlr_virtual_keyboard_manager_v1_create(&display);
  newVirtualKeyboard_.connect(keyboards->events.new_virtual_keyboard,
                              [this](wlr_virtual_keyboard_v1* keyboard) { seat_.addDevice(keyboard->keyboard.base); });
  wlr_virtual_pointer_manager_v1* pointers = wlr_virtual_pointer_manager_v1_create(&display);
  newVirtualPointer_.connect(pointers->events.new_virtual_pointer,
                             [this](wlr_virtual_pointer_v1_new_pointer_event* event) {
                               seat_.addDevice(event->new_pointer->pointer.base, event->suggested_output);
                             });
}

} // namespace vitrine
