#include <format>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "tests/board/plane-bench/probe.h"

namespace vitrine::bench {
namespace {

constexpr Size bufferSize{640, 360};
constexpr uint32_t formats[] = {DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12, DRM_FORMAT_P010};

/** Whether any plane of the output takes it with linear layout. */
bool isShown(Stage& stage, uint32_t fourcc) {
  if (stage.primary().hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR)) return true;
  return std::ranges::any_of(stage.overlays(),
                             [&](const Plane* plane) { return plane->hasFormat(fourcc, DRM_FORMAT_MOD_LINEAR); });
}

/** Import, ADDFB2, RMFB and closing, once: the times of the first three. */
Result<std::array<double, 3>> roundTrip(int fd, const Dmabuf& buffer, bool modifiers) {
  std::array<uint32_t, 4> handles{};
  std::array<uint32_t, 4> pitches{};
  std::array<uint32_t, 4> offsets{};
  std::array<uint64_t, 4> modifier{};
  const Nanoseconds start = now();
  if (drmPrimeFDToHandle(fd, buffer.plane(0).fd.get(), handles.data()) != 0)
    return systemError("DRM_IOCTL_PRIME_FD_TO_HANDLE", buffer.describe());
  const Nanoseconds imported = now();
  const uint32_t handle = handles[0];
  for (unsigned i = 0; i < buffer.planeCount(); ++i) {
    handles[i] = handle; // the allocator puts all planes into one dma-buf
    pitches[i] = buffer.plane(i).strideBytes;
    offsets[i] = buffer.plane(i).offsetBytes;
    modifier[i] = DRM_FORMAT_MOD_LINEAR;
  }
  uint32_t framebuffer = 0;
  const Nanoseconds beforeAdd = now();
  const int added = drmModeAddFB2WithModifiers(
      fd, buffer.size().width, buffer.size().height, buffer.fourcc(), handles.data(), pitches.data(), offsets.data(),
      modifiers ? modifier.data() : nullptr, &framebuffer, modifiers ? DRM_MODE_FB_MODIFIERS : 0);
  const Nanoseconds afterAdd = now();
  if (added != 0) {
    drmCloseBufferHandle(fd, handle);
    return systemError("DRM_IOCTL_MODE_ADDFB2", buffer.describe(), -added);
  }
  const Nanoseconds beforeRemove = now();
  const int removed = drmModeRmFB(fd, framebuffer);
  const Nanoseconds afterRemove = now();
  drmCloseBufferHandle(fd, handle);
  if (removed != 0) return systemError("DRM_IOCTL_MODE_RMFB", buffer.describe(), -removed);
  return std::array{micros(imported - start), micros(afterAdd - beforeAdd), micros(afterRemove - beforeRemove)};
}

Answer measureBuffers(Stage& stage, uint32_t fourcc, BufferKind kind, unsigned count) {
  const auto buffer = stage.allocate(bufferSize, fourcc, kind);
  if (!buffer) return std::unexpected(buffer.error());
  std::vector<Samples> samples(3);
  for (unsigned i = 0; i < count; ++i) {
    const auto times = roundTrip(stage.device().fd(), *buffer, stage.device().hasModifiers());
    if (!times) return std::unexpected(times.error());
    for (size_t which = 0; which < samples.size(); ++which)
      samples[which].push_back((*times)[which]);
  }
  return samples;
}

} // namespace

void addBufferProbes(Stage& stage, BufferKind kind, std::vector<Probe>& probes) {
  for (const uint32_t fourcc : formats) {
    if (!isShown(stage, fourcc)) continue;
    const std::vector<std::pair<std::string, std::string>> conditions = {{"format", fourccName(fourcc)},
                                                                         {"buffers", bufferKindName(kind)}};
    probes.push_back(
        {{{"prime-import", conditions, {}, {}}, {"addfb2", conditions, {}, {}}, {"rmfb", conditions, {}, {}}},
         [&stage, fourcc, kind](unsigned count) { return measureBuffers(stage, fourcc, kind, count); }});
  }
}

} // namespace vitrine::bench
