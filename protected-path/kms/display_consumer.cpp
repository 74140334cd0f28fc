#include "protected-path/kms/display_consumer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include "protected-path/kms/atomic_request.h"
#include "protected-path/kms/drm_pointer.h"
#include "protected-path/kms/framebuffer.h"

namespace vitrine {
namespace {

constexpr uint64_t fixed(uint32_t pixels) {
  return uint64_t{pixels} << 16;
}

} // namespace

std::optional<Size> litSize(const KmsDevice& device, const Crtc& crtc) {
  const auto blobId = static_cast<uint32_t>(crtc.properties[CrtcProperty::ModeId].value);
  if (blobId == 0 || crtc.properties[CrtcProperty::Active].value == 0) return std::nullopt;
  const DrmPointer<drmModePropertyBlobRes> blob(drmModeGetPropertyBlob(device.fd(), blobId));
  drmModeModeInfo mode{};
  if (!blob || blob->length < sizeof mode) return std::nullopt;
  std::memcpy(&mode, blob->data, sizeof mode);
  return Size{mode.hdisplay, mode.vdisplay};
}

DisplayConsumer::DisplayConsumer(const KmsDevice& device) : device_(device) {
  facts_.name = std::format("display {} ({})", device.node(), device.driverName());
  for (const Plane& plane : device.planes()) {
    for (const FormatModifier& format : plane.formats) {
      if (!std::ranges::contains(facts_.formats, format)) facts_.formats.push_back(format);
    }
  }
}

DisplayConsumer::DisplayConsumer(const KmsDevice& device, const Plane& plane, const Crtc* lit)
    : device_(device), plane_(&plane), lit_(lit) {
  facts_.name = std::format("plane {} of {} ({})", plane.id, device.node(), device.driverName());
  facts_.formats = plane.formats;
}

Result<> DisplayConsumer::wouldTake(const Dmabuf& buffer) {
  const auto framebuffer = Framebuffer::create(device_, buffer, true);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  return plane_ != nullptr && lit_ != nullptr ? test(framebuffer->id(), buffer.size()) : Result<>();
}

Result<> DisplayConsumer::test(uint32_t framebufferId, Size size) const {
  const auto screen = litSize(device_, *lit_);
  if (!screen) return {};
  // A primary plane may have to cover the screen: a smaller buffer would be refused for that.
  if (plane_->type == PlaneType::Primary && (size.width < screen->width || size.height < screen->height)) return {};
  const Size shown{std::min(size.width, screen->width), std::min(size.height, screen->height)};
  using P = PlaneProperty;
  AtomicCounters counters;
  AtomicRequest request(device_, counters);
  const std::pair<P, uint64_t> values[] = {{P::FbId, framebufferId},
                                           {P::CrtcId, lit_->id},
                                           {P::SrcX, 0},
                                           {P::SrcY, 0},
                                           {P::CrtcX, 0},
                                           {P::CrtcY, 0},
                                           {P::SrcW, fixed(shown.width)},
                                           {P::SrcH, fixed(shown.height)},
                                           {P::CrtcW, shown.width},
                                           {P::CrtcH, shown.height}};
  for (const auto& [property, value] : values)
    request.set(*plane_, property, value);
  const auto tested = request.test(false);
  // Another program is the master, or a flip is pending: that says nothing about the buffer.
  const bool noAnswer = !tested && (tested.error().number == EACCES || tested.error().number == EPERM ||
                                    tested.error().number == EBUSY || tested.error().number == EINTR);
  if (tested || noAnswer) return {};
  auto error = refused(Refusal::PlaneTestRefused, "TEST_ONLY", facts_.name);
  error.error().detail += std::format(": {} ({})", errnoName(tested.error().number), tested.error().number);
  return error;
}

} // namespace vitrine
