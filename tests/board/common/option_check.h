#pragma once

#include <string>

namespace vitrine {

/** A check for CLI11, so that a wrong value is told of with its option's name: what `parse` (text to Result) says of it. */
template<typename Parse>
auto parsedBy(Parse parse) {
  return [parse](const std::string& text) {
    const auto value = parse(text);
    return value ? std::string() : value.error().text();
  };
}

} // namespace vitrine
