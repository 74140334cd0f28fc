#include "compositor/control/session_report.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

constexpr const char* transformNames[] = {"normal",  "90",         "180",         "270",
                                          "flipped", "flipped-90", "flipped-180", "flipped-270"};

std::string text(const char* words) {
  return words != nullptr ? words : "";
}

ordered_json boxJson(const wlr_box& box) {
  return {box.x, box.y, box.width, box.height};
}

ordered_json outputJson(Output& output) {
  const wlr_output& base = *output.kms().base();
  const wlr_scene_output& scene = *output.sceneOutput();
  return {{"name", output.kms().connector().name},
          {"on", base.enabled},
          {"mode", {{"width", base.width}, {"height", base.height}, {"refresh_millihertz", base.refresh}}},
          {"scale", base.scale},
          {"transform", transformNames[static_cast<size_t>(base.transform)]},
          {"position", {scene.x, scene.y}},
          {"hdcp", {{"state", hdcpStateName(output.hdcp().state())}, {"link", hdcpName(output.hdcp().link())}}},
          {"in_protected_memory", output.inProtectedMemory()},
          {"planes", output.planesInUse()}};
}

struct SurfaceWalk {
  Outputs outputs;
  ordered_json surfaces = ordered_json::array();
};

void addSurface(wlr_surface* surface, int x, int y, void* data) {
  auto& walk = *static_cast<SurfaceWalk*>(data);
  for (const auto& output : walk.outputs) {
    const auto outcome = output->outcomeOf(*surface);
    if (!outcome) continue;
    ordered_json shown{{"output", output->kms().connector().name},
                       {"box", {x, y, surface->current.width, surface->current.height}},
                       {"path", pathName(outcome->path)},
                       {"refusal", nullptr},
                       {"reason", nullptr},
                       {"plane", nullptr},
                       {"underlay", outcome->underlay}};
    if (outcome->path == Path::Plane) shown["plane"] = outcome->planeId;
    if (outcome->refusal != Refusal::None) {
      shown["refusal"] = refusalName(outcome->refusal);
      shown["reason"] = refusalWords(outcome->refusal);
    }
    walk.surfaces.push_back(std::move(shown));
  }
}

ordered_json windowJson(const Desktop& desktop, Toplevel& window, Outputs outputs) {
  SurfaceWalk walk{.outputs = outputs};
  window.forEachSurface(addSurface, &walk);
  return {{"title", text(window.title())},
          {"app_id", text(window.appId())},
          {"box", boxJson(window.box())},
          {"output", text(desktop.outputNameFor(window))},
          {"focused", desktop.focused() == &window},
          {"fullscreen", window.isFullscreen()},
          {"maximized", window.isMaximized()},
          {"minimized", window.isMinimized()},
          {"modal", window.isModal()},
          {"icon", window.icon().empty() ? ordered_json(nullptr) : ordered_json(window.icon())},
          {"surfaces", std::move(walk.surfaces)}};
}

} // namespace

ordered_json outputsJson(Outputs outputs) {
  ordered_json all = ordered_json::array();
  for (const auto& output : outputs)
    all.push_back(outputJson(*output));
  return all;
}

ordered_json windowsJson(Desktop& desktop, Outputs outputs) {
  ordered_json all = ordered_json::array();
  for (const auto& window : desktop.windows())
    if (window->isMapped()) all.push_back(windowJson(desktop, *window, outputs));
  return all;
}

ordered_json countersJson(Outputs outputs, const DmabufCounters& buffers) {
  ordered_json all{{"outputs", ordered_json::array()},
                   {"buffers",
                    {{"accepted", buffers.accepted},
                     {"refused", buffers.refused},
                     {"protected", buffers.protectedBuffers},
                     {"claims_without_evidence", buffers.claimsWithoutEvidence}}}};
  for (const auto& output : outputs) {
    const KmsPipeCounters& kms = output->kms().pipe().counters();
    const OutputCounters& own = output->counters();
    all["outputs"].push_back({{"name", output->kms().connector().name},
                              {"frames_presented", own.framesPresented},
                              {"frames_missed", own.framesMissed},
                              {"frames_rendered", own.framesRendered},
                              {"atomic_commits", kms.atomic.commits},
                              {"failed_commits", kms.atomic.failedCommits},
                              {"test_only_commits", kms.atomic.tests},
                              {"failed_test_only_commits", kms.atomic.failedTests},
                              {"gpu_resets", own.gpuResets}});
  }
  return all;
}

ordered_json actionsJson(const Bindings& bindings) {
  ordered_json all = ordered_json::array();
  for (const ActionInfo& info : actionInfos()) {
    ordered_json bound = ordered_json::array();
    const auto add = [&](const Bindings::Table& table, std::string (*nameOf)(const Chord&)) {
      for (const auto& [chord, action] : table)
        if (action.kind == info.kind) bound.push_back({{"chord", nameOf(chord)}, {"argument", action.argument}});
    };
    add(bindings.keys, keysText);
    add(bindings.buttons, buttonText);
    all.push_back({{"name", info.name},
                   {"argument", info.argument},
                   {"meaning", info.meaning},
                   {"input_only", info.use == ActionUse::InputOnly},
                   {"bindings", std::move(bound)}});
  }
  return all;
}

} // namespace vitrine
