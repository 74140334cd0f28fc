#pragma once

#include <functional>

#include "compositor/capture/capture.h"

namespace vitrine {

/** zwlr_screencopy_manager_v1, version 3: pictures of outputs and of regions of them. */
class Screencopy {
public:
  /** The source that shows an output; null if the output has gone. */
  using SourceOf = std::function<CaptureSource*(wlr_output&)>;

  Screencopy(wl_display& display, const Capture::Machine& machine, SourceOf sourceOf);
  Screencopy(const Screencopy&) = delete;
  Screencopy& operator=(const Screencopy&) = delete;
  ~Screencopy() { wl_global_destroy(global_); }

private:
  struct Manager;
  struct Frame;
  static void bind(wl_client* client, void* data, uint32_t version, uint32_t id);
  static void capture(wl_resource* manager, uint32_t id, bool withCursor, wl_resource* output, const wlr_box* region);

  Capture::Machine machine_;
  SourceOf sourceOf_;
  wl_global* global_;
};

} // namespace vitrine
