#pragma once

#include <memory>
#include <optional>
#include <string>

#include <xkbcommon/xkbcommon.h>

namespace vitrine {

/** XKB names; what is empty is XKB_DEFAULT_*'s or the system's. */
struct KeymapNames {
  std::string layout;
  std::string variant;
  std::string options;
  bool operator==(const KeymapNames&) const = default;
};

using KeymapPointer = std::unique_ptr<xkb_keymap, decltype(&xkb_keymap_unref)>;

/** The keymap of these names; null where xkbcommon does not know them, of which it says why on stderr. */
[[nodiscard]] KeymapPointer compileKeymap(const KeymapNames& names);

/** The keymap that always is: a US keyboard's; null where xkbcommon has no data at all. */
[[nodiscard]] KeymapPointer defaultKeymap();

/**
 * What a key is called in a binding: the symbol that it has without modifiers or locks, in the current layout. Where nobody can type
 * Latin letters in that one (Cyrillic, Greek), in the first layout where one can, and at last on a US keyboard.
 */
class BindingSymbols {
public:
  /** `code`: of XKB. NoSymbol where it has none anywhere. */
  [[nodiscard]] xkb_keysym_t of(xkb_state& state, xkb_keycode_t code);

private:
  std::optional<KeymapPointer> latin_; ///< once it was needed
};

} // namespace vitrine
