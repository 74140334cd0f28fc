#pragma once

#include <vector>

#include "compositor/input/keyboard.h"

namespace vitrine {

/**
 * A keyboard of virtual-keyboard-v1: its client brings the keymap and types. It is no part of the seat's group, whose keyboards share a
 * keymap; while it types, the focused client hears it alone.
 */
class VirtualKeyboard {
public:
  /** `real`: the seat's keyboard, which gets the seat back when this one is gone. */
  VirtualKeyboard(wlr_seat& seat, wlr_keyboard& keyboard, Keyboard& real, TextInputRelay& textInput,
                  Keyboard::Binding binding);
  VirtualKeyboard(const VirtualKeyboard&) = delete;
  VirtualKeyboard& operator=(const VirtualKeyboard&) = delete;
  ~VirtualKeyboard();

private:
  void onKey(const wlr_keyboard_key_event& event);
  wlr_seat& seat_;
  wlr_keyboard& keyboard_;
  Keyboard& real_;
  TextInputRelay& textInput_;
  Keyboard::Binding binding_;
  std::vector<uint32_t> bound_; ///< keys whose press was a binding: no client hears of their release
  Listener<wlr_keyboard_key_event> key_;
  Listener<void> modifiers_;
};

} // namespace vitrine
