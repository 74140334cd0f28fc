#pragma once

#include <exception>
#include <format>
#include <string>
#include <string_view>

#include "protected-path/base/result.h"

namespace vitrine {

/** An assertion of toml++ that does not hold. Thrown through its parser, and caught in parseToml(). */
struct TomlFault : std::exception {
  [[nodiscard]] const char* what() const noexcept override {
    return "a key or a value begins with a character that TOML does not allow there";
  }
};

[[noreturn]] inline void throwTomlFault() {
  throw TomlFault();
}

} // namespace vitrine

/**
 * The only include of toml++. Distributions build its library with exceptions, which our code does not use, so it is
 * compiled header-only and without exceptions. The header is large: include it in as few files as possible.
 *
 * Some malformed texts break assertions of its parser (3.4: a line `[=`). Such an assertion would abort the program, or
 * with NDEBUG let the compiler rely on it. Here it ends the parsing.
 */
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(expression) ((expression) ? void() : ::vitrine::throwTomlFault())
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.hpp>
#pragma pop_macro("NDEBUG")

namespace vitrine {

/** The table of a TOML document. `name`: of its file, for errors. Error: Invalid, with line and column. */
[[nodiscard]] inline Result<toml::table> parseToml(std::string_view operation, std::string_view text,
                                                   const std::string& name, std::string_view remedy = {}) try {
  toml::parse_result parsed = toml::parse(text, name);
  if (parsed) return std::move(parsed).table();
  const auto& begin = parsed.error().source().begin;
  return invalid(operation, std::format("{}:{}:{}", name, begin.line, begin.column), parsed.error().description(),
                 remedy);
} catch (const TomlFault& fault) {
  return invalid(operation, name, fault.what(), remedy);
}

} // namespace vitrine
