#pragma once

#include <memory>
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

} // namespace vitrine
