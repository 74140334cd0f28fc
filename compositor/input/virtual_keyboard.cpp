#include "compositor/input/virtual_keyboard.h"

namespace vitrine {

VirtualKeyboard::VirtualKeyboard(wlr_seat& seat, wlr_keyboard& keyboard, Keyboard& real, TextInputRelay& textInput,
                                 Keyboard::Binding binding)
    : seat_(seat), keyboard_(keyboard), real_(real), textInput_(textInput), binding_(std::move(binding)) {
  key_.connect(keyboard_.events.key, [this](wlr_keyboard_key_event* event) { onKey(*event); });
  modifiers_.connect(keyboard_.events.modifiers, [this](void*) {
    if (textInput_.takeModifiers(keyboard_)) return;
    wlr_seat_set_keyboard(&seat_, &keyboard_);
    wlr_seat_keyboard_notify_modifiers(&seat_, &keyboard_.modifiers);
  });
}

VirtualKeyboard::~VirtualKeyboard() {
  const wlr_keyboard* current = wlr_seat_get_keyboard(&seat_);
  if (current == nullptr || current == &keyboard_) real_.takeSeat(); // null: wlroots has noticed first
}

void VirtualKeyboard::onKey(const wlr_keyboard_key_event& event) {
  constexpr uint32_t evdevToXkb = 8;
  if (keyboard_.xkb_state == nullptr) return; // no keymap yet
  bool handled = false;
  if (event.state == WL_KEYBOARD_KEY_STATE_PRESSED) {
    const xkb_keysym_t symbol = xkb_state_key_get_one_sym(keyboard_.xkb_state, event.keycode + evdevToXkb);
    bound_.push_back(event.keycode); // before the binding, which may give the keyboard to another client
    handled = binding_(wlr_keyboard_get_modifiers(&keyboard_), symbol);
    if (!handled) bound_.pop_back();
  } else {
    handled = std::erase(bound_, event.keycode) != 0;
  }
  if (handled || textInput_.takeKey(keyboard_, event)) return;
  wlr_seat_set_keyboard(&seat_, &keyboard_);
  wlr_seat_keyboard_notify_key(&seat_, event.time_msec, event.keycode, event.state);
}

} // namespace vitrine
