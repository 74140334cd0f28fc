#pragma once

#include <string>
#include <vector>

#include "tests/board/display-test/case.h"

// Looks for 16 bytes wherever the CPU can read. This process, its group and the program that started it know them and are left out.
namespace vitrine::display_test {

/** What was searched, and what was found. */
struct Searched {
  unsigned places = 0; ///< processes or files that could be read
  uint64_t bytes = 0;
  std::vector<std::string> hits; ///< where, and whose it is
};

/** The readable mappings of all other processes. */
[[nodiscard]] Searched searchProcesses(const Secret& secret);

/** Files that other processes have open and that have no name: memfds, shared memory, deleted files. */
[[nodiscard]] Searched searchOpenFiles(const Secret& secret);

/** Directories in memory, and those for temporary files. */
[[nodiscard]] Searched searchFiles(const Secret& secret);

/** Notes what was searched, `unit` being its places; each hit is a failure. */
void report(Trial& trial, const Searched& searched, std::string_view unit);

} // namespace vitrine::display_test
