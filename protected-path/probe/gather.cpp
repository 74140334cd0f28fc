#include <drm_fourcc.h>
#include <fcntl.h>

#include <format>

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

TeesReport gatherTees() {
  TeesReport report;
  std::optional<Error> failure;
  for (const TeeDevice& device : TeeDevice::list("/dev", &failure)) {
    report.devices.push_back({device.node().string(),
                              device.version(),
                              {askApplication(device, "frame decryption", frame_decrypt::uuid),
                               askApplication(device, "optee_test sdp_basic", sdp_basic::uuid)}});
  }
  if (report.devices.empty()) report.error = (failure ? *failure : TeeDevice::open().error()).text();
  return report;
}

uint64_t largestBuffer(const Heap& heap) {
  uint64_t largest = 0;
  for (uint64_t more = uint64_t{1} << 30; more >= 4096; more /= 2) {
    if (allocateFromHeap(heap, largest + more)) largest += more;
  }
  return largest;
}

unsigned framesAtATime(const Heap& heap, Size size) {
  const auto layout = layoutFor({.size = size, .fourcc = DRM_FORMAT_NV12});
  std::vector<UniqueFd> held;
  while (layout && held.size() < HeapCapacity::mostFrames) {
    auto fd = allocateFromHeap(heap, layout->sizeBytes);
    if (!fd) break;
    held.push_back(std::move(*fd));
  }
  return static_cast<unsigned>(held.size());
}

/** Of the heap that a frame came from, or would have come from if it had room. */
HeapCapacity measureCapacity(const HeapReport& report) {
  if (report.choice.candidates.empty()) return {};
  const Heap& heap = report.choice.candidates.front().heap;
  return {heap.name, largestBuffer(heap), framesAtATime(heap, videoSize), framesAtATime(heap, ultraHdSize)};
}

HeapReport gatherHeaps(const HeapTable& table, bool tryHeaps) {
  const BufferRequest request{.size = videoSize, .fourcc = DRM_FORMAT_NV12, .question = true};
  HeapReport report;
  report.directory = heapDirectory;
  report.heaps = listHeaps(table, heapDirectory);
  if (const auto layout = layoutFor(request)) report.frameBytes = layout->sizeBytes;
  report.choice = chooseHeap(request, report.heaps);
  report.tried = tryHeaps;
  if (!tryHeaps) return report;
  HeapKnowledge knowledge;
  if (const auto allocated = allocateBuffer(request, report.heaps, table, &knowledge)) {
    report.allocatedFrom = allocated->heapName;
    report.evidence = allocated->buffer.evidence();
  } else {
    report.allocationRefusal = refusalOf(allocated.error(), Refusal::HeapFailed);
    report.allocationError = allocated.error().text();
  }
  knowledge.recall(report.heaps);
  report.choice = chooseHeap(request, report.heaps);
  report.capacity = measureCapacity(report); // now that the frame is free again
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

Report gather(const HeapTable& table, bool tryHeaps) {
  Report report;
  report.heap = gatherHeaps(table, tryHeaps);
  report.tee = gatherTees();
  for (const std::string& node : KmsDevice::listNodes())
    report.kms.push_back(gatherKms(node));
  report.vulkan = listGpus();
  return report;
}

} // namespace vitrine::probe
