#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/board/display-test/case.h"

namespace vitrine::display_test {

/** One group of cases, a column of the report's table. */
struct Group {
  std::string_view name;  ///< `map`
  std::string_view title; ///< column heading: `CPU kept out`
  std::string_view words; ///< what its cases ask, a sentence
  std::string_view works; ///< for the verdict, of a heap's buffers: `the CPU cannot read them`
  std::string_view fails; ///< `the CPU can read them`
  std::span<const Case> cases;
};

/** Every group, in the order in which they run. */
[[nodiscard]] std::span<const Group> groups();

/** The case of a name, or null. */
[[nodiscard]] const Case* findCase(std::string_view name);

/** Which cases are wanted. */
struct Selection {
  std::vector<std::string> groups;   ///< empty: all
  std::vector<std::string> patterns; ///< names or shell patterns (`map/mmap-*`); empty: all
  std::vector<std::string> needs;    ///< cases that need one of these; empty: all
  bool safe = false;                 ///< leave out what could hang a board or takes all of a pool
};

/** The cases that a selection names, in the catalogue's order. */
[[nodiscard]] std::vector<const Case*> select(const Selection& selection);

// Each group's cases, in the file of its name.
[[nodiscard]] std::span<const Case> heapCases();
[[nodiscard]] std::span<const Case> mapCases();
[[nodiscard]] std::span<const Case> teeCases();
[[nodiscard]] std::span<const Case> kmsCases();
[[nodiscard]] std::span<const Case> vulkanCases();
[[nodiscard]] std::span<const Case> leakCases();
[[nodiscard]] std::span<const Case> compositorCases();

} // namespace vitrine::display_test
