#pragma once

#include <functional>

#include "compositor/capture/capture_source.h"

namespace vitrine {

/**
 * ext-image-capture-source-v1: names outputs as things to take pictures of. Protocols that capture accept these objects.
 *
 * A source object stays valid after its output is gone. It names nothing then.
 */
class ImageCaptureSources {
public:
  /** The source that shows an output; null if the output has gone. */
  using OutputSource = std::function<CaptureSource*(wlr_output&)>;

  ImageCaptureSources(wl_display& display, OutputSource outputSource);
  ImageCaptureSources(const ImageCaptureSources&) = delete;
  ImageCaptureSources& operator=(const ImageCaptureSources&) = delete;
  ~ImageCaptureSources() { wl_global_destroy(outputs_); }

  /** What an ext_image_capture_source_v1 names; null: it has gone. */
  [[nodiscard]] static CaptureSource* named(wl_resource* source);

private:
  OutputSource outputSource_;
  wl_global* outputs_;
};

} // namespace vitrine
