#include "compositor/input/keyboard.h"

#include <algorithm>

#include "compositor/input/keymap.h"
#include "protected-path/base/log.h"

namespace vitrine {

Keyboard::Keyboard(wlr_seat& seat, wlr_keyboard& keyboard, const Config& config, Binding binding)
    : seat_(seat), keyboard_(keyboard), binding_(std::move(binding)) {
  keyboard_.data = this;
  setKeymap(config);
  wlr_keyboard_set_repeat_info(&keyboard_, config.repeatRate, config.repeatDelay);
  key_.connect(keyboard_.events.key, [this](wlr_keyboard_key_event* event) { onKey(*event); });
  modifiers_.connect(keyboard_.events.modifiers, [this](void*) {
    wlr_seat_set_keyboard(&seat_, &keyboard_);
    wlr_seat_keyboard_notify_modifiers(&seat_, &keyboard_.modifiers);
  });
  wlr_seat_set_keyboard(&seat_, &keyboard_);
}

std::vector<uint32_t> Keyboard::heldForClients(const wlr_keyboard& keyboard) {
  std::vector<uint32_t> held(keyboard.keycodes, keyboard.keycodes + keyboard.num_keycodes);
  if (const auto* known = static_cast<const Keyboard*>(keyboard.data)) {
    std::erase_if(held, [&](uint32_t key) { return std::ranges::contains(known->ours_, key); });
  }
  return held;
}

void Keyboard::setKeymap(const Config& config) {
  KeymapPointer keymap = compileKeymap(config.keymap);
  if (!keymap) {
    log("input").warn("keymap layout='{}' variant='{}' options='{}': xkbcommon does not know it; taking its default",
                      config.keymap.layout, config.keymap.variant, config.keymap.options);
    keymap = defaultKeymap();
  }
  if (!keymap) return;
  wlr_keyboard_set_keymap(&keyboard_, keymap.get());
}

void Keyboard::onKey(const wlr_keyboard_key_event& event) {
  constexpr uint32_t evdevToXkb = 8;
  const xkb_keysym_t* symbols = nullptr;
  if (keyboard_.xkb_state == nullptr) return; // no keymap at all
  const int count = xkb_state_key_get_syms(keyboard_.xkb_state, event.keycode + evdevToXkb, &symbols);
  const uint32_t modifiers = wlr_keyboard_get_modifiers(&keyboard_);
  bool handled = false;
  if (event.state == WL_KEYBOARD_KEY_STATE_PRESSED) {
    ours_.push_back(event.keycode); // before the binding, which may give the keyboard to another client
    for (int i = 0; i < count; ++i)
      handled = binding_(modifiers, symbols[i]) || handled;
    if (!handled) ours_.pop_back();
  } else {
    handled = std::erase(ours_, event.keycode) != 0;
  }
  if (handled) return;
  wlr_seat_set_keyboard(&seat_, &keyboard_);
  wlr_seat_keyboard_notify_key(&seat_, event.time_msec, event.keycode, event.state);
}

} // namespace vitrine
