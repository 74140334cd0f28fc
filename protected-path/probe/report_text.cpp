#include <drm_fourcc.h>

#include <algorithm>
#include <format>

#include "protected-path/probe/report.h"

namespace vitrine::probe {
namespace {

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : std::string(separator)) + part;
  return text;
}

constexpr size_t lineWidth = 110;

/** `words` as lines of at most lineWidth characters, all but the first after `indent` spaces; the first begins at
 * `column`. */
std::string wrapped(std::string_view words, size_t column, size_t indent) {
  std::string text;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (column > indent && column + end > lineWidth) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!text.empty()) {
      text += ' ';
    }
    text += words.substr(0, end);
    column += end + 1;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return text;
}

std::string mebibytes(uint64_t bytes) {
  return std::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/** A name nominates a heap; only a buffer that was taken proves it. */
std::string proofText(const Heap& heap) {
  if (heap.evidence) return std::format("; a buffer of it is {}", evidenceName(*heap.evidence));
  return heap.heapClass == HeapClass::Protected ? "; nominated by its name, not tried" : "";
}

std::string frames(unsigned count) {
  return count == HeapCapacity::mostFrames ? std::format("{} or more", count) : std::format("{}", count);
}

void addCapacity(std::string& text, const HeapCapacity& capacity) {
  if (capacity.heap.empty()) return;
  text += std::format("  {} holds {} in one buffer at most; {} frames of 1080p NV12, or {} of 4K\n", capacity.heap,
                      mebibytes(capacity.largestBytes), frames(capacity.fullHdFrames), frames(capacity.ultraHdFrames));
}

void addHeaps(std::string& text, const HeapReport& report) {
  text += std::format("HEAPS in {}: who can hold a frame of 1080p video ({}) that the CPU may not read\n",
                      report.directory, mebibytes(report.frameBytes));
  if (report.heaps.empty()) text += "  none: this kernel has no dma-buf heaps (CONFIG_DMABUF_HEAPS)\n";
  size_t width = 0;
  for (const Heap& heap : report.heaps)
    width = std::max(width, heap.name.size());
  const auto add = [&](const HeapVerdict& verdict, const char* mark) {
    text += std::format("  {:<3}  {:<{}}  {:<17}  {}{}\n", mark, verdict.heap.name, width,
                        heapClassName(verdict.heap.heapClass), verdict.words, proofText(verdict.heap));
  };
  for (const HeapVerdict& verdict : report.choice.candidates)
    add(verdict, "yes");
  for (const HeapVerdict& verdict : report.choice.rejected)
    add(verdict, "no");
  if (!report.tried) {
    const bool found = !report.choice.candidates.empty();
    text += "  picked: " +
            (found ? report.heap() + ". Nothing was taken from it: --try does, and asks for proof"
                   : "none. " + wrapped(report.choice.explanation, 16, 16)) +
            "\n";
  } else if (report.allocatedFrom.empty()) {
    text += "  picked: none. " + wrapped(report.allocationError, 16, 16) + "\n";
  } else {
    text += std::format("  picked: {}. A frame was taken from it; evidence that it is protected: {}\n",
                        report.allocatedFrom, evidenceName(report.evidence));
  }
  addCapacity(text, report.capacity);
}

void addTees(std::string& text, const TeesReport& report) {
  text += "\nTEE: the secure world, which decrypts into protected buffers\n";
  if (report.devices.empty()) text += "  none: " + wrapped(report.error, 8, 8) + "\n";
  for (const TeeReport& tee : report.devices) {
    text += std::format("  {}  {} (id 0x{:x}); {}\n", tee.node, teeImplementationName(tee.version.implementationId),
                        tee.version.implementationId, join(teeCapabilityNames(tee.version.genericCapabilities), ", "));
    for (const ApplicationReport& application : tee.applications) {
      text += std::format("  {:<3}  {:<20}  {}\n", application.answers ? "yes" : "no", application.name,
                          application.answers ? "answers" : wrapped(application.error, 29, 29));
    }
  }
}

std::string modeText(const Connector& connector) {
  if (connector.modes.empty()) return "no modes";
  const auto preferred = std::ranges::find(connector.modes, true, &Mode::preferred);
  const Mode& mode = preferred != connector.modes.end() ? *preferred : connector.modes.front();
  return std::format("{}x{} at {:.2f} Hz", mode.size.width, mode.size.height, mode.refreshMilliHertz / 1000.0);
}

std::string connectorText(const Connector& connector) {
  if (connector.writeback) return "writeback: into memory, never shown protected content";
  const char* hdcp = connector.properties.has(ConnectorProperty::ContentProtection) ? "can do HDCP" : "no HDCP";
  return connector.connected ? std::format("connected, {}, {}", modeText(connector), hdcp)
                             : std::format("not connected, {}", hdcp);
}

/** What a plane takes: video formats by name, since they decide here; the rest as a count. */
std::string formatsText(const Plane& plane) {
  std::vector<std::string> video;
  std::vector<uint32_t> all;
  bool modifiers = false;
  for (const FormatModifier& format : plane.formats) {
    modifiers = modifiers || (format.modifier != DRM_FORMAT_MOD_LINEAR && format.modifier != DRM_FORMAT_MOD_INVALID);
    if (std::ranges::contains(all, format.fourcc)) continue;
    all.push_back(format.fourcc);
    const FormatInfo* info = formatInfo(format.fourcc);
    if (info != nullptr && info->isYuv) video.emplace_back(info->name);
  }
  // The frame that was asked after first, the others as the kernel has them.
  const auto asked = std::ranges::find(video, "NV12");
  if (asked != video.end()) std::rotate(video.begin(), asked, asked + 1);
  constexpr size_t most = 4;
  const size_t left = video.size() > most ? video.size() - most : 0;
  video.resize(video.size() - left);
  std::string text = video.empty() ? "no video format" : join(video, " ");
  if (left != 0) text += std::format(" and {} more", left);
  return std::format("{}; {} formats, {}", text, all.size(), modifiers ? "LINEAR and others" : "LINEAR");
}

std::string abilitiesText(const Plane& plane) {
  constexpr std::pair<PlaneProperty, const char*> names[] = {
      {PlaneProperty::ColorEncoding, "encoding"}, {PlaneProperty::ColorRange, "range"},
      {PlaneProperty::Rotation, "rotation"},      {PlaneProperty::Alpha, "alpha"},
      {PlaneProperty::InFenceFd, "fence"},
  };
  std::vector<std::string> abilities;
  for (const auto& [property, name] : names) {
    if (plane.properties.has(property)) abilities.emplace_back(name);
  }
  return abilities.empty() ? "" : "; " + join(abilities, " ");
}

/** Below a primary plane of one of its CRTCs: video goes there with holes cut into what is composed above it. */
bool isUnderlay(const KmsReport& report, const Plane& plane) {
  return plane.type == PlaneType::Overlay && std::ranges::any_of(report.planes, [&](const Plane& other) {
           return other.type == PlaneType::Primary && (other.possibleCrtcs & plane.possibleCrtcs) != 0 &&
                  other.stacking > plane.stacking;
         });
}

void addPlanes(std::string& text, const KmsReport& report) {
  const bool known = std::ranges::all_of(report.planes, &Plane::stackingKnown);
  const auto video = videoPlanes(report);
  text += std::format("  planes, highest first ({}); yes: takes such a frame on a connected display\n",
                      known ? "order told by the kernel" : "order by convention, the kernel does not say");
  std::vector<const Plane*> planes;
  for (const Plane& plane : report.planes)
    planes.push_back(&plane);
  std::ranges::stable_sort(planes, std::ranges::greater{}, &Plane::stacking);
  for (const Plane* plane : planes) {
    text += std::format("    {:<3}  {:>2}  {:<7}  plane {:<4}  {}{}{}\n",
                        std::ranges::contains(video, plane) ? "yes" : "no", plane->stacking, planeTypeName(plane->type),
                        plane->id, formatsText(*plane), abilitiesText(*plane),
                        isUnderlay(report, *plane) ? "; an underlay" : "");
  }
}

void addKms(std::string& text, const std::vector<KmsReport>& devices) {
  text += "\nDISPLAYS: planes that can show a protected buffer without anybody copying it\n";
  if (devices.empty()) text += "  none: no /dev/dri/card* with a connector\n";
  for (const KmsReport& device : devices) {
    if (!device.error.empty()) {
      text += std::format("  {}: {}\n", device.node, device.error);
      continue;
    }
    text += std::format("  {}  {}, {} CRTC{}\n", device.node, device.driver, device.crtcs.size(),
                        device.crtcs.size() == 1 ? "" : "s");
    for (const Connector& connector : device.connectors) {
      text += std::format("  {:<12}  {}\n", connector.name, connectorText(connector));
    }
    addPlanes(text, device);
  }
}

void addVulkan(std::string& text, const std::vector<VulkanDeviceReport>& devices) {
  text += "\nVULKAN: devices that can compose protected buffers\n";
  if (devices.empty()) text += "  none: there is no render node in /dev/dri, or no Vulkan driver that finds a device\n";
  for (const VulkanDeviceReport& device : devices) {
    std::string why = device.refusal == Refusal::None ? "has protected memory and imports dma-bufs"
                                                      : std::string(refusalWords(device.refusal));
    if (device.gpu.protectedMemory) {
      why += device.protectedNoFault ? "; a forbidden access would be dropped (protectedNoFault)"
                                     : "; a forbidden access could do anything (no protectedNoFault)";
    }
    if (!device.missingExtensions.empty()) why += "; lacks " + join(device.missingExtensions, ", ");
    text += std::format("  {:<3}  {}{}: {}\n", device.refusal == Refusal::None ? "yes" : "no", device.name,
                        device.softwareRasterizer ? " (software)" : "", why);
  }
}

void addPath(std::string& text, const char* name, const PathVerdict& verdict) {
  text += std::format("  {:<3}  {:<10}", verdict.offered ? "yes" : "no", name);
  bool first = true;
  for (const std::string& reason : verdict.reasons) {
    text += (first ? "  " : "\n" + std::string(19, ' ')) + wrapped(reason, 19, 19);
    first = false;
  }
  text += "\n";
}

const char* verdictWords(const Verdict& verdict) {
  if (verdict.composited.offered) return "protected content can be composed like any other window";
  if (verdict.plane.offered) return "protected content can be shown on planes, not composed";
  return "protected content would be replaced by the placeholder";
}

} // namespace

std::string toText(const Report& report, const Verdict& verdict) {
  std::string text;
  addHeaps(text, report.heap);
  if (const std::string hint = missingHeapHint(report); !hint.empty()) text += "  " + wrapped(hint, 2, 2) + "\n";
  addTees(text, report.tee);
  addKms(text, report.kms);
  addVulkan(text, report.vulkan);
  text += "\nPATHS\n";
  addPath(text, "composited", verdict.composited);
  addPath(text, "plane", verdict.plane);
  text += std::format("\nVerdict: {}: {}.\n", verdict.path(), verdictWords(verdict));
  return text;
}

std::string tableText(const HeapTable& table) {
  size_t width = 0;
  for (const HeapRule& rule : table.rules())
    width = std::max(width, rule.pattern.size());
  std::string text = "# The first rule that matches a heap's or exporter's name counts.\n";
  for (const HeapRule& rule : table.rules()) {
    text += std::format("{:<17}  {:<{}}  {}\n", heapClassName(rule.heapClass), rule.pattern, width, rule.source);
  }
  return text;
}

} // namespace vitrine::probe
