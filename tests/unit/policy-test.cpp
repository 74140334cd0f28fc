#include <gtest/gtest.h>

#include "protected-path/policy/policy.h"

namespace vitrine {
namespace {

constexpr Evidence allEvidence[] = {Evidence::None, Evidence::Claimed, Evidence::Suspect, Evidence::Unmappable,
                                    Evidence::KernelProtected};
constexpr OutputKind allKinds[] = {OutputKind::Internal, OutputKind::External, OutputKind::Virtual,
                                   OutputKind::Headless, OutputKind::Nested,   OutputKind::Writeback};

/** What protected content meets in the secure view of an output, for every kind, rule and HDCP state. */
struct OutputRow {
  OutputKind kind;
  OutputRule rule;
  bool withoutHdcp;
  bool withHdcp;
};

constexpr OutputRow outputRows[] = {
    {OutputKind::Internal, OutputRule::Automatic, true, true},
    {OutputKind::Internal, OutputRule::Allow, true, true},
    {OutputKind::Internal, OutputRule::Deny, false, false},
    {OutputKind::External, OutputRule::Automatic, false, true},
    {OutputKind::External, OutputRule::Allow, true, true},
    {OutputKind::External, OutputRule::Deny, false, false},
    {OutputKind::Virtual, OutputRule::Automatic, false, false},
    {OutputKind::Virtual, OutputRule::Allow, true, true},
    {OutputKind::Virtual, OutputRule::Deny, false, false},
    {OutputKind::Headless, OutputRule::Automatic, false, false},
    {OutputKind::Headless, OutputRule::Allow, false, false},
    {OutputKind::Headless, OutputRule::Deny, false, false},
    {OutputKind::Nested, OutputRule::Automatic, false, false},
    {OutputKind::Nested, OutputRule::Allow, false, false},
    {OutputKind::Nested, OutputRule::Deny, false, false},
    {OutputKind::Writeback, OutputRule::Automatic, false, false},
    {OutputKind::Writeback, OutputRule::Allow, false, false},
    {OutputKind::Writeback, OutputRule::Deny, false, false},
};

std::string describe(Evidence evidence, const OutputFacts& output, View view) {
  return std::string(evidenceName(evidence)) + " kind " + std::to_string(static_cast<int>(output.kind)) + " rule " +
         std::to_string(static_cast<int>(output.rule)) + " hdcp " + hdcpName(output.hdcp) +
         (view == View::Secure ? " secure" : " public");
}

TEST(Policy, EveryCombination) {
  size_t rows = 0;
  for (const OutputRow& row : outputRows) {
    for (const bool hdcp : {false, true}) {
      for (const Evidence evidence : allEvidence) {
        const OutputFacts output{row.kind, row.rule, hdcp ? Hdcp::Type0 : Hdcp::Off};
        const bool allowed = hdcp ? row.withHdcp : row.withoutHdcp;

        const Verdict secure = judge(evidence, output, View::Secure);
        const bool isOpen = evidence == Evidence::None;
        EXPECT_EQ(secure.show, isOpen || allowed) << describe(evidence, output, View::Secure);
        EXPECT_EQ(secure.refusal, isOpen || allowed ? Refusal::None : Refusal::OutputNotAllowed)
            << describe(evidence, output, View::Secure);

        const Verdict seen = judge(evidence, output, View::Public);
        EXPECT_EQ(seen.show, isOpen) << describe(evidence, output, View::Public);
        EXPECT_EQ(seen.refusal, isOpen ? Refusal::None : Refusal::ViewPublic)
            << describe(evidence, output, View::Public);
        ++rows;
      }
    }
  }
  EXPECT_EQ(rows, std::size(allKinds) * 3 * 2 * std::size(allEvidence));
}

TEST(Policy, StrongerEvidenceNeverShowsMore) {
  for (const OutputRow& row : outputRows) {
    for (const View view : {View::Secure, View::Public}) {
      bool shownBefore = true;
      for (const Evidence evidence : allEvidence) {
        const bool shown = judge(evidence, {row.kind, row.rule, Hdcp::Type1}, view).show;
        EXPECT_TRUE(shownBefore || !shown) << describe(evidence, {row.kind, row.rule, Hdcp::Type1}, view);
        shownBefore = shown;
      }
    }
  }
}

TEST(Policy, AnExternalLinkNeedsTheTypeThatTheConfigurationAsksFor) {
  constexpr Hdcp all[] = {Hdcp::Off, Hdcp::Type0, Hdcp::Type1};
  for (const Hdcp link : all) {
    for (const Hdcp needed : {Hdcp::Type0, Hdcp::Type1}) {
      const OutputFacts output{OutputKind::External, OutputRule::Automatic, link, needed};
      EXPECT_EQ(judge(Evidence::KernelProtected, output, View::Secure).show, link >= needed)
          << hdcpName(link) << " where " << hdcpName(needed) << " is needed";
    }
  }
}

struct GpuRow {
  GpuFacts gpu;
  Refusal ordinary;
  Refusal claimed;
  Refusal isProtected; ///< Suspect, Unmappable, KernelProtected
};

constexpr GpuRow gpuRows[] = {
    {{false, false, false}, Refusal::GpuAbsent, Refusal::GpuAbsent, Refusal::GpuAbsent},
    {{false, true, true}, Refusal::GpuAbsent, Refusal::GpuAbsent, Refusal::GpuAbsent},
    {{false, false, true}, Refusal::GpuAbsent, Refusal::GpuAbsent, Refusal::GpuAbsent},
    {{false, true, false}, Refusal::GpuAbsent, Refusal::GpuAbsent, Refusal::GpuAbsent},
    {{true, false, false}, Refusal::GpuNoDmabufImport, Refusal::GpuNoDmabufImport, Refusal::GpuNoDmabufImport},
    {{true, false, true}, Refusal::GpuNoDmabufImport, Refusal::GpuNoDmabufImport, Refusal::GpuNoDmabufImport},
    {{true, true, false}, Refusal::None, Refusal::ClaimWithoutEvidence, Refusal::GpuNoProtectedMemory},
    {{true, true, true}, Refusal::None, Refusal::ClaimWithoutEvidence, Refusal::None},
};

TEST(GpuPolicy, EveryCombination) {
  static_assert(std::size(gpuRows) == 8);
  for (const GpuRow& row : gpuRows) {
    for (const Evidence evidence : allEvidence) {
      const Refusal expected = evidence == Evidence::None      ? row.ordinary
                               : evidence == Evidence::Claimed ? row.claimed
                                                               : row.isProtected;
      const Verdict verdict = judgeGpuImport(evidence, row.gpu);
      EXPECT_EQ(verdict.refusal, expected)
          << evidenceName(evidence) << " " << row.gpu.present << row.gpu.dmabufImport << row.gpu.protectedMemory;
      EXPECT_EQ(verdict.show, expected == Refusal::None);
    }
  }
}

} // namespace
} // namespace vitrine
