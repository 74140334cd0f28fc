#include "tests/board/display-test/case.h"

#include <algorithm>
#include <cassert>
#include <format>

#include <nlohmann/json.hpp>

namespace vitrine::display_test {
namespace {

constexpr std::array<std::string_view, needCount> needNames = {"heap",    "system-heap", "tee",     "fill", "sdp-basic",
                                                               "decrypt", "dump",        "display", "gpu",  "udmabuf",
                                                               "master",  "eye",         "wayland"};

} // namespace

std::string_view needName(Need need) {
  for (unsigned bit = 0; bit < needCount; ++bit) {
    if (need == 1U << bit) return needNames[bit];
  }
  return {};
}

std::string_view verdictName(Verdict verdict) {
  switch (verdict) {
  case Verdict::Pass:
    return "pass";
  case Verdict::Fail:
    return "fail";
  case Verdict::Skip:
    return "skip";
  }
  return {};
}

std::string errnoText(int number) {
  return number == 0 ? "succeeded" : std::format("{} ({})", errnoName(number), number);
}

void to_json(nlohmann::json& json, const Outcome& outcome) {
  nlohmann::json seen = nlohmann::json::array();
  for (const Observation& one : outcome.seen)
    seen.push_back({{"what", one.what}, {"value", one.value}, {"wrong", one.wrong}});
  json = {{"verdict", verdictName(outcome.verdict)}, {"reason", outcome.reason}, {"seen", seen}};
  for (const Picture& picture : outcome.pictures)
    json["pictures"].push_back(
        {{"title", picture.title}, {"png", nlohmann::json::binary({picture.png.begin(), picture.png.end()})}});
}

void from_json(const nlohmann::json& json, Outcome& outcome) {
  const std::string verdict = json.at("verdict");
  outcome.verdict = verdict == "pass" ? Verdict::Pass : verdict == "skip" ? Verdict::Skip : Verdict::Fail;
  outcome.reason = json.at("reason");
  for (const auto& one : json.at("seen"))
    outcome.seen.push_back({one.at("what"), one.at("value"), one.at("wrong")});
  for (const auto& picture : json.value("pictures", nlohmann::json::array())) {
    const auto& bytes = picture.at("png").get_binary();
    outcome.pictures.push_back({picture.at("title"), std::string(bytes.begin(), bytes.end())});
  }
}

const Heap& Trial::heap() const {
  assert(heap_ != nullptr && "the case declares NeedHeap");
  return *heap_;
}

void Trial::saw(std::string what, std::string value) {
  outcome_.seen.push_back({std::move(what), std::move(value), false});
}

bool Trial::expect(bool right, std::string what, std::string value) {
  if (!right) fail(std::format("{}: {}", what, value));
  outcome_.seen.push_back({std::move(what), std::move(value), !right});
  return right;
}

bool Trial::expectErrno(std::string what, int got, std::span<const int> right) {
  return expect(std::ranges::contains(right, got), std::move(what), errnoText(got));
}

void Trial::fail(std::string reason) {
  if (outcome_.verdict != Verdict::Fail) outcome_.reason = std::move(reason);
  outcome_.verdict = Verdict::Fail;
}

Result<> Trial::skip(std::string reason) {
  if (outcome_.verdict != Verdict::Fail) {
    outcome_.verdict = Verdict::Skip;
    outcome_.reason = std::move(reason);
  }
  return {};
}

void Trial::show(std::string title, std::string png) {
  outcome_.pictures.push_back({std::move(title), std::move(png)});
}

} // namespace vitrine::display_test
