#pragma once

#include <compare>
#include <map>

#include "compositor/actions/action.h"

namespace vitrine {

/** Modifiers and what is pressed with them. */
struct Chord {
  uint32_t modifiers = 0; ///< WLR_MODIFIER_SHIFT, _CTRL, _ALT and _LOGO; other modifiers and locks do not count
  uint32_t trigger = 0;   ///< an XKB keysym without modifiers, or an evdev button
  auto operator<=>(const Chord&) const = default;
};

/** Reads keys such as `Logo+Shift+Return`. Error: Invalid: an unknown modifier or key. */
[[nodiscard]] Result<Chord> parseKeys(std::string_view text);
/** Reads a button such as `Logo+LeftButton`. Error: Invalid: an unknown modifier or button, or a button without modifiers. */
[[nodiscard]] Result<Chord> parseButton(std::string_view text);

/** The text that parseKeys() reads as this. */
[[nodiscard]] std::string keysText(const Chord& chord);
/** The text that parseButton() reads as this. */
[[nodiscard]] std::string buttonText(const Chord& chord);

/** What keys and buttons do. By default: what the table of actions says. */
struct Bindings {
  using Table = std::map<Chord, Action>;
  Table keys;
  Table buttons;

  [[nodiscard]] static Bindings defaults();
  /** Those of this action alone. */
  [[nodiscard]] Bindings only(ActionKind kind) const;
  /** The action of a chord, of which only the modifiers that a Chord can have count; null if it is not bound. */
  [[nodiscard]] static const Action* find(const Table& table, uint32_t modifiers, uint32_t trigger);
  bool operator==(const Bindings&) const = default;
};

} // namespace vitrine
