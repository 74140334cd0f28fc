#pragma once

#include <vector>

#include "compositor/config/config.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/** One keyboard: its keymap, its bindings, and its keys on their way to the focused client. */
class Keyboard {
public:
  /** A key was pressed with these modifiers (WLR_MODIFIER_*); true: it was ours and goes no further. */
  using Binding = std::function<bool(uint32_t modifiers, xkb_keysym_t key)>;
  /** To be destroyed with its device. */
  Keyboard(wlr_seat& seat, wlr_keyboard& keyboard, const Config& config, Binding binding);
  Keyboard(const Keyboard&) = delete;
  ~Keyboard() { keyboard_.data = nullptr; }
  /** The keys (evdev codes) that are held on a seat's keyboard, without those that belong to a binding. */
  [[nodiscard]] static std::vector<uint32_t> heldForClients(const wlr_keyboard& keyboard);

private:
  void setKeymap(const Config& config);
  void onKey(const wlr_keyboard_key_event& event);
  wlr_seat& seat_;
  wlr_keyboard& keyboard_;
  Binding binding_;
  std::vector<uint32_t> ours_; ///< keys whose press was a binding: no client hears of their release
  Listener<wlr_keyboard_key_event> key_;
  Listener<void> modifiers_;
};

} // namespace vitrine
