#include <gtest/gtest.h>

#include <drm_fourcc.h>

#include <nlohmann/json.hpp>

#include "protected-path/probe/report.h"

namespace vitrine::probe {
namespace {

Plane plane(uint32_t id, PlaneType type, std::vector<FormatModifier> formats, uint32_t crtcs = 1) {
  Plane result;
  result.id = id;
  result.type = type;
  result.possibleCrtcs = crtcs;
  result.formats = std::move(formats);
  result.stacking = id;
  return result;
}

constexpr FormatModifier nv12{DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR};
constexpr FormatModifier rgb{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR};
constexpr FormatModifier tiledNv12{DRM_FORMAT_NV12, I915_FORMAT_MOD_Y_TILED};

Connector connector(bool connected, bool writeback = false, uint32_t crtcs = 1) {
  Connector result;
  result.name = writeback ? "Writeback-1" : "Virtual-1";
  result.connected = connected;
  result.writeback = writeback;
  result.possibleCrtcs = crtcs;
  return result;
}

KmsReport display(std::vector<Plane> planes, std::vector<Connector> connectors = {connector(true)}) {
  return {"/dev/dri/card0", "", "vkms", true, std::move(planes), {Crtc{40, 0, {}}}, std::move(connectors)};
}

HeapReport protectedHeap() {
  HeapReport report;
  report.allocatedFrom = "protected,secure-video";
  report.evidence = Evidence::Authenticated;
  return report;
}

HeapReport noHeap() {
  HeapReport report;
  report.allocationRefusal = Refusal::HeapAbsent;
  report.allocationError = "choose heap: no heap of class protected";
  return report;
}

VulkanDeviceReport gpu(Refusal refusal) {
  VulkanDeviceReport report;
  report.name = "glassgpu";
  report.gpu = {true, true, refusal == Refusal::None};
  report.refusal = refusal;
  return report;
}

const std::vector<Plane> videoOverlay = {plane(1, PlaneType::Primary, {rgb}),
                                         plane(2, PlaneType::Overlay, {rgb, nv12})};

struct Case {
  const char* machine;
  Report report;
  const char* path;
  std::vector<std::string> whyNotComposited; ///< a part of each reason
  std::vector<std::string> whyNotPlane;
};

void expectReasons(const char* machine, const PathVerdict& verdict, const std::vector<std::string>& expected) {
  if (verdict.offered) {
    EXPECT_TRUE(expected.empty()) << machine << " offers what it should not";
    EXPECT_FALSE(verdict.reasons.empty()) << machine;
    return;
  }
  ASSERT_EQ(verdict.reasons.size(), expected.size()) << machine;
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(verdict.reasons[i].contains(expected[i])) << machine << ": " << verdict.reasons[i];
}

TEST(ProbeVerdict, ByTable) {
  const Case cases[] = {
      {"everything", {protectedHeap(), {}, {display(videoOverlay)}, {gpu(Refusal::None)}}, "composited", {}, {}},
      {"no protected GPU",
       {protectedHeap(), {}, {display(videoOverlay)}, {gpu(Refusal::GpuNoProtectedMemory)}},
       "plane",
       {"glassgpu: the Vulkan device has no protectedMemory"},
       {}},
      {"no GPU", {protectedHeap(), {}, {display(videoOverlay)}, {}}, "plane", {"there is no Vulkan device"}, {}},
      {"no video plane",
       {protectedHeap(), {}, {display({plane(1, PlaneType::Primary, {rgb})})}, {gpu(Refusal::None)}},
       "composited",
       {},
       {"no plane of a connected display takes NV12"}},
      {"NV12 on the cursor only",
       {protectedHeap(), {}, {display({plane(1, PlaneType::Cursor, {nv12})})}, {}},
       "none",
       {"no Vulkan device"},
       {"no plane of a connected display"}},
      {"NV12 tiled only",
       {protectedHeap(), {}, {display({plane(1, PlaneType::Overlay, {tiledNv12})})}, {}},
       "none",
       {"no Vulkan device"},
       {"no plane of a connected display"}},
      {"NV12 on another CRTC",
       {protectedHeap(), {}, {display({plane(1, PlaneType::Overlay, {nv12}, 2)})}, {}},
       "none",
       {"no Vulkan device"},
       {"no plane of a connected display"}},
      {"nothing connected",
       {protectedHeap(), {}, {display(videoOverlay, {connector(false)})}, {gpu(Refusal::None)}},
       "none",
       {"/dev/dri/card0: nothing is connected"},
       {"/dev/dri/card0: nothing is connected"}},
      {"writeback is no display",
       {protectedHeap(), {}, {display(videoOverlay, {connector(true, true)})}, {gpu(Refusal::None)}},
       "none",
       {"nothing is connected"},
       {"nothing is connected"}},
      {"no display", {protectedHeap(), {}, {}, {gpu(Refusal::None)}}, "none", {"no KMS device"}, {"no KMS device"}},
      {"a display that may not be opened",
       {protectedHeap(), {}, {{"/dev/dri/card0", "open /dev/dri/card0: EACCES (13)", "", false, {}, {}, {}}}, {}},
       "none",
       {"no Vulkan device", "EACCES (13)"},
       {"EACCES (13)"}},
      {"a second display that works",
       {protectedHeap(), {}, {display(videoOverlay, {connector(false)}), display(videoOverlay)}, {}},
       "plane",
       {"no Vulkan device"},
       {}},
      {"no heap",
       {noHeap(), {}, {display(videoOverlay)}, {gpu(Refusal::None)}},
       "none",
       {"no frame of protected memory: no heap of the needed class exists"},
       {"no frame of protected memory: no heap of the needed class exists"}},
  };
  for (const Case& one : cases) {
    const Verdict verdict = judge(one.report);
    EXPECT_STREQ(verdict.path(), one.path) << one.machine;
    expectReasons(one.machine, verdict.composited, one.whyNotComposited);
    expectReasons(one.machine, verdict.plane, one.whyNotPlane);

    const auto json = nlohmann::json::parse(toJson(one.report, verdict), nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << one.machine;
    EXPECT_EQ(json["path"], one.path) << one.machine;
    const std::string text = toText(one.report, verdict);
    EXPECT_TRUE(text.contains(std::string("\nVerdict: ") + one.path + ": ")) << text;
    EXPECT_TRUE(text.ends_with(".\n")) << text;
  }
}

TEST(ProbeReport, SurvivesNamesThatAreNoUtf8) {
  Report report{protectedHeap(), {}, {display(videoOverlay)}, {gpu(Refusal::None)}};
  report.kms[0].driver = "v\xff\xfe";
  const auto json = nlohmann::json::parse(toJson(report, judge(report)), nullptr, false);
  EXPECT_FALSE(json.is_discarded());
}

TEST(ProbeReport, SaysWhatAForbiddenAccessToProtectedMemoryWouldDo) {
  for (const bool noFault : {true, false}) {
    Report report{protectedHeap(), {}, {display(videoOverlay)}, {gpu(Refusal::None)}};
    report.vulkan[0].protectedNoFault = noFault;
    const Verdict verdict = judge(report);
    EXPECT_EQ(nlohmann::json::parse(toJson(report, verdict))["vulkan"][0]["protected_no_fault"], noFault);
    const std::string text = toText(report, verdict);
    EXPECT_TRUE(text.contains(noFault ? "would be dropped (protectedNoFault)" : "(no protectedNoFault)")) << text;
  }
  const Report without{protectedHeap(), {}, {display(videoOverlay)}, {gpu(Refusal::GpuNoProtectedMemory)}};
  EXPECT_FALSE(toText(without, judge(without)).contains("protectedNoFault"));
}

TEST(ProbeTable, PrintsEveryRuleWithItsSource) {
  const HeapTable table;
  const std::string text = tableText(table);
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(text, '\n')), table.rules().size() + 1);
  EXPECT_TRUE(text.contains("protected          tee ")) << text;
}

} // namespace
} // namespace vitrine::probe
