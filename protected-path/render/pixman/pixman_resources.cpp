#include "protected-path/render/pixman/pixman_resources.h"

#include <algorithm>

namespace vitrine::pixman {

PixmanTexture::PixmanTexture(const Dmabuf& buffer, std::vector<Mapping> mappings)
    : Texture(buffer.size(), buffer.fourcc(), false, Refusal::None), mappings_(std::move(mappings)) {
  for (unsigned plane = 0; plane < mappings_.size(); ++plane)
    planes_.push_back({mappings_[plane].bytes().data(), buffer.plane(plane).strideBytes});
}

PixmanTexture::PixmanTexture(Size size, uint32_t fourcc, std::vector<uint32_t> pixels)
    : Texture(size, fourcc, false, Refusal::None), pixels_(std::move(pixels)) {
  const auto strideBytes = static_cast<uint32_t>(pixels_.size() / size.height * sizeof(uint32_t));
  planes_.push_back({reinterpret_cast<std::byte*>(pixels_.data()), strideBytes});
}

Result<> PixmanTexture::beginAccess() const {
  for (Mapping& mapping : mappings_) {
    if (auto begun = mapping.beginAccess(); !begun) {
      endAccess();
      return begun;
    }
  }
  return {};
}

void PixmanTexture::endAccess() const {
  std::ranges::for_each(mappings_, &Mapping::endAccess);
}

} // namespace vitrine::pixman
