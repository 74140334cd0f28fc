#include "compositor/input/keymap.h"

namespace vitrine {
namespace {

KeymapPointer compile(const xkb_rule_names& names) {
  const std::unique_ptr<xkb_context, decltype(&xkb_context_unref)> context(xkb_context_new(XKB_CONTEXT_NO_FLAGS),
                                                                           xkb_context_unref);
  if (!context) return {nullptr, xkb_keymap_unref};
  return {xkb_keymap_new_from_names(context.get(), &names, XKB_KEYMAP_COMPILE_NO_FLAGS), xkb_keymap_unref};
}

xkb_keysym_t plainSymbol(xkb_keymap& keymap, xkb_keycode_t code, xkb_layout_index_t layout) {
  const xkb_keysym_t* symbols = nullptr;
  const int count = xkb_keymap_key_get_syms_by_level(&keymap, code, layout, 0, &symbols);
  return count == 1 ? symbols[0] : XKB_KEY_NoSymbol;
}

/** Whether somebody can type Latin letters in a layout: all of them, without modifiers. */
bool isLatin(xkb_keymap& keymap, xkb_layout_index_t layout) {
  constexpr unsigned letters = XKB_KEY_z - XKB_KEY_a + 1;
  uint32_t found = 0; // one bit a letter
  for (xkb_keycode_t code = xkb_keymap_min_keycode(&keymap); code <= xkb_keymap_max_keycode(&keymap); ++code) {
    const xkb_keysym_t symbol = plainSymbol(keymap, code, layout);
    if (symbol >= XKB_KEY_a && symbol <= XKB_KEY_z) found |= 1U << (symbol - XKB_KEY_a);
  }
  return found == (1U << letters) - 1;
}

} // namespace

KeymapPointer compileKeymap(const KeymapNames& names) {
  const auto named = [](const std::string& name) { return name.empty() ? nullptr : name.c_str(); };
  return compile({nullptr, nullptr, named(names.layout), named(names.variant), named(names.options)});
}

KeymapPointer defaultKeymap() {
  return compile({.rules = "evdev", .model = "pc105", .layout = "us", .variant = "", .options = ""});
}

xkb_keysym_t BindingSymbols::of(xkb_state& state, xkb_keycode_t code) {
  xkb_keymap& keymap = *xkb_state_get_keymap(&state);
  const xkb_layout_index_t current = xkb_state_serialize_layout(&state, XKB_STATE_LAYOUT_EFFECTIVE);
  if (isLatin(keymap, current)) return plainSymbol(keymap, code, current);
  for (xkb_layout_index_t layout = 0; layout < xkb_keymap_num_layouts(&keymap); ++layout)
    if (isLatin(keymap, layout)) return plainSymbol(keymap, code, layout);
  if (!latin_) latin_ = defaultKeymap();
  return *latin_ ? plainSymbol(**latin_, code, 0) : plainSymbol(keymap, code, current);
}

} // namespace vitrine
