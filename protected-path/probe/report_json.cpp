#include <nlohmann/json.hpp>

#include <map>

#include "protected-path/probe/report.h"

namespace vitrine::probe {
namespace {

using Json = nlohmann::ordered_json;

Json orNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json refusalJson(Refusal refusal) {
  return refusal == Refusal::None ? Json(nullptr) : Json(std::string(refusalName(refusal)));
}

Json heapsJson(const HeapReport& report) {
  Json heaps = Json::array();
  const auto add = [&](const std::vector<HeapVerdict>& verdicts, bool usable) {
    for (const HeapVerdict& verdict : verdicts) {
      heaps.push_back({{"name", verdict.heap.name},
                       {"node", verdict.heap.node.string()},
                       {"class", heapClassName(verdict.heap.heapClass)},
                       {"for_protected_video", usable},
                       {"evidence", verdict.heap.evidence ? Json(evidenceName(*verdict.heap.evidence)) : Json(nullptr)},
                       {"refusal", refusalJson(verdict.refusal)},
                       {"reason", verdict.words}});
    }
  };
  add(report.choice.candidates, true);
  add(report.choice.rejected, false);
  return heaps;
}

Json choiceJson(const HeapReport& report) {
  const bool got = !report.allocatedFrom.empty();
  const Refusal refusal = report.tried ? report.allocationRefusal : report.choice.refusal;
  return {{"width", videoSize.width},
          {"height", videoSize.height},
          {"format", "NV12"},
          {"bytes", report.frameBytes},
          {"tried", report.tried},
          {"heap", orNull(report.heap())},
          {"evidence", got ? Json(evidenceName(report.evidence)) : Json(nullptr)},
          {"refusal", refusalJson(refusal)},
          {"error", orNull(report.allocationError)},
          {"explanation", report.choice.explanation}};
}

Json capacityJson(const HeapCapacity& capacity) {
  if (capacity.heap.empty()) return nullptr;
  return {{"heap", capacity.heap},
          {"largest_buffer_bytes", capacity.largestBytes},
          {"frames_1080p_nv12", capacity.fullHdFrames},
          {"frames_2160p_nv12", capacity.ultraHdFrames}};
}

Json teeJson(const TeeReport& report) {
  Json applications = Json::array();
  for (const ApplicationReport& application : report.applications) {
    applications.push_back({{"name", application.name},
                            {"uuid", application.uuid},
                            {"answers", application.answers},
                            {"error", orNull(application.error)}});
  }
  return {{"node", report.node},
          {"implementation_id", report.version.implementationId},
          {"implementation", teeImplementationName(report.version.implementationId)},
          {"implementation_capabilities", report.version.implementationCapabilities},
          {"capabilities", teeCapabilityNames(report.version.genericCapabilities)},
          {"applications", applications}};
}

Json propertyNames(const Plane& plane) {
  constexpr std::pair<PlaneProperty, const char*> names[] = {
      {PlaneProperty::InFenceFd, "IN_FENCE_FD"},
      {PlaneProperty::Zpos, "zpos"},
      {PlaneProperty::Alpha, "alpha"},
      {PlaneProperty::PixelBlendMode, "pixel blend mode"},
      {PlaneProperty::Rotation, "rotation"},
      {PlaneProperty::ColorEncoding, "COLOR_ENCODING"},
      {PlaneProperty::ColorRange, "COLOR_RANGE"},
      {PlaneProperty::FbDamageClips, "FB_DAMAGE_CLIPS"},
      {PlaneProperty::InFormats, "IN_FORMATS"},
  };
  Json result = Json::object();
  for (const auto& [property, name] : names) {
    if (!plane.properties.has(property)) continue;
    const KmsPropertyInfo& info = plane.properties[property];
    Json values = Json::array();
    for (const auto& [value, number] : info.enumValues)
      values.push_back(value);
    result[name] = {{"immutable", info.immutable}, {"values", values}};
  }
  return result;
}

Json planeJson(const Plane& plane) {
  std::map<std::string, Json> formats;
  for (const FormatModifier& format : plane.formats) {
    auto [entry, isNew] = formats.try_emplace(fourccName(format.fourcc), Json::array());
    entry->second.push_back(modifierName(format.modifier));
  }
  return {{"id", plane.id},
          {"type", planeTypeName(plane.type)},
          {"possible_crtcs", plane.possibleCrtcs},
          {"stacking", plane.stacking},
          {"stacking_known", plane.stackingKnown},
          {"formats", formats},
          {"properties", propertyNames(plane)}};
}

Json connectorJson(const Connector& connector) {
  Json modes = Json::array();
  for (const Mode& mode : connector.modes) {
    modes.push_back({{"width", mode.size.width},
                     {"height", mode.size.height},
                     {"refresh_millihertz", mode.refreshMilliHertz},
                     {"preferred", mode.preferred}});
  }
  return {{"id", connector.id},
          {"name", connector.name},
          {"connected", connector.connected},
          {"writeback", connector.writeback},
          {"content_protection", connector.properties.has(ConnectorProperty::ContentProtection)},
          {"modes", modes}};
}

Json kmsJson(const KmsReport& report) {
  if (!report.error.empty()) return {{"node", report.node}, {"error", report.error}};
  Json planes = Json::array();
  for (const Plane& plane : report.planes)
    planes.push_back(planeJson(plane));
  Json connectors = Json::array();
  for (const Connector& connector : report.connectors)
    connectors.push_back(connectorJson(connector));
  Json video = Json::array();
  for (const Plane* plane : videoPlanes(report))
    video.push_back(plane->id);
  return {{"node", report.node},
          {"error", nullptr},
          {"driver", report.driver},
          {"modifiers", report.hasModifiers},
          {"crtcs", report.crtcs.size()},
          {"connectors", connectors},
          {"planes", planes},
          {"video_planes", video}};
}

Json vulkanJson(const VulkanDeviceReport& report) {
  return {{"name", report.name},
          {"driver", report.driver},
          {"api_version", report.apiVersion},
          {"software", report.softwareRasterizer},
          {"dmabuf_import", report.gpu.dmabufImport},
          {"protected_memory", report.gpu.protectedMemory},
          {"protected_no_fault", report.protectedNoFault},
          {"refusal", refusalJson(report.refusal)},
          {"missing_extensions", report.missingExtensions}};
}

Json pathJson(const PathVerdict& verdict) {
  return {{"offered", verdict.offered}, {"reasons", verdict.reasons}};
}

} // namespace

std::string toJson(const Report& report, const Verdict& verdict) {
  Json kms = Json::array();
  for (const KmsReport& device : report.kms)
    kms.push_back(kmsJson(device));
  Json tees = Json::array();
  for (const TeeReport& tee : report.tee.devices)
    tees.push_back(teeJson(tee));
  Json vulkan = Json::array();
  for (const VulkanDeviceReport& device : report.vulkan)
    vulkan.push_back(vulkanJson(device));
  const Json root = {{"schema", "vitrine-probe"},
                     {"schema_version", 1},
                     {"version", VITRINE_VERSION},
                     {"path", verdict.path()},
                     {"composited", pathJson(verdict.composited)},
                     {"plane", pathJson(verdict.plane)},
                     {"heaps", heapsJson(report.heap)},
                     {"video_frame", choiceJson(report.heap)},
                     {"heap_capacity", capacityJson(report.heap.capacity)},
                     {"missing_heap_hint", orNull(missingHeapHint(report))},
                     {"tees", tees},
                     {"tee_error", orNull(report.tee.error)},
                     {"kms", kms},
                     {"vulkan", vulkan}};
  // Names come from drivers and firmware: bytes in them that are no UTF-8 are replaced, never thrown at us.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace vitrine::probe
