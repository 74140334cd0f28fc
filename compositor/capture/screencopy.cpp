#include "compositor/capture/screencopy.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "compositor/protocols/protocol_error.h"
#include "protected-path/base/log.h"
#include "wlr-screencopy-unstable-v1-server-protocol.h"

namespace vitrine {
namespace {

constexpr uint32_t version = 3;
constexpr uint32_t fourcc = DRM_FORMAT_XRGB8888; // WL_SHM_FORMAT_XRGB8888 as well
constexpr uint32_t bytesPerPixel = 4;

/** A region of the layout, relative to the output's corner, in the output's pixels and clipped to it. */
Rect toPixels(wlr_output& output, const wlr_box& region) {
  int width = 0;
  int height = 0;
  wlr_output_effective_resolution(&output, &width, &height);
  const auto end = [](int32_t from, int32_t length, int most) { // a client's numbers: their sum may be too large
    return static_cast<int>(std::clamp<int64_t>(int64_t{from} + length, 0, most));
  };
  wlr_box box{std::clamp(region.x, 0, width), std::clamp(region.y, 0, height), 0, 0};
  box.width = end(region.x, region.width, width) - box.x;
  box.height = end(region.y, region.height, height) - box.y;
  if (box.width <= 0 || box.height <= 0) return {};
  wlr_box_transform(&box, &box, wlr_output_transform_invert(output.transform), width, height);
  const double scale = output.scale;
  const Rect pixels{
      static_cast<int32_t>(std::floor(box.x * scale)), static_cast<int32_t>(std::floor(box.y * scale)),
      static_cast<int32_t>(std::ceil((box.x + box.width) * scale)) - static_cast<int32_t>(std::floor(box.x * scale)),
      static_cast<int32_t>(std::ceil((box.y + box.height) * scale)) - static_cast<int32_t>(std::floor(box.y * scale))};
  return intersect(pixels, {0, 0, output.width, output.height});
}

} // namespace

/** One bound manager, and what its client has seen of each thing that it captures again and again. */
struct Screencopy::Manager {
  struct Seen {
    const CaptureSource* source;
    Rect box;
    bool withCursor;
    std::shared_ptr<CaptureMemory> memory;
  };
  Screencopy& owner;
  std::vector<Seen> seen; ///< the last one was used last

  static Manager& from(wl_resource* resource) { return *static_cast<Manager*>(wl_resource_get_user_data(resource)); }

  std::shared_ptr<CaptureMemory> memoryOf(const CaptureSource& source, const Rect& box, bool withCursor) {
    constexpr size_t most = 16;
    const auto found = std::ranges::find_if(
        seen, [&](const Seen& one) { return one.source == &source && one.box == box && one.withCursor == withCursor; });
    if (found != seen.end()) {
      std::rotate(found, found + 1, seen.end());
    } else {
      if (seen.size() >= most) seen.erase(seen.begin());
      seen.push_back({&source, box, withCursor, std::make_shared<CaptureMemory>()});
    }
    return seen.back().memory;
  }
};

/** One zwlr_screencopy_frame_v1. */
struct Screencopy::Frame {
  wl_resource* resource;
  Capture::Machine machine;
  CaptureSourceRef source;
  Capture::Order order;
  bool failed = false;
  bool used = false;
  std::unique_ptr<CaptureTarget> target;
  std::unique_ptr<Capture> capture;

  Frame(wl_resource* made, const Capture::Machine& with, CaptureSource* of, Capture::Order how)
      : resource(made), machine(with), source(of, [] {}, [] {}), order(std::move(how)) {}

  static Frame& from(wl_resource* resource) { return *static_cast<Frame*>(wl_resource_get_user_data(resource)); }

  void fail() {
    failed = true;
    zwlr_screencopy_frame_v1_send_failed(resource);
  }

  void offer() const {
    const auto width = static_cast<uint32_t>(order.box.width);
    const auto height = static_cast<uint32_t>(order.box.height);
    zwlr_screencopy_frame_v1_send_buffer(resource, WL_SHM_FORMAT_XRGB8888, width, height, width * bytesPerPixel);
    if (wl_resource_get_version(resource) < ZWLR_SCREENCOPY_FRAME_V1_LINUX_DMABUF_SINCE_VERSION) return;
    zwlr_screencopy_frame_v1_send_linux_dmabuf(resource, fourcc, width, height);
    zwlr_screencopy_frame_v1_send_buffer_done(resource);
  }

  /** Why a buffer cannot take the picture; empty: it can. */
  [[nodiscard]] std::string refusalOf(const CaptureTarget* buffer) const {
    const Size size{static_cast<uint32_t>(order.box.width), static_cast<uint32_t>(order.box.height)};
    if (buffer == nullptr) return "it is no wl_shm buffer and no dma-buf";
    if (buffer->size() != size)
      return std::format("its size is {}x{}, not {}x{}", buffer->size().width, buffer->size().height, size.width,
                         size.height);
    if (buffer->fourcc() != fourcc) return "its format is not XRGB8888";
    if (const DmabufBuffer* dmabuf = buffer->dmabuf()) return dmabuf->dmabuf().noMap() ? "its memory is protected" : "";
    return buffer->strideBytes() != size.width * bytesPerPixel
               ? std::format("its stride is {}, not {}", buffer->strideBytes(), size.width * bytesPerPixel)
               : "";
  }

  void copy(wl_resource* buffer, bool withDamage) {
    if (used) {
      postError(resource, ZWLR_SCREENCOPY_FRAME_V1_ERROR_ALREADY_USED,
                invalid("copy", "zwlr_screencopy_frame_v1", "it has been used already").error());
      return;
    }
    if (failed) return; // the client did not know yet
    auto given = CaptureTarget::of(buffer);
    if (const std::string why = refusalOf(given.get()); !why.empty()) {
      postError(resource, ZWLR_SCREENCOPY_FRAME_V1_ERROR_INVALID_BUFFER, invalid("copy", "wl_buffer", why).error());
      return;
    }
    used = true;
    target = std::move(given);
    order.waitsForChange = withDamage;
    if (!withDamage) order.memory = nullptr;
    capture = std::make_unique<Capture>(machine, source.get(), order, *target,
                                        [this](const Result<Capture::Taken>& taken) { finish(taken); });
    capture->start();
  }

  void finish(const Result<Capture::Taken>& taken) {
    if (!taken) return fail();
    zwlr_screencopy_frame_v1_send_flags(resource, 0);
    for (const Rect& box : taken->damage) {
      zwlr_screencopy_frame_v1_send_damage(resource, static_cast<uint32_t>(box.x), static_cast<uint32_t>(box.y),
                                           static_cast<uint32_t>(box.width), static_cast<uint32_t>(box.height));
    }
    const timespec time = toTimespec(taken->time);
    const auto seconds = static_cast<uint64_t>(time.tv_sec);
    zwlr_screencopy_frame_v1_send_ready(resource, static_cast<uint32_t>(seconds >> 32), static_cast<uint32_t>(seconds),
                                        static_cast<uint32_t>(time.tv_nsec));
    target.reset();
  }
};

void Screencopy::capture(wl_resource* managerResource, uint32_t id, bool withCursor, wl_resource* outputResource,
                         const wlr_box* region) {
  static const struct zwlr_screencopy_frame_v1_interface impl = {
      .copy = [](wl_client*, wl_resource* resource, wl_resource* buffer) { Frame::from(resource).copy(buffer, false); },
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
      .copy_with_damage = [](wl_client*, wl_resource* resource,
                             wl_resource* buffer) { Frame::from(resource).copy(buffer, true); },
  };
  wl_client* client = wl_resource_get_client(managerResource);
  wl_resource* resource =
      wl_resource_create(client, &zwlr_screencopy_frame_v1_interface, wl_resource_get_version(managerResource), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  Manager& manager = Manager::from(managerResource);
  wlr_output* output = wlr_output_from_resource(outputResource); // null once it is gone
  CaptureSource* source = output != nullptr ? manager.owner.sourceOf_(*output) : nullptr;
  Capture::Order order{.withCursor = withCursor};
  if (source != nullptr && source->captureSize().width > 0) {
    order.box = region != nullptr ? toPixels(*output, *region) : Rect{0, 0, output->width, output->height};
    order.memory = manager.memoryOf(*source, order.box, withCursor);
  }
  auto* frame = new Frame(resource, manager.owner.machine_, source, order);
  wl_resource_set_implementation(resource, &impl, frame, [](wl_resource* gone) { delete &Frame::from(gone); });
  if (order.box.empty()) {
    frame->fail();
  } else {
    frame->offer();
  }
}

void Screencopy::bind(wl_client* client, void* data, uint32_t bound, uint32_t id) {
  static const struct zwlr_screencopy_manager_v1_interface impl = {
      .capture_output = [](wl_client*, wl_resource* resource, uint32_t frame, int32_t cursor,
                           wl_resource* output) { capture(resource, frame, cursor != 0, output, nullptr); },
      .capture_output_region =
          [](wl_client*, wl_resource* resource, uint32_t frame, int32_t cursor, wl_resource* output, int32_t x,
             int32_t y, int32_t width, int32_t height) {
            const wlr_box region{x, y, width, height};
            capture(resource, frame, cursor != 0, output, &region);
          },
      .destroy = [](wl_client*, wl_resource* resource) { wl_resource_destroy(resource); },
  };
  wl_resource* resource =
      wl_resource_create(client, &zwlr_screencopy_manager_v1_interface, static_cast<int>(bound), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  auto* manager = new Manager{*static_cast<Screencopy*>(data), {}};
  wl_resource_set_implementation(resource, &impl, manager, [](wl_resource* gone) { delete &Manager::from(gone); });
}

Screencopy::Screencopy(wl_display& display, const Capture::Machine& machine, SourceOf sourceOf)
    : machine_(machine), sourceOf_(std::move(sourceOf)),
      global_(wl_global_create(&display, &zwlr_screencopy_manager_v1_interface, version, this, bind)) {}

} // namespace vitrine
