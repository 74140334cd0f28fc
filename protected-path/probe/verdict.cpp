#include <drm_fourcc.h>

#include <algorithm>
#include <format>

#include "protected-path/probe/report.h"
#include "protected-path/tee/tee_uapi.h"

namespace vitrine::probe {
namespace {

bool isDisplay(const Connector& connector) {
  return connector.connected && !connector.writeback;
}

bool hasDisplay(const KmsReport& device) {
  return std::ranges::any_of(device.connectors, isDisplay);
}

/** CRTCs that a connected display can be driven by, as a bit mask. */
uint32_t displayCrtcs(const KmsReport& device) {
  uint32_t mask = 0;
  for (const Connector& connector : device.connectors) {
    if (isDisplay(connector)) mask |= connector.possibleCrtcs;
  }
  return mask;
}

/** Empty where protected frames can be had. The whole story stands with the heaps. */
std::string heapObstacle(const HeapReport& heap) {
  constexpr unsigned needed = 2; // one is shown while the next is filled
  const HeapCapacity& capacity = heap.capacity;
  if (!heap.tried) {
    return heap.choice.candidates.empty() ? std::format("no protected memory: {}", refusalWords(heap.choice.refusal))
                                          : std::string();
  }
  if (heap.allocatedFrom.empty() && heap.allocationRefusal == Refusal::HeapExhausted && !capacity.heap.empty()) {
    return std::format("no frame of protected memory: {} gives {} bytes at most, and a frame has {}", capacity.heap,
                       capacity.largestBytes, heap.frameBytes);
  }
  if (heap.allocatedFrom.empty()) {
    return std::format("no frame of protected memory: {}", refusalWords(heap.allocationRefusal));
  }
  if (!capacity.heap.empty() && capacity.fullHdFrames < needed) {
    return std::format("{} holds {} frame of 1080p, and a player needs {}", capacity.heap, capacity.fullHdFrames,
                       needed);
  }
  return {};
}

bool canHaveAHeap(const TeeReport& tee) {
  const uint32_t id = tee.version.implementationId;
  return id == TEE_IMPL_ID_OPTEE || id == teeImplementationVitrine;
}

std::string displayObstacle(const std::vector<KmsReport>& devices) {
  if (devices.empty()) return "no KMS device (/dev/dri/card*) with a connector";
  std::string text;
  for (const KmsReport& device : devices) {
    if (device.error.empty() && hasDisplay(device)) return {};
    text += (text.empty() ? "" : "; ") + (device.error.empty() ? device.node + ": nothing is connected" : device.error);
  }
  return text;
}

void addGpuReasons(PathVerdict& verdict, const std::vector<VulkanDeviceReport>& devices) {
  if (devices.empty()) verdict.reasons.push_back(std::string(refusalWords(Refusal::GpuAbsent)));
  for (const VulkanDeviceReport& device : devices) {
    if (device.refusal != Refusal::None) {
      verdict.reasons.push_back(std::format("{}: {}", device.name, refusalWords(device.refusal)));
    }
  }
}

PathVerdict judgeComposited(const Report& report, const std::string& heap, const std::string& display) {
  PathVerdict verdict;
  const auto usable = std::ranges::find(report.vulkan, Refusal::None, &VulkanDeviceReport::refusal);
  if (!heap.empty()) verdict.reasons.push_back(heap);
  if (usable == report.vulkan.end()) addGpuReasons(verdict, report.vulkan);
  if (!display.empty()) verdict.reasons.push_back(display);
  verdict.offered = verdict.reasons.empty();
  if (verdict.offered) {
    verdict.reasons.push_back(
        std::format("{} composes buffers of {} into protected buffers", usable->name, report.heap.heap()));
  }
  return verdict;
}

PathVerdict judgePlane(const Report& report, const std::string& heap, const std::string& display) {
  PathVerdict verdict;
  if (!heap.empty()) verdict.reasons.push_back(heap);
  if (!display.empty()) verdict.reasons.push_back(display);
  std::string shown;
  for (const KmsReport& device : report.kms) {
    const auto planes = videoPlanes(device);
    if (!planes.empty()) {
      shown = std::format("{} of the planes of {} ({}) {} NV12 from {}", planes.size(), device.node, device.driver,
                          planes.size() == 1 ? "takes" : "take", report.heap.heap());
      break;
    }
  }
  if (shown.empty() && display.empty())
    verdict.reasons.emplace_back("no plane of a connected display takes NV12, LINEAR");
  verdict.offered = verdict.reasons.empty();
  if (verdict.offered) {
    verdict.reasons.push_back(std::move(shown));
    verdict.reasons.emplace_back("whether the display's hardware may read protected memory only a commit shows");
  }
  return verdict;
}

} // namespace

std::string missingHeapHint(const Report& report) {
  const auto tee = std::ranges::find_if(report.tee.devices, canHaveAHeap);
  const bool hasHeap =
      std::ranges::any_of(report.heap.heaps, [](const Heap& heap) { return heap.name.starts_with("protected,"); });
  if (tee == report.tee.devices.end() || hasHeap) return {};
  return std::format(
      "{} is here, its protected heap is not. The usual reasons: a kernel before 6.18 or without "
      "CONFIG_TEE_DMABUF_HEAPS; a TEE built without a pool (OP-TEE: CFG_SECURE_DATA_PATH or CFG_CORE_DYN_PROTMEM); "
      "a pool outside the kernel's memory map (the kernel's log says `Protected memory service not available`)",
      teeImplementationName(tee->version.implementationId));
}

std::vector<const Plane*> videoPlanes(const KmsReport& device) {
  const uint32_t crtcs = displayCrtcs(device);
  std::vector<const Plane*> planes;
  for (const Plane& plane : device.planes) {
    const bool fits = plane.type != PlaneType::Cursor && (plane.possibleCrtcs & crtcs) != 0 &&
                      plane.hasFormat(DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR);
    if (fits) planes.push_back(&plane);
  }
  return planes;
}

Verdict judge(const Report& report) {
  const std::string heap = heapObstacle(report.heap);
  const std::string display = displayObstacle(report.kms);
  return {judgeComposited(report, heap, display), judgePlane(report, heap, display)};
}

std::string teeImplementationName(uint32_t id) {
  switch (id) {
  case TEE_IMPL_ID_OPTEE:
    return "OP-TEE";
  case TEE_IMPL_ID_AMDTEE:
    return "AMD-TEE";
  case TEE_IMPL_ID_TSTEE:
    return "Arm Trusted Services";
  case teeImplementationQtee:
    return "Qualcomm TEE";
  case teeImplementationVitrine:
    return "Vitrine's simulated secure world";
  default:
    return "unknown implementation";
  }
}

std::vector<std::string> teeCapabilityNames(uint32_t genericCapabilities) {
  constexpr std::pair<uint32_t, const char*> names[] = {
      {TEE_GEN_CAP_GP, "GlobalPlatform"},
      {TEE_GEN_CAP_PRIVILEGED, "privileged"},
      {TEE_GEN_CAP_REG_MEM, "registers memory"},
      {TEE_GEN_CAP_MEMREF_NULL, "null references"},
  };
  std::vector<std::string> result;
  for (const auto& [bit, name] : names) {
    if ((genericCapabilities & bit) != 0) result.emplace_back(name);
  }
  return result;
}

} // namespace vitrine::probe
