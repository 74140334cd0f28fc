#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tests/board/display-test/case.h"
#include "tests/board/display-test/catalogue.h"

namespace vitrine::display_test {

/** One run of one case. */
struct CaseResult {
  std::string name;
  std::string heap; ///< under test; empty where the case has none
  Outcome outcome;
  double seconds = 0;

  /** `map/mmap-read`, and the heap where there may be several. */
  [[nodiscard]] std::string label() const { return heap.empty() ? name : name + " [" + heap + "]"; }
};

/** A whole run. */
struct Report {
  Board board;
  std::string started; ///< UTC, ISO 8601
  uint64_t seed = 0;   ///< of --shuffle; 0: the catalogue's order
  bool interrupted = false;
  std::vector<CaseResult> results;
};

/** One cell of the table of what works. */
struct Cell {
  enum class State : uint8_t { Works, Fails, Untested };
  State state = State::Untested;
  std::string words; ///< `24 of 24`, `2 of 24 fail`, or why nothing was tested
};

/** Heap by group: what works. Rows as Board::nominated (one row without a name where there is no heap), columns as groups(). */
struct Matrix {
  std::vector<std::string> heaps;
  std::vector<std::vector<Cell>> rows;
};
[[nodiscard]] Matrix matrixOf(const Report& report);

/** The report in one sentence. */
struct Summary {
  Cell::State state = Cell::State::Untested;
  std::string sentence;
};
[[nodiscard]] Summary summaryOf(const Report& report);

struct Counts {
  unsigned passed = 0;
  unsigned failed = 0;
  unsigned skipped = 0;
};
[[nodiscard]] Counts countsOf(const Report& report);

/** What the program ends with: 1 something failed, 77 nothing applied (no protected heap, or nothing but skips), else 0. */
[[nodiscard]] int exitStatusOf(const Report& report);

// The forms of it. JSON's schema is in README.md.
inline constexpr int schemaVersion = 1;
[[nodiscard]] nlohmann::json toJson(const Report& report);
[[nodiscard]] std::string toText(const Report& report, bool colours);
[[nodiscard]] std::string toTap(const Report& report);
[[nodiscard]] std::string toJunit(const Report& report);
[[nodiscard]] std::string toHtml(const Report& report);

/** What changed between two JSON reports, for people. `changed`: whether anything did. Invalid for what is no report of ours. */
struct Comparison {
  std::string text;
  bool worse = false; ///< something passes in the first and fails in the second
};
[[nodiscard]] Result<Comparison> compareReports(const nlohmann::json& before, const nlohmann::json& after);

} // namespace vitrine::display_test
