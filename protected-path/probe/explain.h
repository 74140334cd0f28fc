#pragma once

#include <string>
#include <vector>

#include "protected-path/heap/heap_solver.h"

namespace vitrine::probe {

/** The question of `vitrine-probe explain`: which heap for such a buffer, and why no other? */
struct Question {
  std::vector<std::string> consumers; ///< `display`, `gpu`, `tee`
  Size size;
  uint32_t fourcc = 0;
  bool protectedContent = false;
  bool tryHeaps = false; ///< take a buffer and ask the devices; else nothing is allocated
};

/** One consumer by the name that the user gave it. */
struct NamedConsumer {
  std::string name;
  ConsumerFacts facts;
};

/** The answer. */
struct Explanation {
  Question question;
  std::vector<NamedConsumer> consumers;
  LayoutConstraints constraints;
  HeapChoice choice;
  std::string takenFrom; ///< the heap whose buffer all consumers took; empty: none, or not tried
  std::string tryError;  ///< why none was taken
  [[nodiscard]] bool found() const { return question.tryHeaps ? !takenFrom.empty() : !choice.candidates.empty(); }
};

/** Missing where a consumer is not there: it names the consumer and why. */
[[nodiscard]] Result<Explanation> explain(const Question& question, const HeapTable& table);

[[nodiscard]] std::string toText(const Explanation& explanation);
[[nodiscard]] std::string toJson(const Explanation& explanation); ///< by explain.schema.json

} // namespace vitrine::probe
