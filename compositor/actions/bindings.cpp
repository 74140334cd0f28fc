#include "compositor/actions/bindings.h"

#include <algorithm>
#include <cstdlib>
#include <format>
#include <optional>

#include <linux/input-event-codes.h>
#include <xkbcommon/xkbcommon.h>

#include "compositor/wlr/wlroots.h"

namespace vitrine {
namespace {

struct Named {
  std::string_view name;
  uint32_t value;
};

constexpr Named modifierNames[] = {{"Logo", WLR_MODIFIER_LOGO},   {"Super", WLR_MODIFIER_LOGO},
                                   {"Ctrl", WLR_MODIFIER_CTRL},   {"Control", WLR_MODIFIER_CTRL},
                                   {"Shift", WLR_MODIFIER_SHIFT}, {"Alt", WLR_MODIFIER_ALT}};
constexpr Named buttonNames[] = {{"LeftButton", BTN_LEFT}, {"RightButton", BTN_RIGHT}, {"MiddleButton", BTN_MIDDLE},
                                 {"SideButton", BTN_SIDE}, {"ExtraButton", BTN_EXTRA}, {"ForwardButton", BTN_FORWARD},
                                 {"BackButton", BTN_BACK}};

/** ASCII only, as all of these names are. */
bool sameWord(std::string_view left, std::string_view right) {
  const auto lower = [](char letter) { return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

template<size_t Count>
std::optional<uint32_t> valueOf(const Named (&names)[Count], std::string_view word) {
  const auto found = std::ranges::find_if(names, [&](const Named& each) { return sameWord(each.name, word); });
  return found != std::end(names) ? std::optional(found->value) : std::nullopt;
}

/** Takes the modifiers from the beginning of `text`. */
Result<uint32_t> takeModifiers(std::string_view whole, std::string_view& text) {
  uint32_t modifiers = 0;
  for (size_t plus = text.find('+'); plus != std::string_view::npos; plus = text.find('+')) {
    const auto modifier = valueOf(modifierNames, text.substr(0, plus));
    if (!modifier) {
      return invalid("read binding", whole, std::format("there is no modifier '{}'", text.substr(0, plus)),
                     "the modifiers are Logo, Ctrl, Alt and Shift");
    }
    modifiers |= *modifier;
    text.remove_prefix(plus + 1);
  }
  return modifiers;
}

std::string modifiersText(uint32_t modifiers) {
  std::string text;
  for (const uint32_t each : {WLR_MODIFIER_LOGO, WLR_MODIFIER_CTRL, WLR_MODIFIER_ALT, WLR_MODIFIER_SHIFT}) {
    // The first name of each counts.
    if ((modifiers & each) != 0)
      text += std::format("{}+", std::ranges::find(modifierNames, each, &Named::value)->name);
  }
  return text;
}

xkb_keysym_t keyOf(std::string_view word) {
  const std::string name(word);
  const xkb_keysym_t exact = xkb_keysym_from_name(name.c_str(), XKB_KEYSYM_NO_FLAGS);
  // `Q` is the key that types `q`: bindings go by what keys are without modifiers.
  if (exact != XKB_KEY_NoSymbol) return xkb_keysym_to_lower(exact);
  return xkb_keysym_from_name(name.c_str(), XKB_KEYSYM_CASE_INSENSITIVE);
}

Bindings readDefaults() {
  Bindings bindings;
  for (const ActionInfo& info : actionInfos()) {
    for (const DefaultBinding& each : info.keys)
      if (const auto chord = parseKeys(each.chord)) bindings.keys[*chord] = {info.kind, std::string(each.argument)};
    for (const DefaultBinding& each : info.buttons)
      if (const auto chord = parseButton(each.chord))
        bindings.buttons[*chord] = {info.kind, std::string(each.argument)};
  }
  return bindings;
}

} // namespace

Result<Chord> parseKeys(std::string_view text) {
  std::string_view rest = text;
  const auto modifiers = takeModifiers(text, rest);
  if (!modifiers) return std::unexpected(modifiers.error());
  const xkb_keysym_t key = keyOf(rest);
  if (key == XKB_KEY_NoSymbol) {
    return invalid("read binding", text, std::format("there is no key '{}'", rest),
                   "keys have the names of XKB, such as Return, q, F5 or XF86AudioMute; `wev` shows them");
  }
  return Chord{*modifiers, key};
}

Result<Chord> parseButton(std::string_view text) {
  std::string_view rest = text;
  const auto modifiers = takeModifiers(text, rest);
  if (!modifiers) return std::unexpected(modifiers.error());
  const auto button = valueOf(buttonNames, rest);
  if (!button) {
    std::string known;
    for (const Named& each : buttonNames)
      known += std::format("{}{}", known.empty() ? "" : ", ", each.name);
    return invalid("read binding", text, std::format("there is no button '{}'", rest), "the buttons are " + known);
  }
  if (*modifiers == 0)
    return invalid("read binding", text, "a button needs a modifier, without which it is the window's");
  return Chord{*modifiers, *button};
}

std::string keysText(const Chord& chord) {
  char name[64] = "";
  xkb_keysym_get_name(chord.trigger, name, sizeof name);
  return modifiersText(chord.modifiers) + name;
}

std::string buttonText(const Chord& chord) {
  const auto found = std::ranges::find(buttonNames, chord.trigger, &Named::value);
  return modifiersText(chord.modifiers) + std::string(found != std::end(buttonNames) ? found->name : "");
}

Bindings Bindings::defaults() {
  static const Bindings defaults = readDefaults();
  return defaults;
}

Bindings Bindings::only(ActionKind kind) const {
  Bindings some = *this;
  for (Table* table : {&some.keys, &some.buttons})
    std::erase_if(*table, [kind](const auto& bound) { return bound.second.kind != kind; });
  return some;
}

const Action* Bindings::find(const Table& table, uint32_t modifiers, uint32_t trigger) {
  constexpr uint32_t known = WLR_MODIFIER_SHIFT | WLR_MODIFIER_CTRL | WLR_MODIFIER_ALT | WLR_MODIFIER_LOGO;
  const auto found = table.find({modifiers & known, trigger});
  return found != table.end() && found->second.kind != ActionKind::None ? &found->second : nullptr;
}

} // namespace vitrine
