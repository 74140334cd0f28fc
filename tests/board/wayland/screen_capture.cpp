#include "tests/board/wayland/screen_capture.h"

#include <cerrno>
#include <cstring>
#include <span>

#include <drm_fourcc.h>

#include "protected-path/dmabuf/mapping.h"
#include "protected-path/heap/heap_allocator.h"

namespace vitrine {
namespace {

/** One captured frame, from the request to its arrival. */
class Capture {
public:
  explicit Capture(WaylandConnection& connection) : connection_(connection) {}
  /** Sends the request, and waits until the compositor has listed the buffers that it accepts. */
  Result<> ask();
  /** Waits until the picture is in the buffer. */
  Result<> into(wl_buffer* buffer);

  Size size;
  uint32_t fourcc = 0; ///< for a dma-buf
  uint32_t shmFormat = 0;
  uint32_t shmStrideBytes = 0;

private:
  static const zwlr_screencopy_frame_v1_listener listener;
  Result<> waitFor(const bool& done, const char* what);
  WaylandConnection& connection_;
  WaylandPtr<zwlr_screencopy_frame_v1> frame_;
  bool told_ = false;
  bool ready_ = false;
  bool failed_ = false;
};

const zwlr_screencopy_frame_v1_listener Capture::listener = {
    .buffer =
        [](void* data, zwlr_screencopy_frame_v1*, uint32_t format, uint32_t width, uint32_t height, uint32_t stride) {
          auto* capture = static_cast<Capture*>(data);
          capture->size = {width, height};
          capture->shmFormat = format;
          capture->shmStrideBytes = stride;
        },
    .flags = [](void*, zwlr_screencopy_frame_v1*, uint32_t) {},
    .ready = [](void* data, zwlr_screencopy_frame_v1*, uint32_t, uint32_t,
                uint32_t) { static_cast<Capture*>(data)->ready_ = true; },
    .failed = [](void* data, zwlr_screencopy_frame_v1*) { static_cast<Capture*>(data)->failed_ = true; },
    .damage = [](void*, zwlr_screencopy_frame_v1*, uint32_t, uint32_t, uint32_t, uint32_t) {},
    .linux_dmabuf =
        [](void* data, zwlr_screencopy_frame_v1*, uint32_t fourcc, uint32_t width, uint32_t height) {
          auto* capture = static_cast<Capture*>(data);
          capture->size = {width, height};
          capture->fourcc = fourcc;
        },
    .buffer_done = [](void* data, zwlr_screencopy_frame_v1*) { static_cast<Capture*>(data)->told_ = true; },
};

Result<> Capture::ask() {
  WaylandGlobals& globals = connection_.globals();
  if (!globals.screencopy || !globals.output) return missing("bind", "zwlr_screencopy_manager_v1", "or no wl_output");
  frame_.reset(zwlr_screencopy_manager_v1_capture_output(globals.screencopy.get(), 0, globals.output.get()));
  zwlr_screencopy_frame_v1_add_listener(frame_.get(), &listener, this);
  return waitFor(told_, "which buffer it wants");
}

Result<> Capture::into(wl_buffer* buffer) {
  zwlr_screencopy_frame_v1_copy(frame_.get(), buffer);
  return waitFor(ready_, "the picture");
}

Result<> Capture::waitFor(const bool& done, const char* what) {
  const Nanoseconds until = now() + answerTimeout;
  while (!done) {
    if (failed_) return invalid("capture", "the output", "the compositor says `failed`");
    if (now() > until) return systemError("capture", std::string("the output: ") + what, ETIMEDOUT);
    if (auto dispatched = connection_.dispatch(until - now()); !dispatched) return dispatched;
  }
  return {};
}

Result<std::vector<uint32_t>> readPixels(std::span<const std::byte> bytes, Size size, uint32_t strideBytes,
                                         uint32_t fourcc) {
  const bool redFirst = fourcc == DRM_FORMAT_XBGR8888 || fourcc == DRM_FORMAT_ABGR8888;
  if (!redFirst && fourcc != DRM_FORMAT_XRGB8888 && fourcc != DRM_FORMAT_ARGB8888)
    return invalid("read capture", fourccName(fourcc), "not of 8 bits each for red, green and blue");
  std::vector<uint32_t> pixels(size_t{size.width} * size.height);
  for (uint32_t y = 0; y < size.height; ++y)
    std::memcpy(&pixels[size_t{y} * size.width], &bytes[size_t{y} * strideBytes],
                size_t{size.width} * sizeof(uint32_t));
  if (redFirst) {
    for (uint32_t& pixel : pixels)
      pixel = (pixel & 0xff00ff00) | (pixel & 0xff) << 16 | (pixel >> 16 & 0xff);
  }
  return pixels;
}

} // namespace

Result<std::vector<uint32_t>> pixelsOf(const Dmabuf& capture) {
  const auto mapping = Mapping::map(capture, 0, Mapping::Access::Read);
  if (!mapping) return std::unexpected(mapping.error());
  return readPixels(mapping->bytes(), capture.size(), capture.plane(0).strideBytes, capture.fourcc());
}

Result<std::vector<uint32_t>> pixelsOf(const ShmBuffer& capture) {
  uint32_t fourcc = capture.format(); // wl_shm's, which are DRM's but for these two
  if (fourcc == WL_SHM_FORMAT_ARGB8888) fourcc = DRM_FORMAT_ARGB8888;
  if (fourcc == WL_SHM_FORMAT_XRGB8888) fourcc = DRM_FORMAT_XRGB8888;
  return readPixels(std::as_bytes(capture.bytes()), capture.size(), capture.strideBytes(), fourcc);
}

Result<Dmabuf> captureIntoDmabuf(WaylandConnection& connection) {
  Capture capture(connection);
  if (auto told = capture.ask(); !told) return std::unexpected(told.error());
  const HeapTable table;
  // Four rows: software renderers draw whole blocks.
  auto memory =
      allocateBuffer({.size = capture.size, .fourcc = capture.fourcc, .protectedContent = false, .rowMultiple = 4},
                     listHeaps(table), table);
  if (!memory) return std::unexpected(memory.error());
  auto buffer = createWaylandBuffer(connection, memory->buffer, false);
  if (!buffer) return std::unexpected(buffer.error());
  if (auto done = capture.into(buffer->get()); !done) return std::unexpected(done.error());
  return std::move(memory->buffer);
}

Result<ShmBuffer> captureIntoShm(WaylandConnection& connection) {
  Capture capture(connection);
  if (auto told = capture.ask(); !told) return std::unexpected(told.error());
  auto buffer = ShmBuffer::create(connection, capture.size, capture.shmStrideBytes, capture.shmFormat);
  if (!buffer) return buffer;
  if (auto done = capture.into(buffer->object()); !done) return std::unexpected(done.error());
  return buffer;
}

} // namespace vitrine
