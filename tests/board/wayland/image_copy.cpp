#include "tests/board/wayland/image_copy.h"

#include <cerrno>
#include <list>
#include <optional>

namespace vitrine {
namespace {

using Source = WaylandPtr<ext_image_capture_source_v1>;

std::unexpected<Error> lacks(const wl_interface& interface) {
  return missing("bind", interface.name, "the compositor lacks it");
}

/** One session, and its one frame. */
class ImageCopy {
public:
  explicit ImageCopy(WaylandConnection& connection) : connection_(connection) {}
  Result<ShmBuffer> take(ext_image_capture_source_v1* source);

private:
  static const ext_image_copy_capture_session_v1_listener sessionListener;
  static const ext_image_copy_capture_frame_v1_listener frameListener;
  Result<> waitFor(const bool& done, const char* what);
  WaylandConnection& connection_;
  Size size_;
  std::optional<uint32_t> format_; ///< one of wl_shm's, with 8 bits each for red, green and blue
  bool told_ = false;
  bool stopped_ = false;
  bool ready_ = false;
  bool failed_ = false;
};

const ext_image_copy_capture_session_v1_listener ImageCopy::sessionListener = {
    .buffer_size = [](void* data, ext_image_copy_capture_session_v1*, uint32_t width,
                      uint32_t height) { static_cast<ImageCopy*>(data)->size_ = {width, height}; },
    .shm_format =
        [](void* data, ext_image_copy_capture_session_v1*, uint32_t format) {
          auto* copy = static_cast<ImageCopy*>(data);
          if (format == WL_SHM_FORMAT_XRGB8888 || format == WL_SHM_FORMAT_ARGB8888 ||
              format == WL_SHM_FORMAT_XBGR8888 || format == WL_SHM_FORMAT_ABGR8888)
            copy->format_ = format;
        },
    .dmabuf_device = [](void*, ext_image_copy_capture_session_v1*, wl_array*) {},
    .dmabuf_format = [](void*, ext_image_copy_capture_session_v1*, uint32_t, wl_array*) {},
    .done = [](void* data, ext_image_copy_capture_session_v1*) { static_cast<ImageCopy*>(data)->told_ = true; },
    .stopped = [](void* data, ext_image_copy_capture_session_v1*) { static_cast<ImageCopy*>(data)->stopped_ = true; },
};

const ext_image_copy_capture_frame_v1_listener ImageCopy::frameListener = {
    .transform = [](void*, ext_image_copy_capture_frame_v1*, uint32_t) {},
    .damage = [](void*, ext_image_copy_capture_frame_v1*, int32_t, int32_t, int32_t, int32_t) {},
    .presentation_time = [](void*, ext_image_copy_capture_frame_v1*, uint32_t, uint32_t, uint32_t) {},
    .ready = [](void* data, ext_image_copy_capture_frame_v1*) { static_cast<ImageCopy*>(data)->ready_ = true; },
    .failed = [](void* data, ext_image_copy_capture_frame_v1*,
                 uint32_t) { static_cast<ImageCopy*>(data)->failed_ = true; },
};

Result<> ImageCopy::waitFor(const bool& done, const char* what) {
  const Nanoseconds until = now() + answerTimeout;
  while (!done) {
    if (stopped_ || failed_)
      return invalid("capture", what, stopped_ ? "the compositor says `stopped`" : "the compositor says `failed`");
    if (now() > until) return systemError("capture", what, ETIMEDOUT);
    if (auto dispatched = connection_.dispatch(until - now()); !dispatched) return dispatched;
  }
  return {};
}

Result<ShmBuffer> ImageCopy::take(ext_image_capture_source_v1* source) {
  const auto manager =
      connection_.bindFirst<ext_image_copy_capture_manager_v1>(ext_image_copy_capture_manager_v1_interface, 1);
  if (!manager) return lacks(ext_image_copy_capture_manager_v1_interface);
  const WaylandPtr<ext_image_copy_capture_session_v1> session(
      ext_image_copy_capture_manager_v1_create_session(manager.get(), source, 0));
  ext_image_copy_capture_session_v1_add_listener(session.get(), &sessionListener, this);
  if (auto told = waitFor(told_, "which buffer is wanted"); !told) return std::unexpected(told.error());
  if (!format_) return missing("capture", "shared memory", "no format with 8 bits each for red, green and blue");
  auto buffer = ShmBuffer::create(connection_, size_, size_.width * 4, *format_);
  if (!buffer) return buffer;
  const WaylandPtr<ext_image_copy_capture_frame_v1> frame(
      ext_image_copy_capture_session_v1_create_frame(session.get()));
  ext_image_copy_capture_frame_v1_add_listener(frame.get(), &frameListener, this);
  ext_image_copy_capture_frame_v1_attach_buffer(frame.get(), buffer->object());
  ext_image_copy_capture_frame_v1_damage_buffer(frame.get(), 0, 0, static_cast<int32_t>(size_.width),
                                                static_cast<int32_t>(size_.height));
  ext_image_copy_capture_frame_v1_capture(frame.get());
  if (auto ready = waitFor(ready_, "the picture"); !ready) return std::unexpected(ready.error());
  return buffer;
}

/** One window that the compositor lists. */
struct Toplevel {
  WaylandPtr<ext_foreign_toplevel_handle_v1> handle;
  std::string title;
};

constexpr ext_foreign_toplevel_handle_v1_listener toplevelListener = {
    .closed = [](void*, ext_foreign_toplevel_handle_v1*) {},
    .done = [](void*, ext_foreign_toplevel_handle_v1*) {},
    .title = [](void* data, ext_foreign_toplevel_handle_v1*,
                const char* title) { static_cast<Toplevel*>(data)->title = title; },
    .app_id = [](void*, ext_foreign_toplevel_handle_v1*, const char*) {},
    .identifier = [](void*, ext_foreign_toplevel_handle_v1*, const char*) {},
};

constexpr ext_foreign_toplevel_list_v1_listener listListener = {
    .toplevel =
        [](void* data, ext_foreign_toplevel_list_v1*, ext_foreign_toplevel_handle_v1* handle) {
          auto& added = static_cast<std::list<Toplevel>*>(data)->emplace_back();
          added.handle.reset(handle);
          ext_foreign_toplevel_handle_v1_add_listener(handle, &toplevelListener, &added);
        },
    .finished = [](void*, ext_foreign_toplevel_list_v1*) {},
};

} // namespace

Result<ShmBuffer> imageOfOutput(WaylandConnection& connection) {
  const wl_interface& interface = ext_output_image_capture_source_manager_v1_interface;
  const auto sources = connection.bindFirst<ext_output_image_capture_source_manager_v1>(interface, 1);
  if (!sources) return lacks(interface);
  if (!connection.globals().output) return lacks(wl_output_interface);
  const Source source(
      ext_output_image_capture_source_manager_v1_create_source(sources.get(), connection.globals().output.get()));
  return ImageCopy(connection).take(source.get());
}

Result<ShmBuffer> imageOfWindow(WaylandConnection& connection, std::string_view title) {
  const wl_interface& interface = ext_foreign_toplevel_image_capture_source_manager_v1_interface;
  const auto sources = connection.bindFirst<ext_foreign_toplevel_image_capture_source_manager_v1>(interface, 1);
  if (!sources) return lacks(interface);
  const auto list = connection.bindFirst<ext_foreign_toplevel_list_v1>(ext_foreign_toplevel_list_v1_interface, 1);
  if (!list) return lacks(ext_foreign_toplevel_list_v1_interface);
  std::list<Toplevel> windows;
  ext_foreign_toplevel_list_v1_add_listener(list.get(), &listListener, &windows);
  if (auto done = connection.roundtrip(); !done) return std::unexpected(done.error());
  const auto found = std::ranges::find(windows, title, &Toplevel::title);
  if (found == windows.end()) return missing("find", "window", "the compositor does not list it");
  const Source source(
      ext_foreign_toplevel_image_capture_source_manager_v1_create_source(sources.get(), found->handle.get()));
  return ImageCopy(connection).take(source.get());
}

} // namespace vitrine
