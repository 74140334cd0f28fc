#include "compositor/input/keyboard.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {

Keyboard::Keyboard(wlr_seat& seat, TextInputRelay& textInput, const Config& config, Binding binding)
    : seat_(seat), textInput_(textInput), group_(wlr_keyboard_group_create()), binding_(std::move(binding)) {
  wlr_keyboard& keyboard = group_->keyboard;
  keyboard.data = this;
  configure(config);
  key_.connect(keyboard.events.key, [this](wlr_keyboard_key_event* event) { onKey(*event); });
  modifiers_.connect(keyboard.events.modifiers, [this](void*) {
    if (textInput_.takeModifiers(group_->keyboard)) return;
    takeSeat();
    wlr_seat_keyboard_notify_modifiers(&seat_, &group_->keyboard.modifiers);
  });
  takeSeat();
}

Keyboard::~Keyboard() {
  key_.disconnect();
  modifiers_.disconnect();
  wlr_seat_set_keyboard(&seat_, nullptr);
  wlr_keyboard_group_destroy(group_);
}

void Keyboard::add(wlr_keyboard& device) {
  configure(device);
  wlr_keyboard_group_add_keyboard(group_, &device);
}

void Keyboard::configure(wlr_keyboard& device) {
  const wlr_keyboard& group = group_->keyboard;
  if (device.keymap != group.keymap) wlr_keyboard_set_keymap(&device, group.keymap);
  wlr_keyboard_set_repeat_info(&device, group.repeat_info.rate, group.repeat_info.delay);
}

std::vector<uint32_t> Keyboard::heldForClients(const wlr_keyboard& keyboard) {
  std::vector<uint32_t> held(keyboard.keycodes, keyboard.keycodes + keyboard.num_keycodes);
  if (keyboard.data == nullptr) return held; // a virtual one
  const auto& ours = static_cast<const Keyboard*>(keyboard.data)->ours_;
  std::erase_if(held, [&](uint32_t key) { return std::ranges::contains(ours, key); });
  return held;
}

void Keyboard::enter(wlr_seat& seat, wlr_surface& surface) {
  wlr_keyboard* keyboard = wlr_seat_get_keyboard(&seat);
  if (keyboard == nullptr) return;
  const std::vector<uint32_t> held = heldForClients(*keyboard);
  wlr_seat_keyboard_enter(&seat, &surface, held.data(), held.size(), &keyboard->modifiers);
}

void Keyboard::configure(const Config& config) {
  wlr_keyboard_set_repeat_info(&group_->keyboard, config.repeatRate, config.repeatDelay);
  if (names_ == config.keymap) return; // the current layout and the locks stay
  names_ = config.keymap;
  KeymapPointer keymap = compileKeymap(config.keymap);
  if (!keymap) {
    log("input").warn("keymap layout='{}' variant='{}' options='{}': xkbcommon does not know it; taking its default",
                      config.keymap.layout, config.keymap.variant, config.keymap.options);
    keymap = defaultKeymap();
  }
  if (!keymap) return;
  wlr_keyboard_set_keymap(&group_->keyboard, keymap.get());
}

bool Keyboard::isBinding(xkb_keycode_t code) {
  xkb_state& state = *group_->keyboard.xkb_state;
  const uint32_t held = modifiers();
  const xkb_keysym_t plain = symbols_.of(state, code);
  if (binding_(held, plain)) return true;
  const xkb_keysym_t modified = xkb_state_key_get_one_sym(&state, code); // XF86Switch_VT_1 for Ctrl+Alt+F1
  return modified != plain && binding_(held, modified);
}

void Keyboard::onKey(const wlr_keyboard_key_event& event) {
  constexpr uint32_t evdevToXkb = 8;
  if (group_->keyboard.xkb_state == nullptr) return; // no keymap at all
  bool handled = false;
  if (event.state == WL_KEYBOARD_KEY_STATE_PRESSED) {
    ours_.push_back(event.keycode); // before the binding, which may give the keyboard to another client
    handled = isBinding(event.keycode + evdevToXkb);
    if (!handled) ours_.pop_back();
  } else {
    handled = std::erase(ours_, event.keycode) != 0;
  }
  if (handled || textInput_.takeKey(group_->keyboard, event)) return;
  takeSeat();
  wlr_seat_keyboard_notify_key(&seat_, event.time_msec, event.keycode, event.state);
}

} // namespace vitrine
