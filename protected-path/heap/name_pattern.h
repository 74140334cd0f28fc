#pragma once

#include <string_view>

namespace vitrine {

/**
 * Whether the whole `name` matches `pattern`, in which `*` stands for any run of characters, also an empty one. No
 * other character is special, since heap names contain commas and at signs. It backtracks to the last `*` only, so it
 * takes at most pattern × name steps.
 */
[[nodiscard]] constexpr bool nameMatches(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

} // namespace vitrine
