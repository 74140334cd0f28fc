#include "compositor/capture/capture_buffers.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr int keepMilliseconds = 1000;

} // namespace

CaptureBuffers::CaptureBuffers(const KmsDevice& display, Renderer& renderer, wl_event_loop& loop)
    : display_(display), renderer_(renderer), expiry_(loop, *this, [](CaptureBuffers& self) { self.spare_.clear(); }) {}

Result<OwnedBuffer> CaptureBuffers::take(Size size) {
  if (used_ >= mostAtOnce) return nullptr;
  OwnedBuffer taken;
  const auto fitting = std::ranges::find_if(spare_, [&](const auto& one) { return one->dmabuf().size() == size; });
  if (fitting != spare_.end()) {
    taken = std::move(*fitting);
    spare_.erase(fitting);
  } else {
    auto made = display_.createDumbBuffer(size, DRM_FORMAT_XRGB8888, renderer_.device().targetRowMultiple);
    if (!made) return std::unexpected(made.error());
    taken.reset(DmabufBuffer::create(std::move(*made)));
  }
  used_++;
  return taken;
}

void CaptureBuffers::giveBack(OwnedBuffer buffer) {
  used_--;
  if (spare_.size() >= mostAtOnce) spare_.erase(spare_.begin());
  spare_.push_back(std::move(buffer));
  expiry_.start(keepMilliseconds);
}

} // namespace vitrine
