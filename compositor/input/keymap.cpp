#include "compositor/input/keymap.h"

namespace vitrine {
namespace {

KeymapPointer compile(const xkb_rule_names& names) {
  const std::unique_ptr<xkb_context, decltype(&xkb_context_unref)> context(xkb_context_new(XKB_CONTEXT_NO_FLAGS),
                                                                           xkb_context_unref);
  if (!context) return {nullptr, xkb_keymap_unref};
  return {xkb_keymap_new_from_names(context.get(), &names, XKB_KEYMAP_COMPILE_NO_FLAGS), xkb_keymap_unref};
}

} // namespace

KeymapPointer compileKeymap(const KeymapNames& names) {
  const auto named = [](const std::string& name) { return name.empty() ? nullptr : name.c_str(); };
  return compile({nullptr, nullptr, named(names.layout), named(names.variant), named(names.options)});
}

KeymapPointer defaultKeymap() {
  return compile({.rules = "evdev", .model = "pc105", .layout = "us", .variant = "", .options = ""});
}

} // namespace vitrine
