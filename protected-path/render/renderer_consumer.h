#pragma once

#include "protected-path/heap/consumer.h"
#include "protected-path/render/renderer.h"

namespace vitrine {

/** A GPU as a consumer of buffers. The renderer outlives it. */
class RendererConsumer : public BufferConsumer {
public:
  enum class Use : uint8_t { Sample, Target };
  RendererConsumer(Renderer& renderer, Use use);
  [[nodiscard]] const ConsumerFacts& facts() const override { return facts_; }
  /** Imports it as a texture or a target. Refused, as Renderer::import() and importTarget(). */
  [[nodiscard]] Result<> wouldTake(const Dmabuf& buffer) override;

private:
  Renderer& renderer_;
  Use use_;
  ConsumerFacts facts_;
};

/** What a GPU asks of buffers that are drawn into, or sampled, by its report alone: its formats are not known. Pure. */
[[nodiscard]] ConsumerFacts consumerFacts(const VulkanDeviceReport& device, RendererConsumer::Use use);

} // namespace vitrine
