#pragma once

#include <functional>
#include <vector>

#include "compositor/config/config.h"
#include "compositor/input/keymap.h"
#include "compositor/input/text_input_relay.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * The seat's keyboard: all that are plugged in, as one. They share modifiers and layout, and a key is held until the last of them
 * lets go of it. With its keymap, its bindings, and its keys on their way to the focused client.
 */
class Keyboard {
public:
  /** A key was pressed with these modifiers (WLR_MODIFIER_*); true: it was ours and goes no further. */
  using Binding = std::function<bool(uint32_t modifiers, xkb_keysym_t key)>;
  Keyboard(wlr_seat& seat, TextInputRelay& textInput, const Config& config, Binding binding);
  Keyboard(const Keyboard&) = delete;
  ~Keyboard();

  /** Takes keymap and repetition from the configuration. Keyboards that were added follow with configure(device). */
  void configure(const Config& config);
  /** Gives a device the keymap and repetition of all. */
  void configure(wlr_keyboard& device);
  /** Takes in a keyboard that was plugged in, until it is unplugged. */
  void add(wlr_keyboard& device);
  /** Has the seat's clients hear this keyboard again, after a virtual one. */
  void takeSeat() { wlr_seat_set_keyboard(&seat_, &group_->keyboard); }
  [[nodiscard]] uint32_t modifiers() { return wlr_keyboard_get_modifiers(&group_->keyboard); }
  /** The keys (evdev codes) that are held on a seat's keyboard, without those that belong to a binding. */
  [[nodiscard]] static std::vector<uint32_t> heldForClients(const wlr_keyboard& keyboard);
  /** Gives the keyboard of a seat to a surface, past any grab. */
  static void enter(wlr_seat& seat, wlr_surface& surface);

private:
  void onKey(const wlr_keyboard_key_event& event);
  [[nodiscard]] bool isBinding(xkb_keycode_t code);
  wlr_seat& seat_;
  TextInputRelay& textInput_;
  wlr_keyboard_group* group_;
  Binding binding_;
  std::optional<KeymapNames> names_; ///< of the keymap
  BindingSymbols symbols_;
  std::vector<uint32_t> ours_; ///< keys whose press was a binding: no client hears of their release
  Listener<wlr_keyboard_key_event> key_;
  Listener<void> modifiers_;
};

} // namespace vitrine
