#include <drm_fourcc.h>
#include <fcntl.h>

#include <format>

#include "protected-path/dmabuf/inspector.h"
#include "protected-path/kms/kms_device.h"
#include "protected-path/probe/report.h"
#include "protected-path/tee/frame_decrypt.h"

namespace vitrine::probe {
namespace {

constexpr const char* heapDirectory = "/dev/dma_heap";

ApplicationReport askApplication(const TeeDevice& device, std::string_view name, std::string_view uuid) {
  ApplicationReport report{std::string(name), std::string(uuid), false, {}};
  const auto session = TeeSession::open(device, TeeUuid::parse(uuid));
  report.answers = session.has_value();
  if (!session) report.error = session.error().text();
  return report;
}

TeeReport gatherTee(const Result<TeeDevice>& device) {
  TeeReport report;
  if (!device) {
    report.error = device.error().text();
    return report;
  }
  report.node = device->node().string();
  report.version = device->version();
  report.applications.push_back(askApplication(*device, "frame decryption", frame_decrypt::uuid));
  report.applications.push_back(askApplication(*device, "optee_test sdp_basic", sdp_basic::uuid));
  return report;
}

HeapReport gatherHeaps(const HeapTable& table, const TeeDevice* tee) {
  const BufferRequest request{videoSize, DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR, true, 64};
  HeapReport report;
  report.directory = heapDirectory;
  report.heaps = listHeaps(table, heapDirectory);
  report.choice = chooseHeap(request, report.heaps);
  if (const auto layout = layoutFor(request)) report.frameBytes = layout->sizeBytes;
  auto allocated = allocateBuffer(request, report.heaps, table);
  if (!allocated) {
    report.allocationRefusal = refusalOf(allocated.error(), Refusal::HeapFailed);
    report.allocationError = allocated.error().text();
    return report;
  }
  report.allocatedFrom = allocated->heapName;
  const Inspector inspector({[&](std::string_view name) { return table.exporterIsProtected(name); },
                             [&](int fd) { return teeAccepts(tee, fd); }});
  if (auto inspected = inspector.inspect(allocated->buffer, false); !inspected) {
    report.allocationError = inspected.error().text();
  }
  report.evidence = allocated->buffer.evidence();
  return report;
}

KmsReport gatherKms(const std::string& node) {
  KmsReport report;
  report.node = node;
  UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    report.error =
        systemError("open", node, 0, "be in group video, or in the session that owns the seat").error().text();
    return report;
  }
  const auto device = KmsDevice::open(std::move(fd), node);
  if (!device) {
    report.error = device.error().text();
    return report;
  }
  report.driver = (*device)->driverName();
  report.hasModifiers = (*device)->hasModifiers();
  report.planes = (*device)->planes();
  report.crtcs = (*device)->crtcs();
  report.connectors = (*device)->connectors();
  return report;
}

} // namespace

Report gather(const HeapTable& table) {
  const auto tee = TeeDevice::open();
  Report report;
  report.heap = gatherHeaps(table, tee ? &*tee : nullptr);
  report.tee = gatherTee(tee);
  for (const std::string& node : KmsDevice::listNodes())
    report.kms.push_back(gatherKms(node));
  report.vulkan = listVulkanDevices();
  return report;
}

} // namespace vitrine::probe
