#include "protected-path/render/renderer_consumer.h"

#include <format>

namespace vitrine {

ConsumerFacts consumerFacts(const VulkanDeviceReport& device, RendererConsumer::Use use) {
  using Content = ConsumerFacts::Content;
  ConsumerFacts facts;
  facts.name = std::format("GPU {} ({}), {}", device.name, device.driver,
                           use == RendererConsumer::Use::Sample ? "sampling" : "drawing");
  facts.content = device.gpu.protectedMemory ? Content::Any : Content::OrdinaryOnly;
  if (use == RendererConsumer::Use::Target) facts.rowMultiple = device.targetRowMultiple;
  return facts;
}

RendererConsumer::RendererConsumer(Renderer& renderer, Use use)
    : renderer_(renderer), use_(use), facts_(consumerFacts(renderer.device(), use)) {
  const auto formats = use == Use::Sample ? renderer.sampledFormats() : renderer.targetFormats();
  facts_.formats.assign(formats.begin(), formats.end());
}

Result<> RendererConsumer::wouldTake(const Dmabuf& buffer) {
  if (use_ == Use::Target) {
    const auto target = renderer_.importTarget(buffer);
    return target ? Result<>() : std::unexpected(target.error());
  }
  const auto texture = renderer_.import(buffer);
  if (!texture) return std::unexpected(texture.error());
  if ((*texture)->isPlaceholder()) return refused((*texture)->refusal(), "import", buffer.describe());
  return {};
}

} // namespace vitrine
