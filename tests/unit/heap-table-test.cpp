#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "protected-path/heap/heap_catalogue.h"
#include "protected-path/heap/heap_table.h"
#include "protected-path/heap/name_pattern.h"

namespace vitrine {
namespace {

constexpr HeapClass P = HeapClass::Protected;
constexpr HeapClass W = HeapClass::ProtectedWorking;
constexpr HeapClass O = HeapClass::Ordinary;
constexpr HeapClass U = HeapClass::Unknown;

struct NameCase {
  const char* name;
  HeapClass expected;
};

constexpr NameCase names[] = {
    // mainline
    {"protected,secure-video", P},
    {"protected,secure-video-record", P},
    {"protected,trusted-ui", P},
    {"protected", P},
    {"protected,something-of-tomorrow", P},
    {"tee", P},
    {"unprotected,video", U},
    {"video,protected", U}, // the rule is about the first component
    {"protectedvideo", U},
    // MediaTek
    {"restricted_mtk_cma", P},
    {"restricted_mtk_cm", W},
    {"restricted_other", P},
    {"mtk_svp", P},
    {"mtk_svp_region-uncached", P},
    {"mtk_svp_page-uncached", P},
    {"mtk_svp_region-aligned", P},
    {"mtk_svp_page-aligned", P},
    {"mtk_prot_region-uncached", P},
    {"mtk_prot_page-uncached", P},
    {"mtk_prot_region-aligned", P},
    {"mtk_2d_fr-uncached", P},
    {"mtk_wfd-uncached", P},
    {"mtk_wfd_page-uncached", P},
    {"mtk_wfd_region-aligned", P},
    {"mtk_sapu_data_shm-uncached", W},
    {"mtk_sapu_engine_shm-uncached", W},
    {"mtk_mm-uncached", U},
    // Qualcomm
    {"qcom,secure-pixel", P},
    {"qcom,demura", P},
    {"qcom,secure-non-pixel", W},
    {"qcom,secure-cdsp", W},
    {"qcom,qseecom", W},
    {"qcom,qseecom-ta", W},
    {"qcom,qseecom-other", W},
    {"qcom,system", U},
    // Pixel, Samsung, Android, Amlogic
    {"vframe-secure", P},
    {"vstream-secure", P},
    {"vscaler-secure", P},
    {"framebuffer-secure", P},
    {"tui-secure", P},
    {"faceauth_tpu-secure", W},
    {"faimg-secure", W},
    {"farawimg-secure", W},
    {"faprev-secure", W},
    {"faeval-secure", W},
    {"famodel-secure", W},
    {"system-secure-vframe-secure", P},
    {"system-secure-gpu_buffer-secure", P},
    {"mfc_fw-secure", W},
    {"system-secure", P},
    {"heap-secure", P},
    {"heap-secure-codecmm", P},
    {"system-secure-uncached", P},
    {"heap-gfx", O},
    {"heap-fb", O},
    {"heap-codecmm", O},
    {"heap-cached-codecmm", O},
    // Tegra, Linaro
    {"vpr", P},
    {"vpr-carveout", P},
    {"vpr@80000000", P},
    {"video-protection-region@80000000", P},
    {"sdp", P},
    {"secure-heap@0", P},
    // plain memory
    {"system", O},
    {"system_cc_shared", O},
    {"default_cma_region", O},
    {"reserved", O},
    {"linux,cma", O},
    {"default-pool", O},
    // names that say what they are not
    {"nonsecure", U},
    {"non-secure-pool", U},
    {"insecure_pool", U},
    // nobody's
    {"", U},
    {"memory@42000000-contiguous", U},
    {"System", U},
    {"system ", U},
};

TEST(HeapTable, ClassifiesNames) {
  const HeapTable table;
  for (const NameCase& name : names) {
    EXPECT_EQ(table.classify(name.name), name.expected)
        << name.name << " became " << heapClassName(table.classify(name.name));
  }
}

TEST(HeapTable, KnowsExporters) {
  const HeapTable table;
  struct Case {
    const char* exporter;
    std::optional<bool> expected;
  };
  constexpr Case cases[] = {
      {"tee", true},
      {"vframe-secure", true},
      {"qcom,secure-non-pixel", true},
      {"system", false},
      {"udmabuf", false},
      {"drm", false},
      {"i915", false},
      {"videobuf2_dma_contig", false},
      {"vkms", false},
      {"amdgpu", false},
      {"", std::nullopt},
      {"something-new", std::nullopt},
  };
  for (const Case& one : cases)
    EXPECT_EQ(table.exporterIsProtected(one.exporter), one.expected) << one.exporter;
}

TEST(HeapTable, EveryRuleHasASourceAndNoneIsShadowed) {
  const HeapTable table;
  std::set<std::string> seen;
  bool patternsBegun = false;
  for (const HeapRule& rule : table.rules()) {
    EXPECT_FALSE(rule.source.empty()) << rule.pattern;
    EXPECT_TRUE(seen.insert(rule.pattern).second) << rule.pattern << " twice";
    const bool isPattern = rule.pattern.contains('*');
    if (isPattern) patternsBegun = true;
    // `protected` and `vpr` stand beside their patterns; no pattern before them takes them.
    EXPECT_EQ(table.classify(rule.pattern), rule.heapClass) << rule.pattern << " is shadowed by a rule above it";
  }
  EXPECT_TRUE(patternsBegun);
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
      // Configuration may add knowledge, not lose it.
      {"[heaps]\n\"tee\" = \"ordinary\"\n", ":2:1", "tee is protected (Linux drivers/tee/tee_heap.c)"},
      {"[heaps]\n\"*\" = \"ordinary\"\n", ":2:1", "contradicts what is known"},
      {"[heaps]\n\"system\" = \"protected\"\n", ":2:1", "system is ordinary"},
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

TEST(HeapCatalogue, AnAbsentDirectoryIsEmpty) {
  EXPECT_TRUE(listHeaps(HeapTable(), "/nowhere/dma_heap").empty());
}

} // namespace
} // namespace vitrine
