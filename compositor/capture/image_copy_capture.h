#pragma once

#include <vector>

#include "compositor/capture/capture.h"

namespace vitrine {

/**
 * ext_image_copy_capture_manager_v1: pictures of what an ext_image_capture_source_v1 names, each with what has changed since the one
 * before.
 *
 * A picture is XRGB8888 in shared memory, or in a dma-buf with one of the modifiers that the renderer draws into. While the source
 * shows nothing (an output that is off), a capture waits. It fails when the source has gone.
 */
class ImageCopyCapture {
public:
  /** `device`: where clients allocate dma-bufs. */
  ImageCopyCapture(wl_display& display, const Capture::Machine& machine, dev_t device);
  ImageCopyCapture(const ImageCopyCapture&) = delete;
  ImageCopyCapture& operator=(const ImageCopyCapture&) = delete;
  ~ImageCopyCapture() { wl_global_destroy(global_); }

private:
  struct Session;
  struct Frame;
  struct CursorSession;
  static void bind(wl_client* client, void* data, uint32_t version, uint32_t id);
  static void createSession(wl_resource* manager, uint32_t id, wl_resource* source, uint32_t options);
  static void createCursorSession(wl_resource* manager, uint32_t id);
  void addSession(wl_resource* parent, uint32_t id, CaptureSource* source, bool withCursor);
  static void createFrame(wl_resource* session, uint32_t id);

  Capture::Machine machine_;
  dev_t device_;
  std::vector<uint64_t> modifiers_; ///< of the dma-bufs that the renderer draws into
  wl_global* global_;
};

} // namespace vitrine
