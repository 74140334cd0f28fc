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
  report.tried = true;
  report.allocatedFrom = "protected,secure-video";
  report.evidence = Evidence::KernelProtected;
  return report;
}

HeapReport noHeap() {
  HeapReport report;
  report.tried = true;
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

HeapReport heapWith(HeapCapacity capacity) {
  HeapReport report = protectedHeap();
  report.capacity = std::move(capacity);
  return report;
}

TEST(ProbeVerdict, APoolHasToHoldTwoFrames) {
  const auto planeOf = [](HeapReport heap) {
    return judge(Report{std::move(heap), {}, {display(videoOverlay)}, {}}).plane;
  };
  EXPECT_TRUE(planeOf(heapWith({"protected,secure-video", 8 << 20, 2, 0})).offered);
  const PathVerdict one = planeOf(heapWith({"protected,secure-video", 4 << 20, 1, 0}));
  EXPECT_FALSE(one.offered);
  EXPECT_EQ(one.reasons.front(), "protected,secure-video holds 1 frame of 1080p, and a player needs 2");
  HeapReport small = noHeap();
  small.allocationRefusal = Refusal::HeapExhausted;
  small.frameBytes = 3117056;
  small.capacity = {"protected,secure-video", 1 << 20, 0, 0};
  EXPECT_EQ(
      planeOf(small).reasons.front(),
      "no frame of protected memory: protected,secure-video gives 1048576 bytes at most, and a frame has 3117056");
}

TEST(ProbeReport, SaysHowMuchTheHeapHolds) {
  const Report report{heapWith({"protected,secure-video", 8 << 20, 2, 0}), {}, {display(videoOverlay)}, {}};
  const auto json = nlohmann::json::parse(toJson(report, judge(report)));
  EXPECT_EQ(json["heap_capacity"]["largest_buffer_bytes"], 8 << 20);
  EXPECT_EQ(json["heap_capacity"]["frames_1080p_nv12"], 2);
  EXPECT_EQ(json["heap_capacity"]["frames_2160p_nv12"], 0);
  EXPECT_TRUE(
      toText(report, judge(report))
          .contains("protected,secure-video holds 8.0 MiB in one buffer at most; 2 frames of 1080p NV12, or 0 of 4K"));
}

TEST(ProbeReport, TellsWhatIsProvenFromWhatIsOnlyNominated) {
  Heap tried{"vframe-secure",     "/dev/dma_heap/vframe-secure", HeapClass::Protected, Refusal::None, 0,
             Evidence::Unmappable};
  Heap untried{"sdp", "/dev/dma_heap/sdp", HeapClass::Protected, Refusal::None, 0, std::nullopt};
  Report report{protectedHeap(), {}, {}, {}};
  report.heap.heaps = {tried, untried};
  report.heap.choice.candidates = {{tried, Refusal::None, "vendor heap for video frames"},
                                   {untried, Refusal::None, "vendor heap"}};
  const std::string text = toText(report, judge(report));
  EXPECT_TRUE(text.contains("vendor heap for video frames; a buffer of it is Unmappable")) << text;
  EXPECT_TRUE(text.contains("vendor heap; nominated by its name, not tried")) << text;
  const auto json = nlohmann::json::parse(toJson(report, judge(report)));
  EXPECT_EQ(json["heaps"][0]["evidence"], "Unmappable");
  EXPECT_EQ(json["heaps"][1]["evidence"], nullptr);
}

TEST(ProbeReport, HintsAtAHeapThatItsTeeShouldHave) {
  constexpr uint32_t opTee = 1;
  constexpr uint32_t trustedServices = 3;
  const Heap mainline{"protected,secure-video",
                      "/dev/dma_heap/protected,secure-video",
                      HeapClass::Protected,
                      Refusal::None,
                      0,
                      std::nullopt};
  const auto reportOf = [](uint32_t implementation, std::vector<Heap> heaps) {
    Report report{noHeap(), {}, {}, {}};
    report.heap.heaps = std::move(heaps);
    report.tee.devices.push_back({"/dev/tee0", {implementation, 0, 0}, {}});
    return report;
  };
  EXPECT_TRUE(missingHeapHint(reportOf(opTee, {})).starts_with("OP-TEE is here, its protected heap is not."));
  EXPECT_EQ(missingHeapHint(reportOf(opTee, {mainline})), "");
  EXPECT_EQ(missingHeapHint(reportOf(trustedServices, {})), "");
  EXPECT_EQ(missingHeapHint(Report{noHeap(), {}, {}, {}}), "");
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
