#include "compositor/status_report.h"

#include <fstream>

#include <nlohmann/json.hpp>

namespace vitrine {
namespace {

using nlohmann::ordered_json;

ordered_json refusalJson(Refusal refusal) {
  return refusal == Refusal::None ? ordered_json(nullptr) : ordered_json(refusalName(refusal));
}

ordered_json surfaceJson(const SurfaceReport& report) {
  return {{"application", report.application},
          {"evidence", evidenceName(report.evidence)},
          {"path", pathName(report.outcome.path)},
          {"refusal", refusalJson(report.outcome.refusal)},
          {"compose_refusal", refusalJson(report.composeRefusal)},
          {"plane", report.outcome.planeId},
          {"underlay", report.outcome.underlay},
          {"buffer", report.format},
          {"frames", report.frames}};
}

ordered_json outputJson(Output& output) {
  const KmsPipeCounters& kms = output.kms().pipe().counters();
  const OutputCounters& own = output.counters();
  ordered_json surfaces = ordered_json::array();
  ordered_json planes = ordered_json::array();
  for (const Plane& plane : output.kms().pipe().planes())
    planes.push_back(plane.id);
  for (const SurfaceReport& report : output.surfaceReports())
    surfaces.push_back(surfaceJson(report));
  return {{"name", output.kms().connector().name},
          {"width", output.kms().base()->width},
          {"height", output.kms().base()->height},
          {"refresh_millihertz", output.kms().base()->refresh},
          {"on", output.kms().base()->enabled},
          {"position", {output.sceneOutput()->x, output.sceneOutput()->y}},
          {"crtc", output.kms().crtc().id},
          {"planes", planes},
          {"frames_presented", own.framesPresented},
          {"frames_missed", own.framesMissed},
          {"frames_rendered", own.framesRendered},
          {"public_views", output.captures()},
          {"atomic_commits", kms.atomic.commits},
          {"failed_commits", kms.atomic.failedCommits},
          {"test_only_commits", kms.atomic.tests},
          {"failed_test_only_commits", kms.atomic.failedTests},
          {"gpu_resets", own.gpuResets},
          {"in_protected_memory", output.inProtectedMemory()},
          {"hdcp", {{"state", hdcpStateName(output.hdcp().state())}, {"link", hdcpName(output.hdcp().link())}}},
          {"composed_planes", output.composedPlanes()},
          {"protected_surfaces", surfaces}};
}

} // namespace

Result<> writeStatusReport(const std::filesystem::path& file, const KmsDevice& display, const Renderer& renderer,
                           const DmabufCounters& buffers, std::span<const std::unique_ptr<Output>> outputs) {
  const RendererCounters& vulkan = renderer.counters();
  ordered_json report{
      {"version", VITRINE_VERSION},
      {"display", {{"node", display.node()}, {"driver", display.driverName()}}},
      {"vulkan",
       {{"device", renderer.device().name},
        {"protected_memory", renderer.device().gpu.protectedMemory},
        {"refusal", refusalJson(renderer.device().refusal)},
        {"submits", vulkan.submits},
        {"imports", vulkan.imports},
        {"allocations", vulkan.allocations},
        {"pipelines", vulkan.pipelines},
        {"pixels_drawn", vulkan.pixelsDrawn},
        {"placeholders_drawn", vulkan.placeholdersDrawn}}},
      {"buffers",
       {{"accepted", buffers.accepted},
        {"refused", buffers.refused},
        {"protected", buffers.protectedBuffers},
        {"claims_without_evidence", buffers.claimsWithoutEvidence}}},
      {"outputs", ordered_json::array()},
  };
  for (const auto& output : outputs)
    report["outputs"].push_back(outputJson(*output));
  const std::filesystem::path partial = file.string() + ".partial";
  std::ofstream stream(partial);
  stream << report.dump(2) << '\n';
  stream.close();
  if (!stream) return systemError("write", partial.string());
  std::error_code failed;
  std::filesystem::rename(partial, file, failed);
  if (failed) return systemError("rename", file.string(), failed.value());
  return {};
}

} // namespace vitrine
