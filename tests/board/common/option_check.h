#pragma once

#include <string>

namespace vitrine {

/** A validator for CLI11: the error text of `parse` (text to Result), which CLI11 prints with the option's name. */
template<typename Parse>
auto parsedBy(Parse parse) {
  return [parse](const std::string& text) {
    const auto value = parse(text);
    return value ? std::string() : value.error().text();
  };
}

} // namespace vitrine
