#include "compositor/render/allocator_adapter.h"

#include "protected-path/base/log.h"

namespace vitrine {

const wlr_allocator_interface AllocatorAdapter::impl = {
    .create_buffer = [](wlr_allocator* allocator, int width, int height, const wlr_drm_format* format) -> wlr_buffer* {
      const Size size{static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
      auto buffer = from(allocator).device_.createDumbBuffer(size, format->format, from(allocator).rowMultiple_);
      if (!buffer) {
        log("render").error("{}", buffer.error().text());
        return nullptr;
      }
      return DmabufBuffer::create(std::move(*buffer))->base();
    },
    .destroy = [](wlr_allocator* allocator) { delete &from(allocator); },
};

AllocatorAdapter::AllocatorAdapter(const KmsDevice& device, uint32_t rowMultiple)
    : device_(device), rowMultiple_(rowMultiple) {
  wlr_allocator_init(&base_, &impl, WLR_BUFFER_CAP_DMABUF);
}

wlr_allocator* AllocatorAdapter::create(const KmsDevice& device, const Renderer& renderer) {
  return &(new AllocatorAdapter(device, renderer.device().targetRowMultiple))->base_;
}

} // namespace vitrine
