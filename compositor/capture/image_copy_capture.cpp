#include "compositor/capture/image_copy_capture.h"

#include <format>

#include "compositor/capture/image_capture_sources.h"
#include "compositor/protocols/protocol_error.h"
#include "ext-image-copy-capture-v1-server-protocol.h"
#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr uint32_t version = 1;
constexpr uint32_t fourcc = DRM_FORMAT_XRGB8888;

void destroyResource(wl_client*, wl_resource* resource) {
  wl_resource_destroy(resource);
}

template<typename Type>
Type& from(wl_resource* resource) {
  return *static_cast<Type*>(wl_resource_get_user_data(resource));
}

} // namespace

/** One ext_image_copy_capture_session_v1. Shared by its resource and its frame, because either may be destroyed first. */
struct ImageCopyCapture::Session {
  ImageCopyCapture& owner;
  wl_resource* resource; ///< null once the client has destroyed it
  bool withCursor;
  std::shared_ptr<CaptureMemory> memory = std::make_shared<CaptureMemory>();
  Frame* frame = nullptr; ///< there is one at most
  Size told;              ///< the size in the last constraints
  CaptureSourceRef source;

  Session(ImageCopyCapture& by, wl_resource* made, CaptureSource* of, bool cursor)
      : owner(by), resource(made), withCursor(cursor), source(of, [this] { onChanged(); }, [this] { onGone(); }) {
    if (of == nullptr) {
      ext_image_copy_capture_session_v1_send_stopped(resource);
    } else {
      tellConstraints();
    }
  }

  static std::shared_ptr<Session>& of(wl_resource* resource) { return from<std::shared_ptr<Session>>(resource); }

  void tellConstraints();
  void onChanged();
  void onGone();
};

/** One ext_image_copy_capture_frame_v1. */
struct ImageCopyCapture::Frame {
  wl_resource* resource;
  std::shared_ptr<Session> session;
  bool attached = false;
  bool captured = false;                 ///< the client has asked for the picture
  std::unique_ptr<CaptureTarget> target; ///< null: pixels cannot be written to what is attached
  std::unique_ptr<Capture> capture;      ///< null: not yet, or the source shows nothing just now

  Frame(wl_resource* made, std::shared_ptr<Session> of) : resource(made), session(std::move(of)) {
    session->frame = this;
  }
  ~Frame() { session->frame = nullptr; }

  [[nodiscard]] bool checkNotCaptured(const char* request) const;
  void attach(wl_resource* buffer);
  void damage(int32_t x, int32_t y, int32_t width, int32_t height) const;
  void start();
  void begin();
  void onChanged();
  [[nodiscard]] std::string refusal(Size wanted) const;
  void finish(const Result<Capture::Taken>& taken);
  void fail(uint32_t reason);
};

void ImageCopyCapture::Session::tellConstraints() {
  const Size size = source.get()->captureSize();
  if (resource == nullptr || size.width == 0 || size == told) return;
  told = size;
  memory->known = false; // of another size
  ext_image_copy_capture_session_v1_send_buffer_size(resource, size.width, size.height);
  ext_image_copy_capture_session_v1_send_shm_format(resource, WL_SHM_FORMAT_XRGB8888);
  if (auto& modifiers = owner.modifiers_; !modifiers.empty()) {
    wl_array device{sizeof owner.device_, sizeof owner.device_, &owner.device_};
    ext_image_copy_capture_session_v1_send_dmabuf_device(resource, &device);
    const size_t bytes = modifiers.size() * sizeof modifiers.front();
    wl_array list{bytes, bytes, modifiers.data()};
    ext_image_copy_capture_session_v1_send_dmabuf_format(resource, fourcc, &list);
  }
  ext_image_copy_capture_session_v1_send_done(resource);
}

void ImageCopyCapture::Session::onChanged() {
  tellConstraints();
  if (frame != nullptr) frame->onChanged();
}

void ImageCopyCapture::Session::onGone() {
  if (resource != nullptr) ext_image_copy_capture_session_v1_send_stopped(resource);
  if (frame != nullptr) frame->onChanged();
}

bool ImageCopyCapture::Frame::checkNotCaptured(const char* request) const {
  if (!captured) return true;
  postError(resource, EXT_IMAGE_COPY_CAPTURE_FRAME_V1_ERROR_ALREADY_CAPTURED,
            invalid(request, "ext_image_copy_capture_frame_v1", "capture was requested already").error());
  return false;
}

void ImageCopyCapture::Frame::attach(wl_resource* buffer) {
  if (!checkNotCaptured("attach_buffer")) return;
  attached = true;
  target = CaptureTarget::of(buffer);
}

/** Each picture is drawn whole, so only the errors count. */
void ImageCopyCapture::Frame::damage(int32_t x, int32_t y, int32_t width, int32_t height) const {
  if (!checkNotCaptured("damage_buffer")) return;
  if (x >= 0 && y >= 0 && width > 0 && height > 0) return;
  postError(resource, EXT_IMAGE_COPY_CAPTURE_FRAME_V1_ERROR_INVALID_BUFFER_DAMAGE,
            invalid("damage_buffer", std::format("{},{} {}x{}", x, y, width, height),
                    "its corner is negative, or it is empty")
                .error());
}

void ImageCopyCapture::Frame::start() {
  if (!checkNotCaptured("capture")) return;
  if (!attached) {
    postError(resource, EXT_IMAGE_COPY_CAPTURE_FRAME_V1_ERROR_NO_BUFFER,
              invalid("capture", "ext_image_copy_capture_frame_v1", "no buffer is attached").error());
    return;
  }
  captured = true;
  begin();
}

/** Takes the picture, or fails. Does nothing while the source shows nothing. */
void ImageCopyCapture::Frame::begin() {
  CaptureSource* source = session->source.get();
  if (source == nullptr) return fail(EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_STOPPED);
  const Size size = source->captureSize();
  if (size.width == 0 && target != nullptr) return;
  if (const std::string why = refusal(size); !why.empty()) {
    log("capture").debug("{}: a client's buffer: {}", source->captureName(), why);
    return fail(EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_BUFFER_CONSTRAINTS);
  }
  Capture::Order order{.box = {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)},
                       .withCursor = session->withCursor,
                       .waitsForChange = true,
                       .memory = session->memory};
  capture = std::make_unique<Capture>(session->owner.machine_, source, std::move(order), *target,
                                      [this](const Result<Capture::Taken>& taken) { finish(taken); });
  capture->start();
}

/** The source has changed or gone: a capture of its old size ends, and one that waited for a picture begins. */
void ImageCopyCapture::Frame::onChanged() {
  if (!captured || target == nullptr) return; // the client has not asked for the picture, or has its answer
  const CaptureSource* source = session->source.get();
  if (capture != nullptr && source != nullptr && source->captureSize() == target->size()) return;
  capture.reset();
  begin();
}

/** Why the buffer cannot take a picture of this size; empty: it can. */
std::string ImageCopyCapture::Frame::refusal(Size wanted) const {
  if (target == nullptr) return "it is no wl_shm buffer and no dma-buf";
  if (target->size() != wanted)
    return std::format("its size is {}x{}, not {}x{}", target->size().width, target->size().height, wanted.width,
                       wanted.height);
  if (target->fourcc() != fourcc) return "its format is not XRGB8888";
  if (const DmabufBuffer* dmabuf = target->dmabuf()) return dmabuf->dmabuf().noMap() ? "its memory is protected" : "";
  return "";
}

void ImageCopyCapture::Frame::finish(const Result<Capture::Taken>& taken) {
  capture.reset();
  const CaptureSource* source = session->source.get();
  if (!taken) {
    // Without a source or with another size, begin() says so. While the source shows nothing, the frame waits.
    if (source == nullptr || source->captureSize() != target->size()) return begin();
    return fail(EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_UNKNOWN);
  }
  ext_image_copy_capture_frame_v1_send_transform(resource, static_cast<uint32_t>(source->captureTransform()));
  for (const Rect& box : taken->damage)
    ext_image_copy_capture_frame_v1_send_damage(resource, box.x, box.y, box.width, box.height);
  const timespec time = toTimespec(taken->time);
  const auto seconds = static_cast<uint64_t>(time.tv_sec);
  ext_image_copy_capture_frame_v1_send_presentation_time(resource, static_cast<uint32_t>(seconds >> 32),
                                                         static_cast<uint32_t>(seconds),
                                                         static_cast<uint32_t>(time.tv_nsec));
  target.reset();
  ext_image_copy_capture_frame_v1_send_ready(resource);
}

void ImageCopyCapture::Frame::fail(uint32_t reason) {
  target.reset();
  ext_image_copy_capture_frame_v1_send_failed(resource, reason);
}

void ImageCopyCapture::createFrame(wl_resource* sessionResource, uint32_t id) {
  static const struct ext_image_copy_capture_frame_v1_interface impl = {
      .destroy = destroyResource,
      .attach_buffer = [](wl_client*, wl_resource* resource,
                          wl_resource* buffer) { from<Frame>(resource).attach(buffer); },
      .damage_buffer = [](wl_client*, wl_resource* resource, int32_t x, int32_t y, int32_t width,
                          int32_t height) { from<Frame>(resource).damage(x, y, width, height); },
      .capture = [](wl_client*, wl_resource* resource) { from<Frame>(resource).start(); },
  };
  const std::shared_ptr<Session>& session = Session::of(sessionResource);
  if (session->frame != nullptr) {
    postError(sessionResource, EXT_IMAGE_COPY_CAPTURE_SESSION_V1_ERROR_DUPLICATE_FRAME,
              invalid("create_frame", "ext_image_copy_capture_session_v1", "its last frame still exists").error());
    return;
  }
  wl_client* client = wl_resource_get_client(sessionResource);
  wl_resource* resource = wl_resource_create(client, &ext_image_copy_capture_frame_v1_interface,
                                             wl_resource_get_version(sessionResource), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, new Frame(resource, session),
                                 [](wl_resource* gone) { delete &from<Frame>(gone); });
}

void ImageCopyCapture::addSession(wl_resource* parent, uint32_t id, CaptureSource* source, bool withCursor) {
  static const struct ext_image_copy_capture_session_v1_interface impl = {
      .create_frame = [](wl_client*, wl_resource* resource, uint32_t frame) { createFrame(resource, frame); },
      .destroy = destroyResource,
  };
  wl_client* client = wl_resource_get_client(parent);
  wl_resource* resource =
      wl_resource_create(client, &ext_image_copy_capture_session_v1_interface, wl_resource_get_version(parent), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  auto* session = new std::shared_ptr<Session>(std::make_shared<Session>(*this, resource, source, withCursor));
  wl_resource_set_implementation(resource, &impl, session, [](wl_resource* gone) {
    std::shared_ptr<Session>& kept = Session::of(gone);
    kept->resource = nullptr;
    delete &kept;
  });
}

void ImageCopyCapture::createSession(wl_resource* manager, uint32_t id, wl_resource* source, uint32_t options) {
  constexpr uint32_t known = EXT_IMAGE_COPY_CAPTURE_MANAGER_V1_OPTIONS_PAINT_CURSORS;
  if ((options & ~known) != 0) {
    postError(
        manager, EXT_IMAGE_COPY_CAPTURE_MANAGER_V1_ERROR_INVALID_OPTION,
        invalid("create_session", std::format("options {:#x}", options), "the protocol has no such option").error());
    return;
  }
  from<ImageCopyCapture>(manager).addSession(manager, id, ImageCaptureSources::named(source), (options & known) != 0);
}

/** One ext_image_copy_capture_cursor_session_v1. The cursor never enters, and its capture session has stopped. */
struct ImageCopyCapture::CursorSession {
  ImageCopyCapture& owner;
  bool captured = false; ///< get_capture_session was requested
};

void ImageCopyCapture::createCursorSession(wl_resource* manager, uint32_t id) {
  static const struct ext_image_copy_capture_cursor_session_v1_interface impl = {
      .destroy = destroyResource,
      .get_capture_session =
          [](wl_client*, wl_resource* resource, uint32_t session) {
            auto& cursor = from<CursorSession>(resource);
            if (std::exchange(cursor.captured, true)) {
              postError(
                  resource, EXT_IMAGE_COPY_CAPTURE_CURSOR_SESSION_V1_ERROR_DUPLICATE_SESSION,
                  invalid("get_capture_session", "ext_image_copy_capture_cursor_session_v1", "it was requested already")
                      .error());
              return;
            }
            cursor.owner.addSession(resource, session, nullptr, false);
          },
  };
  wl_client* client = wl_resource_get_client(manager);
  wl_resource* resource = wl_resource_create(client, &ext_image_copy_capture_cursor_session_v1_interface,
                                             wl_resource_get_version(manager), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, new CursorSession{from<ImageCopyCapture>(manager)},
                                 [](wl_resource* gone) { delete &from<CursorSession>(gone); });
}

void ImageCopyCapture::bind(wl_client* client, void* data, uint32_t bound, uint32_t id) {
  static const struct ext_image_copy_capture_manager_v1_interface impl = {
      .create_session = [](wl_client*, wl_resource* resource, uint32_t session, wl_resource* source,
                           uint32_t options) { createSession(resource, session, source, options); },
      .create_pointer_cursor_session = [](wl_client*, wl_resource* resource, uint32_t session, wl_resource*,
                                          wl_resource*) { createCursorSession(resource, session); },
      .destroy = destroyResource,
  };
  wl_resource* resource =
      wl_resource_create(client, &ext_image_copy_capture_manager_v1_interface, static_cast<int>(bound), id);
  if (resource == nullptr) return wl_client_post_no_memory(client);
  wl_resource_set_implementation(resource, &impl, data, nullptr);
}

ImageCopyCapture::ImageCopyCapture(wl_display& display, const Capture::Machine& machine, dev_t device)
    : machine_(machine), device_(device),
      global_(wl_global_create(&display, &ext_image_copy_capture_manager_v1_interface, version, this, bind)) {
  for (const FormatModifier& format : machine_.renderer.targetFormats())
    if (format.fourcc == fourcc) modifiers_.push_back(format.modifier);
}

} // namespace vitrine
