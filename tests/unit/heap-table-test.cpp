#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "protected-path/heap/heap_knowledge.h"
#include "protected-path/heap/heap_table.h"
#include "protected-path/heap/name_pattern.h"

namespace vitrine {
namespace {

constexpr HeapClass P = HeapClass::Protected;
constexpr HeapClass W = HeapClass::ProtectedWorking;
constexpr HeapClass O = HeapClass::Ordinary;
constexpr HeapClass U = HeapClass::Unknown;

/** A heap's name, the class that a public source implies, and the source. */
struct Fact {
  std::string name;
  std::string heapClass;
  std::string source;
};

/** tests/unit/heap_names.txt: facts of others, not of our table. */
std::vector<Fact> facts() {
  std::vector<Fact> result;
  std::ifstream file(HEAP_NAMES);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (Fact fact; !line.starts_with('#') && words >> fact.name >> fact.heapClass >> fact.source)
      result.push_back(fact);
  }
  EXPECT_GT(result.size(), 30U) << HEAP_NAMES;
  return result;
}

/** A link to a line (GitHub's #L1, cgit's #n1), or to one mail of an archive. */
bool isLinkToALine(const std::string& source) {
  static const std::regex link(R"(https://\S+(#L\d+|#n\d+|/pipermail/\S+/\d+\.html))");
  return std::regex_match(source, link);
}

TEST(HeapTable, AgreesWithPublicSources) {
  const HeapTable table;
  for (const Fact& fact : facts()) {
    EXPECT_TRUE(isLinkToALine(fact.source)) << fact.name << ": " << fact.source;
    EXPECT_EQ(heapClassName(table.classify(fact.name)), fact.heapClass) << fact.name << ", see " << fact.source;
  }
}

TEST(HeapTable, EveryRowLinksToALineAndNoneIsShadowed) {
  const HeapTable table;
  std::set<std::string> seen;
  for (const HeapRule& rule : table.rules()) {
    EXPECT_TRUE(isLinkToALine(rule.source)) << rule.pattern << ": " << rule.source;
    EXPECT_TRUE(seen.insert(rule.pattern).second) << rule.pattern << " twice";
    EXPECT_EQ(table.classify(rule.pattern), rule.heapClass) << rule.pattern << " is shadowed by a row above it";
  }
}

TEST(HeapTable, ANameThatSaysTheContraryNominatesNothing) {
  const HeapTable table;
  for (const char* name : {"non_secure_display_region", "nonsecure", "non-secure-pool", "insecure_pool", "unsecure",
                           "unprotected,video", "unrestricted_x"}) {
    EXPECT_EQ(table.classify(name), U) << name;
    EXPECT_EQ(table.nominate(name).as, Nomination::As::Unknown) << name;
  }
}

TEST(HeapTable, NamesAreComparedAsAWholeAndByCase) {
  const HeapTable table;
  for (const char* name : {"", "System", "system ", "video,protected", "protectedvideo", "Protected,video"})
    EXPECT_EQ(table.classify(name), U) << name;
}

TEST(HeapTable, NominatesExporters) {
  using As = Nomination::As;
  const HeapTable table;
  for (const auto& [name, as] : {std::pair{"tee", As::Protected},
                                 {"secure_display_region", As::Protected},
                                 {"mfc_fw-secure", As::Protected}, // nothing to show, but nothing to read either
                                 {"system", As::Ordinary},
                                 {"i915", As::Ordinary},
                                 {"something-new", As::Unknown}}) {
    EXPECT_EQ(table.nominate(name).as, as) << name;
    EXPECT_FALSE(table.nominate(name).overridden) << name;
  }
}

// ---- The udev rule opens what the table nominates ----

/** A line of the rule with KERNEL=="a|b". */
struct UdevLine {
  std::vector<std::string> patterns;
  bool opens; ///< else it is the end for what it matches
};

std::vector<UdevLine> udevRule() {
  std::vector<UdevLine> rule;
  std::ifstream file(UDEV_RULE);
  const std::regex kernel("KERNEL==\"([^\"]*)\"");
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (line.starts_with('#') || !std::regex_search(line, found, kernel)) continue;
    UdevLine& added = rule.emplace_back();
    added.opens = line.contains("MODE=\"0660\"");
    std::istringstream patterns(found[1].str());
    for (std::string pattern; std::getline(patterns, pattern, '|');)
      added.patterns.push_back(pattern);
  }
  return rule;
}

/** The first line that matches decides. */
bool opens(const std::vector<UdevLine>& rule, std::string_view name) {
  const auto found = std::ranges::find_if(rule, [name](const UdevLine& line) {
    return std::ranges::any_of(line.patterns, [name](const auto& pattern) { return nameMatches(pattern, name); });
  });
  return found != rule.end() && found->opens;
}

TEST(UdevRule, OpensWhatTheTableNominates) {
  const std::vector<UdevLine> rule = udevRule();
  const HeapTable table;
  std::vector<std::string> names = {
      "non_secure_display_region", "insecure-heap", "unprotected", "system", "glass", "qcom,demura"};
  for (const Fact& fact : facts())
    names.push_back(fact.name);
  for (const HeapRule& row : table.rules()) {
    if (row.pattern == "tee") continue; // an exporter, and no heap
    for (const char* instead : {"", "x", "-secure", "_fw-secure", "non_secure"}) {
      std::string name = row.pattern;
      for (size_t at = name.find('*'); at != name.npos; at = name.find('*', at + std::strlen(instead)))
        name.replace(at, 1, instead);
      names.push_back(name);
    }
  }
  for (const std::string& name : names)
    EXPECT_EQ(opens(rule, name), table.classify(name) == P) << name << " is " << heapClassName(table.classify(name));
}

TEST(UdevRule, LeavesTheTeeToItsPackage) {
  std::ifstream file(UDEV_RULE);
  for (std::string line; std::getline(file, line);)
    EXPECT_TRUE(line.starts_with('#') || !line.contains("tee")) << line;
}

TEST(NamePattern, Matches) {
  struct Case {
    const char* pattern;
    const char* name;
    bool expected;
  };
  constexpr Case cases[] = {
      {"a", "a", true},         {"a", "ab", false},    {"a*", "a", true},     {"a*", "abc", true},
      {"*c", "abc", true},      {"*c", "abcd", false}, {"*b*", "abc", true},  {"a*c*e", "abcde", true},
      {"a*c*e", "abde", false}, {"*", "", true},       {"", "", true},        {"", "a", false},
      {"**a**", "a", true},     {"*ab", "aab", true},  {"a.c", "abc", false}, {"[a]", "a", false},
      {"*aab*", "aaaab", true}, {"?", "a", false},
  };
  for (const Case& one : cases)
    EXPECT_EQ(nameMatches(one.pattern, one.name), one.expected) << one.pattern << " / " << one.name;
}

class HeapOverrides : public testing::Test {
protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("heap-table-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
    file_ = directory_ / "heaps.toml";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const char* text) const { std::ofstream(file_) << text; }

  std::filesystem::path directory_;
  std::filesystem::path file_;
};

TEST_F(HeapOverrides, ComeFirst) {
  write("[heaps]\n\"acme-glass\" = \"protected\"\n\"acme-*\" = \"protected-working\"\n\"my-secure\" = \"ordinary\"\n");
  HeapTable table;
  EXPECT_EQ(table.classify("my-secure"), P);
  ASSERT_TRUE(table.addOverrides(file_));
  EXPECT_EQ(table.classify("acme-glass"), P); // the exact name before the pattern
  EXPECT_EQ(table.classify("acme-other"), W);
  EXPECT_EQ(table.classify("my-secure"), O); // only a pattern matched it
  EXPECT_EQ(table.classify("your-secure"), P);
  EXPECT_EQ(table.rules().front().source, file_.string() + ":2:1");
}

TEST_F(HeapOverrides, AreToldFromWhatTheTableSays) {
  using As = Nomination::As;
  write(
      "[heaps]\n\"tee\" = \"ordinary\"\n\"glass\" = \"protected\"\n\"system\" = \"protected\"\n\"i*\" = \"ordinary\"\n"
      "\"vframe-secure\" = \"protected\"\n\"non_secure_pool\" = \"protected\"\n");
  HeapTable table;
  ASSERT_TRUE(table.addOverrides(file_));
  struct Case {
    const char* exporter;
    As as;
    bool overridden;
  };
  constexpr Case cases[] = {
      {"tee", As::Ordinary, true},
      {"glass", As::Protected, true},
      {"system", As::Protected, true},
      {"i915", As::Ordinary, false}, // as the table has it
      {"imagination", As::Ordinary, true},
      {"vframe-secure", As::Protected, false},
      {"non_secure_pool", As::Protected, true},
      {"default_cma_region", As::Ordinary, false},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(table.nominate(one.exporter).as, one.as) << one.exporter;
    EXPECT_EQ(table.nominate(one.exporter).overridden, one.overridden) << one.exporter;
  }
}

TEST_F(HeapOverrides, MayBeEmpty) {
  write("# nothing yet\n");
  HeapTable table;
  const size_t before = table.rules().size();
  EXPECT_TRUE(table.addOverrides(file_));
  EXPECT_EQ(table.rules().size(), before);
}

TEST_F(HeapOverrides, AnAbsentFileIsASystemError) {
  HeapTable table;
  const auto result = table.addOverrides(directory_ / "absent.toml");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::System);
  EXPECT_EQ(result.error().number, ENOENT);
  EXPECT_EQ(result.error().text(), "open " + (directory_ / "absent.toml").string() + ": ENOENT (2)");
}

TEST_F(HeapOverrides, ADirectoryIsASystemError) {
  HeapTable table;
  const auto result = table.addOverrides(directory_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text(), "read " + directory_.string() + ": EISDIR (21)");
}

TEST_F(HeapOverrides, ErrorsNameLineAndColumn) {
  struct Case {
    const char* text;
    const char* position;
    const char* words;
  };
  constexpr Case cases[] = {
      {"[heaps]\n\"x\" = \"secret\"\n", ":2:7", "unknown class \"secret\" for \"x\""},
      {"[heaps]\n\"x\" = 3\n", ":2:7", "the class of \"x\" is not a string"},
      {"[heaps]\n\"x\" = \"unknown\"\n", ":2:7", "unknown class \"unknown\" for \"x\""},
      {"[heap]\n\"x\" = \"protected\"\n", ":1:2", "unknown key \"heap\""},
      {"colour = 1\n", ":1:1", "unknown key \"colour\""},
      {"heaps = 1\n", ":1:9", "heaps is not a table"},
      {"[heaps]\n\"\" = \"protected\"\n", ":2:1", "an empty name"},
      {"[heaps]\n\"x\" = \"protected\n", ":2:", ""},
      {"[heaps]\n\"x\" = \"protected\"\n\"x\" = \"ordinary\"\n", ":3:", ""},
  };
  for (const Case& one : cases) {
    write(one.text);
    HeapTable table;
    const size_t before = table.rules().size();
    const auto result = table.addOverrides(file_);
    ASSERT_FALSE(result) << one.text;
    EXPECT_EQ(result.error().kind, ErrorKind::Invalid) << one.text;
    EXPECT_TRUE(result.error().object.starts_with(file_.string() + one.position)) << one.text << result.error().text();
    EXPECT_TRUE(result.error().detail.contains(one.words)) << one.text << result.error().text();
    EXPECT_EQ(table.rules().size(), before) << "half a file was taken: " << one.text;
  }
}

TEST_F(HeapOverrides, TheCatalogueListsADirectory) {
  const auto heaps = directory_ / "dma_heap";
  std::filesystem::create_directory(heaps);
  for (const char* name : {"system", "protected,secure-video", "weird"})
    std::ofstream(heaps / name) << "";
  const auto list = listHeaps(HeapTable(), heaps);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].name, "protected,secure-video");
  EXPECT_EQ(list[0].node, heaps / "protected,secure-video");
  EXPECT_EQ(list[0].heapClass, P);
  EXPECT_EQ(list[0].refusal, Refusal::None);
  EXPECT_EQ(list[1].heapClass, O);
  EXPECT_EQ(list[2].heapClass, U);
}

TEST_F(HeapOverrides, TheCatalogueSaysWhyANodeCannotBeOpened) {
  const auto heaps = directory_ / "dma_heap";
  std::filesystem::create_directory(heaps);
  std::ofstream(heaps / "system") << "";
  chmod((heaps / "system").c_str(), 0);
  const uid_t us = geteuid();
  ASSERT_EQ(us == 0 ? seteuid(65534) : 0, 0); // root may open everything
  const auto list = listHeaps(HeapTable(), heaps);
  ASSERT_EQ(seteuid(us), 0);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].refusal, Refusal::HeapNoPermission);
  EXPECT_EQ(list[0].openErrno, EACCES);
}

TEST_F(HeapOverrides, WhatAHeapShowedIsKeptUntilItsNodeChanges) {
  const auto node = directory_ / "glass-secure";
  std::ofstream(node) << "";
  const auto listed = [&](const HeapKnowledge& knowledge) {
    auto heaps = listHeaps(HeapTable(), directory_);
    knowledge.recall(heaps);
    return heaps.front();
  };
  HeapKnowledge knowledge;
  EXPECT_EQ(listed(knowledge).evidence, std::nullopt);
  knowledge.learn(listed(knowledge), Evidence::Suspect);
  EXPECT_EQ(listed(knowledge).evidence, Evidence::Suspect);
  const FormatModifier nv12{DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR};
  knowledge.learn(listed(knowledge), {"plane", nv12, Refusal::PlaneFramebufferRefused, "EINVAL"});
  knowledge.learn(listed(knowledge), {"GPU", nv12, Refusal::None, ""});
  knowledge.learn(listed(knowledge), {"plane", nv12, Refusal::None, ""});
  ASSERT_EQ(listed(knowledge).answers.size(), 2U);
  EXPECT_EQ(listed(knowledge).answers[0].refusal, Refusal::None) << "it turned out different";
  knowledge.learnRoom(listed(knowledge), 4096, false);
  EXPECT_EQ(listed(knowledge).fullAtBytes, 4096U);
  knowledge.learnRoom(listed(knowledge), 2048, true);
  EXPECT_EQ(listed(knowledge).fullAtBytes, 4096U) << "room for less says nothing";
  knowledge.learnRoom(listed(knowledge), 4096, true);
  EXPECT_EQ(listed(knowledge).fullAtBytes, std::nullopt);
  std::filesystem::remove(node);
  std::ofstream(directory_ / "keeps-the-inode") << "";
  std::ofstream(node) << "";
  EXPECT_EQ(listed(knowledge).evidence, std::nullopt) << "another node of the same name";
  EXPECT_TRUE(listed(knowledge).answers.empty()) << "another node of the same name";
}

TEST(HeapCatalogue, AnAbsentDirectoryIsEmpty) {
  EXPECT_TRUE(listHeaps(HeapTable(), "/nowhere/dma_heap").empty());
}

} // namespace
} // namespace vitrine
