#include "protected-path/kms/framebuffer.h"

#include <drm_fourcc.h>

#include <algorithm>
#include <format>
#include <utility>

#include "protected-path/kms/drm_pointer.h"

namespace vitrine {
namespace {

/**
 * The GEM handles of a buffer's planes. For the same dma-buf, the kernel returns the same handle without counting it,
 * so each distinct handle is closed once.
 */
class GemHandles {
public:
  explicit GemHandles(int fd) : fd_(fd) {}
  GemHandles(const GemHandles&) = delete;
  GemHandles& operator=(const GemHandles&) = delete;
  ~GemHandles() {
    for (size_t i = 0; i < handles_.size(); ++i) {
      const auto before = handles_.begin() + static_cast<ptrdiff_t>(i);
      if (handles_[i] != 0 && std::find(handles_.begin(), before, handles_[i]) == before) {
        drmCloseBufferHandle(fd_, handles_[i]);
      }
    }
  }
  [[nodiscard]] bool import(size_t plane, int dmabufFd) {
    return drmPrimeFDToHandle(fd_, dmabufFd, &handles_[plane]) == 0;
  }
  [[nodiscard]] const std::array<uint32_t, 4>& all() const { return handles_; }

private:
  int fd_;
  std::array<uint32_t, 4> handles_{};
};

} // namespace

Result<Framebuffer> Framebuffer::create(const KmsDevice& device, const Dmabuf& buffer, bool opaque) {
  const auto refuse = [&](std::string_view operation, int number) {
    auto failed = systemError(operation, buffer.describe(), number);
    if (isTransient(failed.error())) return failed;
    return refused(Refusal::PlaneFramebufferRefused, operation,
                   std::format("{}: {} ({})", buffer.describe(), errnoName(number), number));
  };
  const bool implicit = buffer.modifier() == DRM_FORMAT_MOD_INVALID;
  if (!device.hasModifiers() && !implicit && buffer.modifier() != DRM_FORMAT_MOD_LINEAR) {
    return refused(Refusal::ModifierUnsupported, "DRM_IOCTL_MODE_ADDFB2", buffer.describe());
  }
  GemHandles handles(device.fd());
  drm_mode_fb_cmd2 request{};
  request.width = buffer.size().width;
  request.height = buffer.size().height;
  request.pixel_format = opaque ? buffer.format().opaque : buffer.fourcc();
  const bool explicitModifier = device.hasModifiers() && !implicit;
  request.flags = explicitModifier ? DRM_MODE_FB_MODIFIERS : 0;
  for (unsigned i = 0; i < buffer.planeCount(); ++i) {
    if (!handles.import(i, buffer.plane(i).fd.get())) return refuse("DRM_IOCTL_PRIME_FD_TO_HANDLE", errno);
    request.handles[i] = handles.all()[i];
    request.pitches[i] = buffer.plane(i).strideBytes;
    request.offsets[i] = buffer.plane(i).offsetBytes;
    request.modifier[i] = explicitModifier ? buffer.modifier() : 0;
  }
  if (drmIoctl(device.fd(), DRM_IOCTL_MODE_ADDFB2, &request) != 0) return refuse("DRM_IOCTL_MODE_ADDFB2", errno);
  return Framebuffer(device.fd(), request.fb_id, buffer.size());
}

Framebuffer::Framebuffer(Framebuffer&& other) noexcept
    : deviceFd_(other.deviceFd_), id_(std::exchange(other.id_, 0)), size_(other.size_) {}

Framebuffer& Framebuffer::operator=(Framebuffer&& other) noexcept {
  std::swap(deviceFd_, other.deviceFd_);
  std::swap(id_, other.id_);
  std::swap(size_, other.size_);
  return *this;
}

Framebuffer::~Framebuffer() {
  if (id_ == 0) return;
  // Kernels before 6.8 do not know CLOSEFB.
  if (drmModeCloseFB(deviceFd_, id_) != 0) removeNow();
}

void Framebuffer::removeNow() {
  if (id_ != 0) drmModeRmFB(deviceFd_, std::exchange(id_, 0));
}

} // namespace vitrine
