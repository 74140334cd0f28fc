#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "tests/board/common/html_page.h"
#include "tests/board/display-test/report.h"

namespace vitrine::display_test {
namespace {

CaseResult result(std::string name, std::string heap, Verdict verdict, std::string reason = {}) {
  CaseResult one{std::move(name), std::move(heap), {}, 0.25};
  one.outcome.verdict = verdict;
  one.outcome.reason = std::move(reason);
  return one;
}

/** A board with one heap under test. */
Report reportOf(std::vector<CaseResult> results) {
  Report report;
  report.board.hostname = "board";
  report.board.machine.kernel = "7.3";
  report.board.nominated.push_back(
      {"protected,secure-video", "/dev/dma_heap/protected,secure-video", HeapClass::Protected, Refusal::None, 0});
  report.started = "2026-11-27T12:00:00Z";
  report.results = std::move(results);
  return report;
}

const std::string heap = "protected,secure-video";

TEST(DisplayTestReport, TheVerdictIsOneSentence) {
  const Report good = reportOf({result("map/read", heap, Verdict::Pass), result("tee/inject", heap, Verdict::Pass)});
  EXPECT_EQ(summaryOf(good).sentence,
            "Buffers of `protected,secure-video` hold: the CPU cannot read them and the TEE fills them.");
  EXPECT_EQ(summaryOf(good).state, Cell::State::Works);
  EXPECT_EQ(exitStatusOf(good), 0);

  const Report leaks = reportOf({result("map/read", heap, Verdict::Fail, "read: the content"),
                                 result("map/pread", heap, Verdict::Fail), result("tee/inject", heap, Verdict::Pass)});
  EXPECT_EQ(summaryOf(leaks).sentence,
            "Buffers of `protected,secure-video` are found wanting: the CPU can read them (read and pread).");
  EXPECT_EQ(summaryOf(leaks).state, Cell::State::Fails);
  EXPECT_EQ(exitStatusOf(leaks), 1);
}

TEST(DisplayTestReport, OneHeapThatFailsIsNotHiddenByAnotherThatHolds) {
  Report report = reportOf({result("map/read", heap, Verdict::Fail), result("map/read", "other", Verdict::Pass)});
  report.board.nominated.push_back({"other", "/dev/dma_heap/other", HeapClass::Protected, Refusal::None, 0});
  EXPECT_EQ(summaryOf(report).state, Cell::State::Fails);
  std::ranges::reverse(report.board.nominated);
  EXPECT_EQ(summaryOf(report).state, Cell::State::Fails);
}

TEST(DisplayTestReport, ABoardWithoutProtectedHeapIsNotApplicable) {
  Report report =
      reportOf({result("tee/register-other", "", Verdict::Pass), result("map/read", "", Verdict::Skip, "no heap")});
  report.board.nominated.clear();
  report.board.unmet[0] = "this board has no protected heap (in /dev/dma_heap: system)";
  EXPECT_EQ(summaryOf(report).sentence,
            "No protected path: this board has no protected heap (in /dev/dma_heap: system).");
  EXPECT_EQ(exitStatusOf(report), 77);
  report.results.push_back(result("tee/register-ordinary", "", Verdict::Fail));
  EXPECT_EQ(exitStatusOf(report), 1);
}

TEST(DisplayTestReport, WhatIsNotAboutTheHeapDoesNotMakeItsColumnWork) {
  const Report report =
      reportOf({result("map/read", heap, Verdict::Pass), result("tee/register-other", "", Verdict::Pass),
                result("tee/inject", heap, Verdict::Skip, "the TEE takes no buffers of this heap")});
  EXPECT_EQ(matrixOf(report).rows[0][2].state, Cell::State::Untested);
  EXPECT_EQ(summaryOf(report).sentence, "Buffers of `protected,secure-video` hold: the CPU cannot read them.");
}

TEST(DisplayTestReport, TheTableCountsByHeapAndGroup) {
  Report report =
      reportOf({result("map/read", heap, Verdict::Pass), result("map/pread", heap, Verdict::Skip, "no way"),
                result("map/read", "other", Verdict::Fail), result("tee/register-other", "", Verdict::Pass)});
  report.board.nominated.push_back({"other", "/dev/dma_heap/other", HeapClass::Protected, Refusal::None, 0});
  const Matrix matrix = matrixOf(report);
  ASSERT_EQ(matrix.heaps, (std::vector<std::string>{heap, "other"}));
  const auto column = [&](std::string_view name) {
    return static_cast<size_t>(std::ranges::find(groups(), name, &Group::name) - groups().begin());
  };
  EXPECT_EQ(matrix.rows[0][column("map")].state, Cell::State::Works);
  EXPECT_EQ(matrix.rows[0][column("map")].words, "1 of 1, 1 skipped");
  EXPECT_EQ(matrix.rows[1][column("map")].state, Cell::State::Fails);
  EXPECT_EQ(matrix.rows[1][column("map")].words, "1 of 1 fail");
  EXPECT_EQ(matrix.rows[1][column("tee")].state, Cell::State::Works) << "a case without a heap counts for each";
  EXPECT_EQ(matrix.rows[0][column("heap")].state, Cell::State::Untested);
}

TEST(DisplayTestReport, ComparingSaysWhatGotWorseAndWhatIsSeenOtherwise) {
  Report before = reportOf({result("map/read", heap, Verdict::Pass), result("map/pread", heap, Verdict::Pass),
                            result("map/splice", heap, Verdict::Fail)});
  before.results[1].outcome.seen = {{"pread", "ESPIPE (29)", false}};
  Report after = reportOf({result("map/read", heap, Verdict::Fail, "the content"),
                           result("map/pread", heap, Verdict::Pass), result("map/splice", heap, Verdict::Pass)});
  after.results[1].outcome.seen = {{"pread", "EINVAL (22)", false}};
  const auto comparison = compareReports(toJson(before), toJson(after));
  ASSERT_TRUE(comparison) << comparison.error().text();
  EXPECT_TRUE(comparison->worse);
  EXPECT_NE(comparison->text.find("worse   map/read [protected,secure-video]: pass -> fail: the content"),
            std::string::npos)
      << comparison->text;
  EXPECT_NE(comparison->text.find("better  map/splice [protected,secure-video]: fail -> pass"), std::string::npos)
      << comparison->text;
  EXPECT_NE(comparison->text.find("pread: ESPIPE (29) -> EINVAL (22)"), std::string::npos) << comparison->text;
  EXPECT_NE(comparison->text.find("3 of 3 cases changed"), std::string::npos) << comparison->text;

  const auto same = compareReports(toJson(after), toJson(after));
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->worse);
  EXPECT_NE(same->text.find("0 of 3 cases changed"), std::string::npos) << same->text;

  EXPECT_EQ(compareReports(nlohmann::json::object(), toJson(after)).error().kind, ErrorKind::Invalid);
  nlohmann::json newer = toJson(after);
  newer["schema_version"] = schemaVersion + 1;
  EXPECT_EQ(compareReports(toJson(before), newer).error().detail, "its schema has version 2, not 1");
}

TEST(DisplayTestReport, FormsForOtherProgramsEscapeWhatTheyQuote) {
  Report report = reportOf({result("map/read", heap, Verdict::Fail, "a < b & \"c\"\nd\x01"),
                            result("map/pread", heap, Verdict::Skip, "no\nway")});
  const std::string tap = toTap(report);
  EXPECT_NE(tap.find("1..2\nnot ok 1 - map/read [protected,secure-video]\n# a < b & \"c\" d"), std::string::npos)
      << tap;
  EXPECT_NE(tap.find("ok 2 - map/pread [protected,secure-video] # SKIP no way\n"), std::string::npos) << tap;
  const std::string junit = toJunit(report);
  EXPECT_NE(junit.find("<failure message=\"a &lt; b &amp; &quot;c&quot;\nd\"/>"), std::string::npos) << junit;
  EXPECT_NE(junit.find("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0.500\""), std::string::npos)
      << junit;
  const std::string html = toHtml(report);
  EXPECT_NE(html.find("a &lt; b &amp; &quot;c&quot;"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "it needs nothing beside it";
}

TEST(DisplayTestReport, PicturesAreInTheFile) {
  Report report = reportOf({result("map/read", heap, Verdict::Pass)});
  report.results[0].outcome.pictures.push_back({"ordinary", std::string("\x89PNG\0", 5)});
  EXPECT_NE(toHtml(report).find("src=\"data:image/png;base64,iVBORwA=\""), std::string::npos);
  EXPECT_EQ(toJson(report)["results"][0]["pictures"][0]["png"], "data:image/png;base64,iVBORwA=");
}

TEST(DisplayTestReport, AnOutcomeComesThroughThePipeAsItWas) {
  Outcome outcome;
  outcome.verdict = Verdict::Fail;
  outcome.reason = "because";
  outcome.seen = {{"mmap", "EINVAL (22)", true}};
  outcome.pictures = {{"panel", std::string("\x00\xff\x80", 3)}};
  const auto bytes = nlohmann::json::to_cbor(nlohmann::json(outcome));
  const auto back = nlohmann::json::from_cbor(bytes).get<Outcome>();
  EXPECT_EQ(back.verdict, Verdict::Fail);
  EXPECT_EQ(back.reason, "because");
  ASSERT_EQ(back.seen.size(), 1U);
  EXPECT_TRUE(back.seen[0].wrong);
  ASSERT_EQ(back.pictures.size(), 1U);
  EXPECT_EQ(back.pictures[0].png, std::string("\x00\xff\x80", 3));
}

TEST(DisplayTestCatalogue, EveryCaseIsDescribedAndUnique) {
  std::set<std::string_view> names;
  for (const Group& group : groups()) {
    for (const Case& one : group.cases) {
      EXPECT_TRUE(names.insert(one.name).second) << one.name;
      EXPECT_EQ(one.group(), group.name) << one.name;
      EXPECT_FALSE(one.proves.empty()) << one.name;
      EXPECT_FALSE(one.expectation.empty()) << one.name;
      EXPECT_NE(one.run, nullptr) << one.name;
      EXPECT_GT(one.typicalSeconds, 0) << one.name;
    }
  }
  EXPECT_FALSE(names.empty());
}

TEST(DisplayTestCatalogue, SelectionsNarrow) {
  const auto names = [](const Selection& selection) {
    std::vector<std::string_view> found;
    for (const Case* one : select(selection))
      found.push_back(one->name);
    return found;
  };
  EXPECT_TRUE(
      std::ranges::all_of(names({.groups = {"tee"}}), [](std::string_view name) { return name.starts_with("tee/"); }));
  EXPECT_EQ(names({.patterns = {"map/mmap-read"}}), (std::vector<std::string_view>{"map/mmap-read"}));
  EXPECT_GT(names({.patterns = {"map/mmap-*"}}).size(), 5U);
  EXPECT_EQ(names({.patterns = {"map/udmabuf"}, .needs = {"tee"}}).size(), 0U);
  EXPECT_TRUE(std::ranges::contains(names({}), "heap/exhaustion"));
  EXPECT_FALSE(std::ranges::contains(names({.safe = true}), "heap/exhaustion"));
}

} // namespace
} // namespace vitrine::display_test
