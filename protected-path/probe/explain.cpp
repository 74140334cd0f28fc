#include "protected-path/probe/explain.h"

#include <drm_fourcc.h>
#include <fcntl.h>

#include <algorithm>
#include <format>
#include <memory>

#include "protected-path/heap/heap_allocator.h"
#include "protected-path/kms/display_consumer.h"
#include "protected-path/render/renderer_consumer.h"
#include "protected-path/tee/tee_consumer.h"

namespace vitrine::probe {
namespace {

/** Devices that were opened for the question, and the consumers on them. */
struct Devices {
  std::unique_ptr<KmsDevice> kms;
  std::optional<TeeDevice> tee;
  std::unique_ptr<Renderer> renderer;
  std::vector<std::unique_ptr<BufferConsumer>> consumers;
};

/** A consumer that is known by its facts alone: it is never asked. */
class KnownConsumer : public BufferConsumer {
public:
  explicit KnownConsumer(ConsumerFacts facts) : facts_(std::move(facts)) {}
  [[nodiscard]] const ConsumerFacts& facts() const override { return facts_; }
  [[nodiscard]] Result<> wouldTake(const Dmabuf&) override { return {}; }

private:
  ConsumerFacts facts_;
};

/** The CRTC that the first connected display has or could have; null: nothing is connected. */
const Crtc* crtcOfDisplay(const KmsDevice& device) {
  for (const Connector& connector : device.connectors()) {
    if (!connector.connected || connector.writeback) continue;
    const uint64_t current = connector.properties[ConnectorProperty::CrtcId].value;
    for (const Crtc& crtc : device.crtcs()) {
      const bool possible = (connector.possibleCrtcs >> crtc.index & 1) != 0;
      if (current != 0 ? crtc.id == current : possible) return &crtc;
    }
  }
  return nullptr;
}

Result<> addDisplay(Devices& devices, const Question& question) {
  std::optional<Error> failure;
  for (const std::string& node : KmsDevice::listNodes()) {
    UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    auto device = fd ? KmsDevice::open(std::move(fd), node)
                     : systemError("open", node, 0, "be in group video, or in the session that owns the seat");
    if (!device) failure = device.error();
    const Crtc* crtc = device ? crtcOfDisplay(**device) : nullptr;
    if (crtc == nullptr) continue;
    devices.kms = std::move(*device);
    const FormatModifier format{question.fourcc, DRM_FORMAT_MOD_LINEAR};
    for (const Plane& plane : devices.kms->planes()) {
      const bool fits = plane.type != PlaneType::Cursor && (plane.possibleCrtcs >> crtc->index & 1) != 0 &&
                        plane.hasFormat(format.fourcc, format.modifier);
      if (!fits) continue;
      devices.consumers.push_back(std::make_unique<DisplayConsumer>(*devices.kms, plane, crtc));
      return {};
    }
    devices.consumers.push_back(std::make_unique<DisplayConsumer>(*devices.kms)); // says that no plane has the format
    return {};
  }
  if (failure) return std::unexpected(*failure);
  return missing("find", "display", "no KMS device has a connected one");
}

Result<> addGpu(Devices& devices, const Question& question) {
  const auto reports = listGpus();
  if (reports.empty()) return missing("find", "gpu", refusalWords(Refusal::GpuAbsent));
  if (question.tryHeaps) {
    auto renderer = Renderer::create({});
    if (!renderer) return std::unexpected(renderer.error());
    devices.renderer = std::move(*renderer);
    devices.consumers.push_back(std::make_unique<RendererConsumer>(*devices.renderer, RendererConsumer::Use::Sample));
    return {};
  }
  const auto best = std::ranges::find(reports, Refusal::None, &VulkanDeviceReport::refusal);
  devices.consumers.push_back(std::make_unique<KnownConsumer>(
      consumerFacts(best != reports.end() ? *best : reports.front(), RendererConsumer::Use::Sample)));
  return {};
}

Result<> addTee(Devices& devices) {
  auto device = TeeDevice::open();
  if (!device) return std::unexpected(device.error());
  devices.tee.emplace(std::move(*device));
  devices.consumers.push_back(std::make_unique<TeeConsumer>(*devices.tee));
  return {};
}

Result<> addConsumer(Devices& devices, const std::string& name, const Question& question) {
  if (name == "display") return addDisplay(devices, question);
  if (name == "gpu") return addGpu(devices, question);
  return addTee(devices);
}

} // namespace

Result<Explanation> explain(const Question& question, const HeapTable& table) {
  Explanation answer{
      .question = question, .consumers = {}, .constraints = {}, .choice = {}, .takenFrom = {}, .tryError = {}};
  Devices devices;
  for (const std::string& name : question.consumers) {
    if (auto added = addConsumer(devices, name, question); !added) return std::unexpected(added.error());
    answer.consumers.push_back({name, devices.consumers.back()->facts()});
  }
  std::vector<ConsumerFacts> facts;
  std::vector<BufferConsumer*> consumers;
  for (const auto& consumer : devices.consumers) {
    facts.push_back(consumer->facts());
    consumers.push_back(consumer.get());
  }
  BufferRequest request{.size = question.size,
                        .fourcc = question.fourcc,
                        .protectedContent = question.protectedContent,
                        .consumers = facts,
                        .question = true};
  HeapKnowledge knowledge;
  auto heaps = listHeaps(table);
  if (question.tryHeaps) {
    const auto taken = allocateBuffer(request, heaps, table, &knowledge, consumers);
    if (taken) answer.takenFrom = taken->heapName;
    if (!taken) answer.tryError = taken.error().text();
    knowledge.recall(heaps);
  }
  answer.choice = chooseHeap(request, heaps);
  if (const auto joined = joinConstraints(request)) answer.constraints = *joined;
  return answer;
}

} // namespace vitrine::probe
