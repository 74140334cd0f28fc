#pragma once

#include <functional>

#include "compositor/capture/capture_source.h"

namespace vitrine {

/**
 * ext-image-capture-source-v1: names outputs and windows as things to take pictures of. Protocols that capture accept these objects.
 *
 * A source object stays valid after its output or window is gone. It names nothing then.
 */
class ImageCaptureSources {
public:
  /** The source that shows an output; null if the output has gone. */
  using OutputSource = std::function<CaptureSource*(wlr_output&)>;

  /** The source that shows the window of an ext_foreign_toplevel_handle_v1; null if that is not mapped any more. */
  using WindowSource = std::function<CaptureSource*(wl_resource*)>;

  ImageCaptureSources(wl_display& display, OutputSource outputSource, WindowSource windowSource);
  ImageCaptureSources(const ImageCaptureSources&) = delete;
  ImageCaptureSources& operator=(const ImageCaptureSources&) = delete;
  ~ImageCaptureSources();

  /** What an ext_image_capture_source_v1 names; null: it has gone. */
  [[nodiscard]] static CaptureSource* named(wl_resource* source);

private:
  static void bindOutputs(wl_client* client, void* data, uint32_t version, uint32_t id);
  static void bindWindows(wl_client* client, void* data, uint32_t version, uint32_t id);

  OutputSource outputSource_;
  WindowSource windowSource_;
  wl_global* outputs_;
  wl_global* windows_;
};

} // namespace vitrine
