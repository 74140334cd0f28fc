#include <drm_fourcc.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <format>

#include "protected-path/probe/explain.h"

namespace vitrine::probe {
namespace {

using Json = nlohmann::ordered_json;

FormatModifier formatOf(const Question& question) {
  return {question.fourcc, DRM_FORMAT_MOD_LINEAR};
}

const char* contentName(ConsumerFacts::Content content) {
  switch (content) {
  case ConsumerFacts::Content::ProtectedOnly:
    return "protected only";
  case ConsumerFacts::Content::OrdinaryOnly:
    return "ordinary only";
  case ConsumerFacts::Content::Any:
    break;
  }
  return "any";
}

/** `takes its buffers`, `refuses …`, or `was not asked`. */
std::string answerText(const Heap& heap, const ConsumerFacts& consumer, FormatModifier format) {
  const ConsumerAnswer* answer = answerOf(heap, consumer, format);
  if (answer == nullptr) return "was not asked about a buffer of this heap";
  return answer->refusal == Refusal::None ? "takes its buffers" : answer->words;
}

std::string demandsOf(const ConsumerFacts& facts) {
  std::string text = std::format("content: {}", contentName(facts.content));
  if (facts.strideAlignmentBytes > 1) text += std::format("; strides of {} bytes", facts.strideAlignmentBytes);
  if (facts.rowMultiple > 1) text += std::format("; rows in blocks of {}", facts.rowMultiple);
  if (facts.planeAlignmentBytes > 1) text += std::format("; planes at {} bytes", facts.planeAlignmentBytes);
  if (facts.contiguous) text += "; one piece of memory";
  text += facts.formats.empty() ? "; formats not known" : std::format("; {} formats", facts.formats.size());
  return text;
}

void addLayout(std::string& text, const Explanation& answer) {
  const LayoutConstraints& all = answer.constraints;
  text += std::format("\nLAYOUT: strides are multiples of {} bytes, rows of {}, plane offsets of {}{}\n",
                      all.strideAlignmentBytes, all.rowMultiple, all.planeAlignmentBytes,
                      all.contiguous ? "; one piece of memory" : "");
  const BufferLayout& layout = answer.choice.layout;
  for (unsigned plane = 0; plane < layout.planeCount; ++plane)
    text += std::format("  plane {}  offset {:>9}  stride {:>6}\n", plane, layout.offsetBytes[plane],
                        layout.strideBytes[plane]);
  text += std::format("  {} bytes in whole pages\n", layout.sizeBytes);
}

void addHeaps(std::string& text, const Explanation& answer) {
  const HeapChoice& choice = answer.choice;
  size_t width = 0;
  for (const auto* verdicts : {&choice.candidates, &choice.rejected}) {
    for (const HeapVerdict& verdict : *verdicts)
      width = std::max(width, verdict.heap.name.size());
  }
  text += "\nHEAPS in the order in which they are tried\n";
  if (choice.candidates.empty()) text += "  none\n";
  for (size_t i = 0; i < choice.candidates.size(); ++i) {
    const HeapVerdict& verdict = choice.candidates[i];
    text +=
        std::format("  {}  {:<{}}  {}; memory {}; evidence {} ({})\n", i + 1, verdict.heap.name, width, verdict.words,
                    heapMemoryName(verdict.heap.memory), evidenceName(expectedEvidence(verdict.heap)),
                    verdict.heap.evidence ? "of a buffer" : "expected by its name");
    for (const NamedConsumer& consumer : answer.consumers)
      text += std::format("     {:<{}}  {} {}\n", "", width, consumer.name,
                          answerText(verdict.heap, consumer.facts, formatOf(answer.question)));
  }
  if (!choice.rejected.empty()) text += "\nNOT TAKEN\n";
  for (const HeapVerdict& verdict : choice.rejected)
    text += std::format("  -  {:<{}}  {}: {}\n", verdict.heap.name, width, refusalName(verdict.refusal), verdict.words);
}

std::string choiceText(const Explanation& answer) {
  if (!answer.takenFrom.empty()) return answer.takenFrom + ": a buffer of it was taken, and all consumers take it";
  if (answer.question.tryHeaps) return "none: " + answer.tryError;
  if (answer.choice.candidates.empty()) return "none: " + answer.choice.explanation;
  return answer.choice.candidates.front().heap.name +
         " (nothing was allocated; --try takes a buffer and asks the devices)";
}

Json consumerJson(const NamedConsumer& consumer) {
  const ConsumerFacts& facts = consumer.facts;
  return {{"name", consumer.name},
          {"device", facts.name},
          {"content", contentName(facts.content)},
          {"stride_alignment_bytes", facts.strideAlignmentBytes},
          {"row_multiple", facts.rowMultiple},
          {"plane_alignment_bytes", facts.planeAlignmentBytes},
          {"contiguous", facts.contiguous},
          {"formats", facts.formats.size()}};
}

Json heapJson(const HeapVerdict& verdict, const Explanation& answer) {
  Json answers = Json::array();
  for (const NamedConsumer& consumer : answer.consumers) {
    const ConsumerAnswer* said = answerOf(verdict.heap, consumer.facts, formatOf(answer.question));
    if (said == nullptr) continue;
    answers.push_back(
        {{"consumer", consumer.name}, {"takes", said->refusal == Refusal::None}, {"reason", said->words}});
  }
  return {
      {"name", verdict.heap.name},
      {"class", heapClassName(verdict.heap.heapClass)},
      {"memory", heapMemoryName(verdict.heap.memory)},
      {"evidence", verdict.heap.evidence ? Json(evidenceName(*verdict.heap.evidence)) : Json(nullptr)},
      {"candidate", verdict.refusal == Refusal::None},
      {"refusal", verdict.refusal == Refusal::None ? Json(nullptr) : Json(std::string(refusalName(verdict.refusal)))},
      {"reason", verdict.words},
      {"answers", answers}};
}

} // namespace

std::string toText(const Explanation& answer) {
  const Question& question = answer.question;
  std::string text = std::format("{}x{} {} LINEAR, {} content\n", question.size.width, question.size.height,
                                 fourccName(question.fourcc), question.protectedContent ? "protected" : "ordinary");
  text += "\nCONSUMERS\n";
  if (answer.consumers.empty()) text += "  none named (--for)\n";
  for (const NamedConsumer& consumer : answer.consumers)
    text += std::format("  {:<7}  {}: {}\n", consumer.name, consumer.facts.name, demandsOf(consumer.facts));
  if (answer.choice.layout.planeCount > 0) addLayout(text, answer);
  addHeaps(text, answer);
  return text + "\nCHOICE  " + choiceText(answer) + "\n";
}

std::string toJson(const Explanation& answer) {
  const Question& question = answer.question;
  const HeapChoice& choice = answer.choice;
  Json consumers = Json::array();
  for (const NamedConsumer& consumer : answer.consumers)
    consumers.push_back(consumerJson(consumer));
  Json heaps = Json::array();
  for (const auto* verdicts : {&choice.candidates, &choice.rejected}) {
    for (const HeapVerdict& verdict : *verdicts)
      heaps.push_back(heapJson(verdict, answer));
  }
  Json planes = Json::array();
  for (unsigned plane = 0; plane < choice.layout.planeCount; ++plane)
    planes.push_back(
        {{"offset_bytes", choice.layout.offsetBytes[plane]}, {"stride_bytes", choice.layout.strideBytes[plane]}});
  const std::string chosen = question.tryHeaps           ? answer.takenFrom
                             : choice.candidates.empty() ? std::string()
                                                         : choice.candidates.front().heap.name;
  const Json root = {{"schema", "vitrine-probe-explain"},
                     {"schema_version", 1},
                     {"version", VITRINE_VERSION},
                     {"width", question.size.width},
                     {"height", question.size.height},
                     {"format", fourccName(question.fourcc)},
                     {"protected", question.protectedContent},
                     {"tried", question.tryHeaps},
                     {"consumers", consumers},
                     {"bytes", choice.layout.sizeBytes},
                     {"planes", planes},
                     {"heaps", heaps},
                     {"choice", chosen.empty() ? Json(nullptr) : Json(chosen)},
                     {"explanation", choiceText(answer)}};
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace vitrine::probe
